"""The host's jobs: which modules declare them, and which run for which events."""

from __future__ import annotations

from regulars.domain.awards.jobs import __name__ as awards
from regulars.domain.domains.jobs import __name__ as domains
from regulars.domain.expiry.jobs import SUBSCRIPTIONS as EXPIRY
from regulars.domain.expiry.jobs import __name__ as expiry
from regulars.domain.ledger.jobs import __name__ as ledger
from regulars.domain.ledger.nightly import __name__ as nightly
from regulars.domain.messaging.jobs import SUBSCRIPTIONS as MAIL
from regulars.domain.messaging.jobs import __name__ as messaging
from regulars.domain.programs.jobs import __name__ as programs
from regulars.domain.receipts.jobs import __name__ as receipts
from regulars.domain.redemptions.jobs import __name__ as redemptions
from regulars.domain.refunds.jobs import __name__ as refunds
from regulars.domain.signup.jobs import __name__ as signup
from regulars.domain.trials.jobs import __name__ as trials
from regulars.domain.upkeep.jobs import __name__ as upkeep
from regulars.domain.wallets.jobs import SUBSCRIPTIONS as WALLETS
from regulars.domain.wallets.jobs import __name__ as wallets
from regulars.kernel.jobs import JobRegistry
from regulars.kernel.plugins.registry import PluginRegistry

MODULES = (
    awards,
    domains,
    expiry,
    ledger,
    messaging,
    nightly,
    programs,
    receipts,
    redemptions,
    refunds,
    signup,
    trials,
    upkeep,
    wallets,
)
SUBSCRIPTIONS = (*MAIL, *EXPIRY, *WALLETS)


def make_job_registry(plugins: PluginRegistry) -> JobRegistry:
    """Everything that a worker can run.

    Args:
        plugins: the loaded plugins.

    Raises:
        ConfigurationError: two jobs of one name, or a subscription to a job that does not exist.
    """
    return JobRegistry.build(MODULES, SUBSCRIPTIONS, plugins)
