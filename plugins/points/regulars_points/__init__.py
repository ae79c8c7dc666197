"""Points: so many for every euro, more for what the merchant wants to sell."""

from regulars.sdk import N_, BlueprintRef, NavEntry, Permission, Plugin, ProviderRef, Slot, SlotRef

plugin = Plugin(
    name="points",
    title=N_("Points"),
    description=N_("Points for every euro spent, with rules, limits and an expiry of your own."),
    category="earning",
    host=">=1,<2",
    alias="loyalty_points",
    settings="regulars_points.settings:PointSettings",
    settings_scope="program",
    models="regulars_points.models",
    hooks="regulars_points.hooks:Hooks",
    facts="regulars_points.queries:FACTS",
    writes="regulars_points.queries:WRITES",
    providers=(
        ProviderRef("unit", "points", "regulars_points.unit:PointUnit"),
        ProviderRef("reward", "gift", "regulars_points.reward:Gift"),
    ),
    slots=(
        SlotRef(Slot.PORTAL_CARD, "regulars_points.web.slots:portal_card", order=30),
        SlotRef(Slot.TERMINAL_CARD, "regulars_points.web.slots:terminal_card", order=30),
        SlotRef(Slot.PROGRAM_PREVIEW, "regulars_points.web.slots:program_preview", order=30),
    ),
    permissions=(Permission("view", N_("See the rules of points and what they are worth"), roles=("manager",)),),
    blueprints=(BlueprintRef("manage", "regulars_points.web.manage:bp"),),
    nav=(NavEntry("manage", N_("Points"), "rules", icon="star", permission="points.view", order=31),),
)
