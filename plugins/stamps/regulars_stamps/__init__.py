"""Stamp cards: collect stamps, get a reward."""

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
    name="stamps",
    title=N_("Stamp cards"),
    description=N_("Buy ten, get one: a stamp for every visit, a reward for a full card."),
    category="earning",
    host=">=1,<2",
    alias="loyalty_stamps",
    settings="regulars_stamps.settings:StampSettings",
    settings_scope="program",
    models="regulars_stamps.models",
    hooks="regulars_stamps.hooks:Hooks",
    facts="regulars_stamps.queries:FACTS",
    writes="regulars_stamps.queries:WRITES",
    providers=(
        ProviderRef("unit", "stamps", "regulars_stamps.unit:StampUnit"),
        ProviderRef("reward", "full_card", "regulars_stamps.reward:FullCard"),
    ),
    slots=(
        SlotRef(Slot.PORTAL_CARD, "regulars_stamps.web.slots:portal_card", order=20),
        SlotRef(Slot.TERMINAL_CARD, "regulars_stamps.web.slots:terminal_card", order=20),
        SlotRef(Slot.PROGRAM_PREVIEW, "regulars_stamps.web.slots:program_preview", order=20),
    ),
    permissions=(Permission("view", N_("See who reached stamp milestones"), roles=("manager",)),),
    blueprints=(BlueprintRef("manage", "regulars_stamps.web.manage:bp"),),
    nav=(NavEntry("manage", N_("Stamp milestones"), "milestones", icon="trophy", permission="stamps.view", order=30),),
    jobs=("regulars_stamps.jobs",),
    subscriptions=(Subscription("stamps.milestone_reached", "congratulate"),),
    events=(EventType("milestone_reached", N_("Milestone reached"), "regulars_stamps.events:MilestoneReached"),),
)
