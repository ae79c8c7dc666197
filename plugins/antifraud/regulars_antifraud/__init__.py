"""Anti-fraud limits: a cooldown between sales and a daily limit, per card."""

from regulars.sdk import N_, Plugin

plugin = Plugin(
    name="antifraud",
    title=N_("Fraud protection"),
    description=N_("Time between two sales on a card, and stamps per card and day."),
    category="security",
    host=">=1,<2",
    alias="loyalty_anti_fraud",
    settings="regulars_antifraud.settings:AntifraudSettings",
    settings_scope="program",
    hooks="regulars_antifraud.hooks:Hooks",
    facts="regulars_antifraud.queries:FACTS",
)
