"""The member's card in Google Wallet."""

from regulars.sdk import N_, BlueprintRef, NavEntry, Permission, Plugin, ProviderRef, Subscription
from regulars.sdk.wallets import CARD_EVENTS

plugin = Plugin(
    name="google_wallet",
    title=N_("Google Wallet"),
    description=N_("Customers keep their card in Google Wallet, where it is always up to date."),
    category="wallet",
    host=">=1,<2",
    alias="loyalty_google_wallet",
    settings="regulars_google_wallet.settings:GoogleWalletSettings",
    models="regulars_google_wallet.models",
    permissions=(Permission("manage", N_("Set up Google Wallet"), roles=()),),
    providers=(ProviderRef("wallet", "google", "regulars_google_wallet.provider:GoogleWallet"),),
    blueprints=(
        BlueprintRef("hooks", "regulars_google_wallet.web.hooks:bp"),
        BlueprintRef("manage", "regulars_google_wallet.web.manage:bp"),
    ),
    nav=(
        NavEntry("manage", N_("Google Wallet"), "issuer", icon="wallet", permission="google_wallet.manage", order=62),
    ),
    jobs=("regulars_google_wallet.jobs",),
    subscriptions=tuple(Subscription(event, "refresh") for event in CARD_EVENTS),
)
