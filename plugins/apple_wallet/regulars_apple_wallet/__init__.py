"""The card in Apple Wallet, always up to date."""

from regulars.sdk import N_, BlueprintRef, NavEntry, Permission, Plugin, ProviderRef, Subscription
from regulars.sdk.wallets import CARD_EVENTS

plugin = Plugin(
    name="apple_wallet",
    title=N_("Apple Wallet"),
    description=N_("Customers keep their card in Apple Wallet; it is always up to date."),
    category="wallet",
    host=">=1,<2",
    alias="loyalty_apple_wallet",
    settings="regulars_apple_wallet.settings:AppleWalletSettings",
    models="regulars_apple_wallet.models",
    permissions=(Permission("manage", N_("Change the certificate for Apple Wallet"), roles=()),),
    blueprints=(
        BlueprintRef("manage", "regulars_apple_wallet.web.manage:bp"),
        BlueprintRef("hooks", "regulars_apple_wallet.web.hooks:bp"),
    ),
    nav=(
        NavEntry(
            "manage", N_("Apple Wallet"), "certificate", icon="wallet", permission="apple_wallet.manage", order=64
        ),
    ),
    providers=(ProviderRef("wallet", "apple", "regulars_apple_wallet.provider:AppleWallet"),),
    jobs=("regulars_apple_wallet.jobs",),
    subscriptions=tuple(Subscription(event, "refresh") for event in CARD_EVENTS),
)
