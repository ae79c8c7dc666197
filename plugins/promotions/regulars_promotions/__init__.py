"""Promotions: more points, money off or something for nothing, for a while and within a budget."""

from regulars.sdk import (
    N_,
    BlueprintRef,
    Feature,
    NavEntry,
    Permission,
    Plugin,
    Slot,
    SlotRef,
)

plugin = Plugin(
    name="promotions",
    title=N_("Promotions"),
    description=N_("Double days, happy hours, discounts and free items, within a budget that holds."),
    category="campaign",
    after=("stamps", "points", "tiers"),
    host=">=1,<2",
    features=(
        Feature("basic", N_("Basic promotions")),
        Feature("advanced", N_("Promotions for segments, tiers and shops")),
    ),
    settings="regulars_promotions.settings:PromotionSettings",
    settings_scope="program",
    models="regulars_promotions.models",
    hooks="regulars_promotions.hooks:Hooks",
    facts="regulars_promotions.queries:FACTS",
    writes="regulars_promotions.queries:WRITES",
    slots=(
        SlotRef(Slot.PORTAL_CARD, "regulars_promotions.web.slots:portal_card", order=60),
        SlotRef(Slot.TERMINAL_CARD, "regulars_promotions.web.slots:terminal_card", order=60),
    ),
    permissions=(Permission("view", N_("See promotions, what they cost and who took part"), roles=("manager",)),),
    blueprints=(
        BlueprintRef("manage", "regulars_promotions.web.manage:bp"),
        BlueprintRef("store_api", "regulars_promotions.web.api:bp"),
    ),
    nav=(NavEntry("manage", N_("Promotions"), "promotions", icon="tag", permission="promotions.view", order=25),),
)
