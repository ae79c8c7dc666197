"""A card under its lock: what was read, what may be done, and the one statement that writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeGuard
from uuid import UUID

from pydantic import ValidationError

from regulars.contracts.context import AccountState, CardInfo, Context
from regulars.contracts.errors import PluginFault
from regulars.contracts.events import EntryPosted, Event, PinLocked
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import (
    Benefit,
    CardMerge,
    Clearance,
    LedgerContext,
    Occasion,
    Outcome,
    PostedEntry,
    Proposal,
    Refusal,
    RewardOffer,
)
from regulars.contracts.providers import UnitLife, UnitProvider
from regulars.domain.ledger.commands import Answer, Attempt
from regulars.domain.ledger.drafts import added_up, pending_row
from regulars.domain.ledger.fellows import Fellow, shared
from regulars.domain.ledger.lots import OpenLot
from regulars.domain.ledger.posting import Posting
from regulars.domain.ledger.problems import problem
from regulars.domain.ledger.rules import Rules
from regulars.domain.staff.pins import PinLocked as PinIsLocked
from regulars.domain.staff.pins import PinMissing, PinOk, PinState, PinVerdict, PinWrong
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.observability.metrics import LEDGER
from regulars.kernel.plugins.dispatch import (
    Arguments,
    adjust_proposals,
    cap_proposals,
    collect_drafts,
    collect_outcomes,
    first_refusal,
)
from regulars.kernel.plugins.parts import LoadedPlugin
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.plugins.units import NO_SETTINGS, ProgramUnit


@dataclass(frozen=True, slots=True)
class LockedStaff:
    """The staff row under its lock."""

    id: UUID
    name: str
    pin: PinState
    pin_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What the audit log says was done to what."""

    action: str
    kind: str
    id: UUID


@dataclass(slots=True)
class OpenCard:
    """A card transaction between reading and writing.

    Attributes:
        facts: label → value of the plugins' facts.
        lots: open lots, where they are read.
        fellows: the other cards of the household.
        read: what else this kind of transaction reads, see `extra_statements`.
        pause: of a paused program: `until`, perhaps nothing, and whether it `redeems`.
        occurred_at: when it happened, `None` for now.
        continues: no second scan of anything, see `LedgerContext.continues`.
        sale_id: the sale that is posted or taken back, from `posting` on.
        explains: whether anybody will read why the rules give what they give.
        contended: plugin statements that may find that somebody else took the last of something.
        rows: table part or plugin statement → rows to write.
    """

    session: TenantSession
    ctx: Context
    registry: PluginRegistry
    attempt: Attempt | None
    card: CardInfo
    rules: Rules
    staff: LockedStaff | None
    now: datetime
    day_start: datetime
    accounts: dict[str, AccountState]
    facts: Mapping[str, Any]
    lots: Sequence[OpenLot] = ()
    fellows: Sequence[Fellow] = ()
    read: Mapping[str, Any] = field(default_factory=dict)
    program_status: str = "active"
    pause: Mapping[str, Any] | None = None
    occurred_at: datetime | None = None
    continues: bool = False
    sale_id: UUID | None = None
    explains: bool = True
    contended: set[str] = field(default_factory=set)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _segments: frozenset[str] | None = None

    @property
    def shop_id(self) -> UUID | None:
        """The shop of this transaction."""
        given = self.attempt.shop_id if self.attempt else None
        return self.ctx.principal.shop_id or given

    @property
    def staff_id(self) -> UUID | None:
        """The staff member who acts: the one whose PIN was good, else a signed-in one."""
        if self.staff is not None:
            return self.staff.id
        return self.ctx.principal.id if self.ctx.principal.kind == "staff" else None

    @property
    def enabled(self) -> frozenset[str]:
        """The plugins that have a say on this card: those in force, without other kinds of programs' units."""
        return self.ctx.tenant.enabled - self.rules.idle

    def add(self, part: str, *rows: Mapping[str, Any]) -> None:
        """Add rows for a part; tenant and card are filled in."""
        owner = {"tenant_id": self.session.tenant_id, "card_id": self.card.id}
        self.rows.setdefault(part, []).extend({**row, **owner} for row in rows)

    def ledger_context(self, plugin: str, accounts: Mapping[str, AccountState] | None = None) -> LedgerContext:
        """What a plugin's ledger hooks and providers may look at.

        Args:
            plugin: whose settings to show.
            accounts: other states than those before the transaction.
        """
        return self._context(plugin, self.accounts if accounts is None else accounts, self.segments)

    @property
    def segments(self) -> frozenset[str]:
        """Keys of the groups of customers that the member belongs to, as the enabled plugins say.

        Raises:
            PluginFault: a provider failed.
        """
        if self._segments is None:
            self._segments = frozenset(self._find_segments())
        return self._segments

    def forget_segments(self) -> None:
        """Ask for the groups again when they are next wanted: the card is another one now."""
        self._segments = None

    def _find_segments(self) -> Iterator[str]:
        for plugin, provider in self.registry.segment_providers:
            if plugin in self.ctx.tenant.enabled:
                context = self._context(plugin, self.accounts, frozenset())
                try:
                    yield from provider.segments(context, self.plugin_facts(plugin))
                except Exception as error:  # whatever a plugin raises is its fault, as in a hook
                    raise PluginFault(plugin, f"{type(error).__name__} in segments") from error

    def _context(self, plugin: str, accounts: Mapping[str, AccountState], segments: frozenset[str]) -> LedgerContext:
        return LedgerContext(
            tenant=self.ctx.tenant,
            program=self.rules.program,
            card=self.card,
            now=self.now,
            day_start=self.day_start,
            accounts=accounts,
            settings=self.rules.settings.get(plugin, NO_SETTINGS),
            shop_id=self.shop_id,
            staff_id=self.staff_id,
            occurred_at=self.occurred_at,
            segments=segments,
            sale_id=self.sale_id,
            continues=self.continues,
            explains=self.explains,
        )

    def plugin_facts(self, plugin: str) -> dict[str, Any]:
        """A plugin's own facts by name; without those about a sale that is taken back where none is."""
        facts = self.facts
        return {name: facts[label] for name, label in _labels(self.registry.plugin(plugin)) if label in facts}

    def shared(self, accounts: Mapping[str, AccountState] | None = None) -> Mapping[str, AccountState]:
        """What can be spent with this card: its accounts, with what the rest of its household has.

        Args:
            accounts: other states of the card itself than those before the transaction.
        """
        return shared(self.accounts if accounts is None else accounts, self.fellows)

    def check_earn(self, occasion: Occasion) -> Refusal | Clearance:
        """Ask every enabled plugin whether this may be recorded."""
        hooks = self.registry.hooks.ledger("check_earn", self.enabled)
        return first_refusal(hooks, lambda plugin: (self.ledger_context(plugin), occasion, self.plugin_facts(plugin)))

    def check_redemption(self, offer: RewardOffer) -> Refusal | Clearance:
        """Ask every enabled plugin whether this reward may be had."""
        hooks = self.registry.hooks.ledger("check_redemption", self.enabled)
        return first_refusal(hooks, lambda plugin: (self.ledger_context(plugin), offer, self.plugin_facts(plugin)))

    def evaluate(self, occasion: Occasion, views: Views | None = None) -> tuple[Proposal, ...]:
        """What an occasion gives under the rules: drafts of all plugins, then multipliers and bonuses, then limits.

        Pure: the same card, facts and settings always give the same.

        Args:
            occasion: what happened.
            views: of this card as it is, where somebody has made them already.

        Raises:
            PluginFault: a plugin's hook failed.
        """
        hooks, enabled, owner = self.registry.hooks, self.enabled, self.registry.unit_providers.owner
        shown = Views(self) if views is None else views

        def own(plugin: str) -> tuple[Any, ...]:
            context, facts = shown[plugin]
            return context, occasion, facts

        def arguments(plugin: str, so_far: tuple[Proposal, ...]) -> tuple[Any, ...]:
            context, facts = shown[plugin]
            return context, occasion, so_far, facts

        drafts = collect_drafts(hooks.ledger("earn", enabled), own, owner)
        adjusted = adjust_proposals(hooks.ledger("adjust_earn", enabled), arguments, drafts, owner, enabled)
        return cap_proposals(hooks.ledger("cap_earn", enabled), arguments, adjusted)

    def earn(self, posting: Posting, proposals: Iterable[Proposal], *, reason: str = "") -> None:
        """Post what can be spent at once, and put aside what is pending.

        Args:
            posting: of this transaction.
            proposals: as `evaluate` gave them; those of nothing are left out.
            reason: a word for why, where the rules alone do not say it.
        """
        for proposal in proposals:
            draft = proposal.draft
            if draft.amount == 0:
                continue
            owner, provider = self.registry.unit_providers[draft.unit]
            if has_life(provider):
                context = self.ledger_context(owner)
                draft = replace(
                    draft,
                    expires_at=draft.expires_at or provider.expires_at(context),
                    pending_until=draft.pending_until or provider.pending_until(context),
                )
            if draft.pending_until is not None and draft.pending_until > self.now:
                self.add("pending", pending_row(draft, proposal.plugin, posting.origin))
            else:
                posting.earn(draft, proposal.plugin, reason=reason)

    def units(self) -> list[ProgramUnit]:
        """The units that the card's program has, in loading order."""
        return list(self.registry.unit_providers.of_program(self.rules.settings, self.enabled))

    def lacks(self, unit: str) -> bool:
        """Whether a unit is a member of a family that the program does not have, nor this card from earlier."""
        is_declared = unit in set(self.registry.unit_providers)
        return not is_declared and unit not in self.accounts and unit not in {one.unit for one in self.units()}

    def floor(self, unit: str) -> int:
        """The lowest balance of a unit that a refund may leave: 0, or below where its provider allows a debt."""
        owner, provider = self.registry.unit_providers[unit]
        return min(0, provider.floor(self.ledger_context(owner).settings)) if has_life(provider) else 0

    def standing(self, *, redeeming: bool = False) -> Refusal | None:
        """The first two checks: is the card active, is the program active?

        Args:
            redeeming: units are spent, which a pause may allow.
        """
        if self.card.status != "active":
            return Refusal("card.inactive", N_("This card is not active. Please ask the team."))
        if self.pause is not None:
            return None if redeeming and self.pause["redeems"] else _paused(self.pause["until"])
        if self.program_status != "active":
            return Refusal("program.inactive", N_("This loyalty program is not active at the moment."))
        return None

    def apply_pin(self, verdict: PinVerdict) -> Refusal | None:
        """The third check: store what the PIN verdict asks for and say why not, if not."""
        if isinstance(verdict, PinOk):
            self._change_staff(0, None, self.now)
            return None
        if isinstance(verdict, PinWrong):
            self._change_staff(verdict.failures, verdict.locks_until, self._pin_used_at)
            if verdict.locks_until is not None:
                self._announce_lock(verdict.locks_until)
                return _locked(verdict.locks_until)
            return Refusal(
                "pin.wrong",
                N_("This PIN is not right. Attempts left: {attempts_left}."),
                {"attempts_left": verdict.attempts_left},
                status=403,
            )
        if isinstance(verdict, PinIsLocked):
            return _locked(verdict.until)
        assert isinstance(verdict, PinMissing)
        return Refusal("pin.wrong", N_("This PIN is not right."), status=403)

    def posting(self, occasion: str, **origin: Any) -> Posting:
        """A posting on this card's accounts.

        Args:
            occasion: purchase, enrolment, redemption or undo.
            origin: `sale_id` or `redemption_id`.
        """
        shared = {
            "sale_id": None,
            "redemption_id": None,
            "occasion": occasion,
            "shop_id": self.shop_id,
            "staff_id": self.staff_id,
            "source": self.ctx.source,
            "device": self.ctx.device,
            "created_at": self._entry_time(),
            **origin,
        }
        self.sale_id = shared["sale_id"]
        return Posting(dict(self.accounts), shared)

    def add_posting(self, posting: Posting, *, is_activity: bool = True) -> None:
        """Add a posting's rows and an event for each of its entries.

        Args:
            posting: of this transaction.
            is_activity: whether the member was here; nobody was when the clock did it.
        """
        self.add("entry", *posting.entry_rows)
        self.add("lot", *posting.lot_rows)
        self.add("lot_use", *posting.lot_use_rows)
        self.add("lot_change", *posting.lot_change_rows)
        self.add("account", *posting.account_rows())
        if is_activity:
            self.add("activity", {"id": self.card.member_id, "last_activity_at": self.now})
        for row in posting.entry_rows:
            names = ("unit", "seq", "kind", "amount", "balance_after")
            event = EntryPosted(entry_id=row["id"], card_id=self.card.id, **{name: row[name] for name in names})
            self.add_event(event, entry_id=row["id"])

    def add_event(self, event: Event, *, entry_id: UUID | None = None) -> None:
        """Add an event of the host to the outbox."""
        self._event(event.name, event.version, event.model_dump(mode="json"), entry_id)

    def add_outcomes(self, hook: str, *arguments: Any) -> None:
        """Ask the enabled plugins what they write with this unit of work, and add it."""
        self._add_outcomes(hook, lambda name: (self.ledger_context(name), *arguments, self.plugin_facts(name)))

    def add_merge_outcomes(self, other: OpenCard, *, is_undone: bool) -> None:
        """Ask the enabled plugins what they write when another card is merged into this one, or no longer is."""

        def arguments(name: str) -> tuple[Any, ...]:
            merge = CardMerge(other.ledger_context(name), other.plugin_facts(name), is_undone)
            return self.ledger_context(name), merge, self.plugin_facts(name)

        self._add_outcomes("member_merged", arguments)

    def add_sale_outcomes(
        self, occasion: Occasion, entries: Sequence[PostedEntry], proposals: Sequence[Proposal]
    ) -> list[tuple[str, Benefit]]:
        """Ask what the plugins write with a sale or an enrolment, and add it.

        Returns:
            `(plugin, benefit)`: what the till takes off or hands over.
        """
        outcomes = self._add_outcomes(
            "sale_posted",
            lambda name: (self.ledger_context(name), occasion, entries, self.plugin_facts(name), proposals),
        )
        return [(plugin, benefit) for plugin, outcome in outcomes for benefit in outcome.benefits]

    def add_audit(self, subject: Subject, *, outcome: str, details: Mapping[str, Any]) -> None:
        """Add the audit row."""
        actor = self.ctx.principal
        self.add(
            "audit",
            {
                "id": new_id(),
                "actor_kind": "staff" if self.staff else actor.kind,
                "actor_id": self.staff.id if self.staff else actor.id,
                "actor_name": self.staff.name if self.staff else actor.name,
                "action": subject.action,
                "outcome": outcome,
                "subject_kind": subject.kind,
                "subject_id": subject.id,
                "details": dict(details),
                "ip": self.ctx.ip,
                "device": self.ctx.device,
                "request_id": self.ctx.request_id,
                "created_at": self.now,
            },
        )

    def refusal_answer(self, refusal: Refusal, action: str) -> Answer:
        """Turn a refusal into an answer whose traces (audit, counters, stored answer) will be written."""
        self.rows = {part: rows for part, rows in self.rows.items() if part in {"staff", "event"}}
        details = {"code": refusal.code, **({"retry_at": refusal.retry_at} if refusal.retry_at else {})}
        self.add_audit(Subject(action, "card", self.card.id), outcome="refused", details=details)
        self.session.count_later(LEDGER.labels(action, refusal.code).inc)
        return Answer(refusal.status, problem(refusal, self.rules.program.timezone, self.now), refused=True)

    def store(self, answer: Answer, *, sale_id: UUID | None = None, redemption_id: UUID | None = None) -> None:
        """Add the answer under the claimed key."""
        if self.attempt is None:
            return
        claim = self.attempt.claim
        self.add(
            "idempotency",
            {
                "principal": claim.principal,
                "key": claim.key,
                "request_hash": claim.request_hash,
                "status": answer.status,
                "body": answer.body,
                "sale_id": sale_id,
                "redemption_id": redemption_id,
                "created_at": self.now,
            },
        )

    def _add_outcomes(self, hook: str, arguments: Arguments) -> list[tuple[str, Outcome]]:
        outcomes = collect_outcomes(self.registry.hooks.ledger(hook, self.enabled), arguments)
        for plugin, outcome in outcomes:
            self._add_outcome(plugin, outcome)
        return outcomes

    def _entry_time(self) -> datetime:
        """The database's time, never before the card's last entry: whoever waited for the lock began earlier."""
        return max([self.now, *(a.last_at for a in self.accounts.values() if a.last_at is not None)])

    def _change_staff(self, failures: int, locked_until: datetime | None, used_at: datetime | None) -> None:
        assert self.staff is not None
        self.add(
            "staff",
            {
                "id": self.staff.id,
                "pin_failures": failures,
                "pin_locked_until": locked_until,
                "pin_used_at": used_at,
            },
        )

    @property
    def _pin_used_at(self) -> datetime | None:
        return self.staff.pin_used_at if self.staff else None

    def _announce_lock(self, until: datetime) -> None:
        assert self.staff is not None
        self.add_event(PinLocked(staff_id=self.staff.id, locked_until=until))

    def _event(self, name: str, version: int, payload: Mapping[str, Any], entry_id: UUID | None) -> None:
        self.add(
            "event",
            {
                "id": new_id(),
                "name": name,
                "version": version,
                "order_key": self.card.id,
                "entry_id": entry_id,
                "payload": dict(payload),
                "created_at": self.now,
            },
        )

    def _add_outcome(self, plugin: str, outcome: Outcome) -> None:
        for write in outcome.writes:
            declared = self.registry.writes.get((plugin, write.name))
            if declared is None:
                raise PluginFault(plugin, f"it has no write statement {write.name!r}")
            self.add(declared.bind, *write.rows)
            self.rows[declared.bind] = added_up(self.rows[declared.bind], declared.adds)
            if write.contended:
                self.contended.add(declared.bind)
        for draft in outcome.events:
            declared_event = self.registry.events.get(f"{plugin}.{draft.name}")
            if declared_event is None:
                raise PluginFault(plugin, f"it declares no event {draft.name!r}")
            try:
                payload = declared_event.payload.model_validate(dict(draft.payload)).model_dump(mode="json")
            except ValidationError as error:
                raise PluginFault(plugin, f"the payload of {draft.name!r} does not fit its model") from error
            self._event(declared_event.name, declared_event.declared.version, payload, None)


class Views(dict[str, tuple[LedgerContext, dict[str, Any]]]):
    """Plugin → its context and facts, made when it is first asked: the same for all its hooks while nothing changes.

    Args:
        opened: the card.
    """

    def __init__(self, opened: OpenCard) -> None:
        super().__init__()
        self._opened = opened

    def __missing__(self, plugin: str) -> tuple[LedgerContext, dict[str, Any]]:
        view = self[plugin] = self._opened.ledger_context(plugin), self._opened.plugin_facts(plugin)
        return view


def has_life(provider: UnitProvider) -> TypeGuard[UnitLife]:
    """Whether a unit waits, expires or may be owed."""
    return _kind_has_life(type(provider))


@lru_cache(maxsize=256)
def _kind_has_life(kind: type) -> bool:
    return issubclass(kind, UnitLife)  # asks for every method by its name, each time


@lru_cache(maxsize=256)
def _labels(plugin: LoadedPlugin) -> tuple[tuple[str, str], ...]:
    """The plugin's facts: names, and labels in the statement that reads them."""
    return tuple((fact.name, f"{plugin.name}_{fact.name}") for fact in plugin.facts)


def _paused(until: str | None) -> Refusal:
    if until is None:
        return Refusal("program.paused", N_("This program is paused. What is on the card stays on it."))
    moment = datetime.fromisoformat(until)
    message = N_("This program is paused until {time}. What is on the card stays on it.")
    return Refusal("program.paused", message, {"time": moment}, retry_at=moment)


def _locked(until: datetime) -> Refusal:
    return Refusal(
        "pin.locked",
        N_("This PIN is locked until {time}. A manager can unlock it."),
        {"time": until},
        status=403,
        retry_at=until,
    )
