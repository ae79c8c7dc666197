"""Tables: the plugin's own, write statements for them, and the host's documented ones, which plugins only read."""

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import Account, LedgerEntry, LedgerPending
from regulars.domain.members.models import Consent, Member
from regulars.domain.programs.models import Program
from regulars.domain.redemptions.models import Redemption
from regulars.domain.sales.models import SALE_STANDS, Sale
from regulars.domain.shops.models import Shop
from regulars.kernel.db.base import CORE_NOW, PluginTables, TenantEntity, TenantTable, new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.rows import count_rows, delete_rows, insert_rows, update_rows

__all__ = [
    "CORE_NOW",
    "SALE_STANDS",
    "Account",
    "Card",
    "Consent",
    "LedgerEntry",
    "LedgerPending",
    "Member",
    "PluginTables",
    "Program",
    "Redemption",
    "Sale",
    "Shop",
    "TenantEntity",
    "TenantSession",
    "TenantTable",
    "count_rows",
    "delete_rows",
    "insert_rows",
    "new_id",
    "update_rows",
]
