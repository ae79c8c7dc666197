"""One of everything that a plugin can bring."""

from regulars.sdk import (
    N_,
    BlueprintRef,
    EventType,
    Feature,
    Limit,
    NavEntry,
    Permission,
    Plugin,
    ProviderRef,
    Slot,
    SlotRef,
    Subscription,
)

HOST_EVENTS = (
    "ledger.entry_posted",
    "member.enrolled",
    "award.taken_back",
    "redemption.moved",
    "redemption.undone",
    "reward.redeemed",
    "sale.recorded",
    "sale.refunded",
    "sale.undone",
    "staff.pin_locked",
    "units.expiring",
)

plugin = Plugin(
    name="sampler",
    title=N_("Sampler"),
    description=N_("One of everything, for the tests."),
    category="other",
    host=">=1,<2",
    alias="fixture_sampler",
    requires=("stamps",),
    after=("antifraud",),
    features=(Feature("extra", N_("Something extra"), alias="fixture_extra"),),
    limits=(Limit("samples", N_("Samples")),),
    permissions=(Permission("view", N_("See the samples"), roles=("manager",), alias="fixture.view"),),
    settings="regulars_fixture.settings:Settings",
    settings_scope="program",
    models="regulars_fixture.models",
    hooks="regulars_fixture.hooks:Hooks",
    facts="regulars_fixture.queries:FACTS",
    writes="regulars_fixture.queries:WRITES",
    blueprints=(
        BlueprintRef("portal", "regulars_fixture.web.pages:portal"),
        BlueprintRef("terminal", "regulars_fixture.web.pages:terminal"),
        BlueprintRef("manage", "regulars_fixture.web.pages:manage"),
        BlueprintRef("store_api", "regulars_fixture.web.api:store"),
        BlueprintRef("storefront_api", "regulars_fixture.web.api:storefront"),
    ),
    nav=(NavEntry("manage", N_("Samples"), "samples", icon="flask-conical", permission="sampler.view", order=90),),
    slots=(
        SlotRef(Slot.PORTAL_CARD, "regulars_fixture.web.slots:portal_card", order=90),
        SlotRef(Slot.TERMINAL_CARD, "regulars_fixture.web.slots:terminal_card", order=90),
        SlotRef(Slot.PROGRAM_PREVIEW, "regulars_fixture.web.slots:program_preview", order=90),
    ),
    providers=(
        ProviderRef("unit", "samples", "regulars_fixture.unit:Samples"),
        ProviderRef("reward", "badge", "regulars_fixture.unit:Badge"),
        ProviderRef("segment", "fans", "regulars_fixture.unit:Fans"),
    ),
    jobs=("regulars_fixture.jobs",),
    events=(EventType("taken", N_("Sample taken"), "regulars_fixture.events:Taken"),),
    subscriptions=(
        *(Subscription(event, event.replace(".", "_")) for event in HOST_EVENTS),
        Subscription("sampler.taken", "greet"),
    ),
)
