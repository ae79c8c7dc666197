"""Members bring friends, and both are rewarded."""

from regulars.sdk import N_, BlueprintRef, NavEntry, Permission, Plugin, Slot, SlotRef, Subscription

plugin = Plugin(
    name="referrals",
    title=N_("Bring a friend"),
    description=N_("Members bring friends; after the friend's first purchase both are rewarded."),
    category="earning",
    host=">=1,<2",
    after=("points", "stamps", "tiers"),
    settings="regulars_referrals.settings:ReferralSettings",
    settings_scope="program",
    models="regulars_referrals.models",
    hooks="regulars_referrals.hooks:Hooks",
    slots=(SlotRef(Slot.PORTAL_CARD, "regulars_referrals.web.slots:portal_card", order=60),),
    permissions=(
        Permission("view", N_("See who has brought whom"), roles=("manager",)),
        Permission("export", N_("Export who has brought whom"), roles=()),
    ),
    blueprints=(
        BlueprintRef("manage", "regulars_referrals.web.manage:bp"),
        BlueprintRef("portal", "regulars_referrals.web.portal:bp"),
    ),
    nav=(NavEntry("manage", N_("Referrals"), "referrals", icon="user-plus", permission="referrals.view", order=36),),
    jobs=("regulars_referrals.jobs",),
    subscriptions=(
        Subscription("member.enrolled", "note"),
        Subscription("sale.recorded", "watch"),
        Subscription("sale.undone", "take_back"),
        Subscription("sale.refunded", "take_back"),
    ),
)
