"""Tiers: who comes more gets more."""

from regulars.sdk import (
    N_,
    BlueprintRef,
    EventType,
    NavEntry,
    Permission,
    Plugin,
    ProviderRef,
    Slot,
    SlotRef,
    Subscription,
)

plugin = Plugin(
    name="tiers",
    title=N_("Tiers"),
    description=N_("Bronze, Silver, Gold: the more somebody comes, the more every visit gives."),
    category="earning",
    host=">=1,<2",
    after=("points", "stamps"),
    settings="regulars_tiers.settings:TierSettings",
    settings_scope="program",
    models="regulars_tiers.models",
    hooks="regulars_tiers.hooks:Hooks",
    facts="regulars_tiers.queries:FACTS",
    writes="regulars_tiers.queries:WRITES",
    providers=(ProviderRef("segment", "standing", "regulars_tiers.segments:Reached"),),
    slots=(
        SlotRef(Slot.PORTAL_CARD, "regulars_tiers.web.slots:portal_card", order=10),
        SlotRef(Slot.TERMINAL_CARD, "regulars_tiers.web.slots:terminal_card", order=10),
        SlotRef(Slot.PROGRAM_PREVIEW, "regulars_tiers.web.slots:program_preview", order=40),
    ),
    permissions=(
        Permission("view", N_("See members by tier"), roles=("manager",)),
        Permission("move", N_("Give a member a tier by hand"), roles=("manager",)),
        Permission("export", N_("Export members by tier"), roles=()),
    ),
    blueprints=(
        BlueprintRef("manage", "regulars_tiers.web.manage:bp"),
        BlueprintRef("store_api", "regulars_tiers.web.api:bp"),
    ),
    nav=(NavEntry("manage", N_("Tiers"), "members", icon="medal", permission="tiers.view", order=35),),
    jobs=("regulars_tiers.jobs",),
    subscriptions=(
        Subscription("tiers.tier_reached", "congratulate"),
        Subscription("tiers.tier_ending", "warn"),
        Subscription("sale.undone", "recheck"),
        Subscription("sale.refunded", "recheck"),
        Subscription("award.taken_back", "recheck"),
        Subscription("member.unmerged", "recheck"),
    ),
    events=(
        EventType("tier_reached", N_("Tier reached"), "regulars_tiers.events:TierReached"),
        EventType("tier_lost", N_("Tier lost"), "regulars_tiers.events:TierLost"),
        EventType("tier_ending", N_("Tier ends soon"), "regulars_tiers.events:TierEnding"),
    ),
)
