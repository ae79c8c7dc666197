"""All tables of the host, imported once so that the metadata is complete (migrations, catalogue checks)."""

from regulars.domain.apikeys import models as apikeys
from regulars.domain.audit import models as audit
from regulars.domain.cards import models as cards
from regulars.domain.domains import models as domains
from regulars.domain.households import models as households
from regulars.domain.ledger import models as ledger
from regulars.domain.members import models as members
from regulars.domain.merges import models as merges
from regulars.domain.messaging import models as messaging
from regulars.domain.operators import models as operators
from regulars.domain.programs import models as programs
from regulars.domain.redemptions import models as redemptions
from regulars.domain.sales import models as sales
from regulars.domain.shops import models as shops
from regulars.domain.signup import models as signup
from regulars.domain.staff import models as staff
from regulars.domain.tenants import models as tenants
from regulars.domain.trials import models as trials
from regulars.domain.wallets import models as wallets
from regulars.domain.wording import models as wording
from regulars.kernel.jobs import models as jobs
from regulars.kernel.settings import models as settings

__all__ = [
    "apikeys",
    "audit",
    "cards",
    "domains",
    "households",
    "jobs",
    "ledger",
    "members",
    "merges",
    "messaging",
    "operators",
    "programs",
    "redemptions",
    "sales",
    "settings",
    "shops",
    "signup",
    "staff",
    "tenants",
    "trials",
    "wallets",
    "wording",
]
