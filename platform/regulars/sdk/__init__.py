"""The public API for plugins, under semantic versioning: what is importable below `regulars.sdk` is API, nothing else.

This module holds the contracts: manifest, hooks, the ledger's language, slots, errors. `sdk.db` has tables and write
statements, `sdk.migrations` row-level security, `sdk.i18n` languages, `sdk.jobs` background work, `sdk.mail` mail.
Nothing is implemented here; everything is re-exported.
"""

from regulars.contracts.context import (
    AccountState,
    CardInfo,
    Context,
    Principal,
    ProgramInfo,
    TenantSnapshot,
)
from regulars.contracts.errors import Conflict, Forbidden, InvalidInput, NotFound, RegularsError, Unavailable
from regulars.contracts.events import (
    EntryPosted,
    Event,
    MemberEnrolled,
    RedemptionUndone,
    RewardRedeemed,
    SaleRecorded,
    SaleUndone,
)
from regulars.contracts.hookspecs import hookimpl
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import (
    Clearance,
    Enrolment,
    EntryDraft,
    EventDraft,
    Fact,
    LedgerContext,
    Occasion,
    Outcome,
    PostedEntry,
    Purchase,
    Refusal,
    RewardOffer,
    Verdict,
    Write,
    WriteStatement,
)
from regulars.contracts.manifest import (
    BlueprintRef,
    EventType,
    Feature,
    Limit,
    NavEntry,
    Permission,
    Plugin,
    ProviderRef,
    SlotRef,
    Subscription,
)
from regulars.contracts.pages import PageContext
from regulars.contracts.providers import Progress, RewardProvider, UnitProvider, UnitWords
from regulars.contracts.slots import CardSlot, ProgramSlot, Slot, SlotContext

__all__ = [
    "N_",
    "AccountState",
    "BlueprintRef",
    "CardInfo",
    "CardSlot",
    "Clearance",
    "Conflict",
    "Context",
    "Enrolment",
    "EntryDraft",
    "EntryPosted",
    "Event",
    "EventDraft",
    "EventType",
    "Fact",
    "Feature",
    "Forbidden",
    "InvalidInput",
    "LedgerContext",
    "Limit",
    "MemberEnrolled",
    "NavEntry",
    "NotFound",
    "Occasion",
    "Outcome",
    "PageContext",
    "Permission",
    "Plugin",
    "PostedEntry",
    "Principal",
    "ProgramInfo",
    "ProgramSlot",
    "Progress",
    "ProviderRef",
    "Purchase",
    "RedemptionUndone",
    "Refusal",
    "RegularsError",
    "RewardOffer",
    "RewardProvider",
    "RewardRedeemed",
    "SaleRecorded",
    "SaleUndone",
    "Slot",
    "SlotContext",
    "SlotRef",
    "Subscription",
    "TenantSnapshot",
    "Unavailable",
    "UnitProvider",
    "UnitWords",
    "Verdict",
    "Write",
    "WriteStatement",
    "hookimpl",
]
