"""A catalogue of rewards: what customers can have for what they have collected."""

from regulars.sdk import N_, BlueprintRef, Limit, NavEntry, Permission, Plugin, ProviderRef

plugin = Plugin(
    name="rewards",
    title=N_("Rewards catalogue"),
    description=N_("Rewards of your own, with photos, stock, limits and codes."),
    category="earning",
    host=">=1,<2",
    after=("tiers",),
    settings="regulars_rewards.settings:RewardSettings",
    settings_scope="program",
    models="regulars_rewards.models",
    hooks="regulars_rewards.hooks:Hooks",
    facts="regulars_rewards.queries:FACTS",
    writes="regulars_rewards.queries:WRITES",
    providers=(ProviderRef("reward", "catalogue", "regulars_rewards.catalogue:Catalogue"),),
    limits=(Limit("items", N_("Rewards in the catalogue"), counts="rewards"),),
    permissions=(
        Permission("view", N_("See the catalogue with stock and figures"), roles=("manager",)),
        Permission("manage", N_("Change the catalogue and add codes"), roles=("manager",)),
    ),
    blueprints=(BlueprintRef("manage", "regulars_rewards.web.manage:bp"),),
    nav=(NavEntry("manage", N_("Rewards"), "catalogue", icon="gift", permission="rewards.view", order=20),),
)
