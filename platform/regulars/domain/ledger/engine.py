"""Opening and writing a card transaction: the four statements between BEGIN and COMMIT."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from asyncpg import IntegrityConstraintViolationError
from pydantic import BaseModel

from regulars.contracts.context import AccountState, CardInfo, Context
from regulars.contracts.errors import (
    Conflict,
    IdempotencyInProgress,
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    PluginFault,
    Raced,
    RegularsError,
)
from regulars.contracts.ledger import Refusal
from regulars.domain.ledger.blame import BrokenFacts
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.extra_statements import READ_NAMES, Extra
from regulars.domain.ledger.fellows import fellow
from regulars.domain.ledger.lots import open_lot
from regulars.domain.ledger.opened import LockedStaff, OpenCard
from regulars.domain.ledger.operations import ACTION_OF, ACTION_READING, PARTS_OF, Operation
from regulars.domain.ledger.read_statements import (
    STORED_ANSWER,
    facts_statement,
    leads_to_statement,
    lock_statement,
)
from regulars.domain.ledger.rules import Rules, RuleSource
from regulars.domain.ledger.topics import ACTIVITY, card_topic, shop_topic
from regulars.domain.ledger.write_statements import PARTS, write_statement
from regulars.domain.staff.pins import PinPolicy, PinState, check_pin, pin_hash
from regulars.kernel.db.base import PLUGIN_SCHEMA_PREFIX
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.outages import DRIVER_ERRORS, is_outage
from regulars.kernel.db.prepared import Prepared
from regulars.kernel.i18n import gettext as _
from regulars.kernel.observability.metrics import LEDGER
from regulars.kernel.plugins.registry import PluginRegistry

NOBODY = UUID(int=0)
NO_CLAIM = Claim(principal="", key="", request_hash=b"")


class Ledger:
    """The engine of every card transaction.

    Args:
        registry: the plugins of this process.
        rules: cached rules of programs.
        pin_policy: when a PIN locks.
        pepper: key of the PIN hashes.
    """

    def __init__(self, registry: PluginRegistry, rules: RuleSource, pin_policy: PinPolicy, pepper: bytes) -> None:
        self.registry = registry
        self.rules = rules
        self._pin_policy = pin_policy
        self._pepper = pepper

    async def open(
        self, session: TenantSession, ctx: Context, attempt: Attempt, *, extra: Extra, values: Mapping[str, Any]
    ) -> OpenCard | Answer:
        """Claim the key, lock card and PIN row, read what decides.

        Args:
            attempt: key, card, PIN. A card that was merged into another one stands for that one.
            extra: what this kind of transaction reads besides.
            values: further bind parameters of the facts statement.

        Returns:
            The open card, or the stored answer when the key was used for the same request before.

        Raises:
            IdempotencyInProgress: another request holds the key.
            IdempotencyMismatch: the key was used for another request.
            NotFound: the tenant has no such card, or the short number fits several.
        """
        rows = await self._lock(session, attempt)
        if len(rows) > 1 or rows[0]["card_id"] is None:
            return await self._without_card(session, attempt.claim, several=len(rows) > 1)
        row = rows[0]
        card = _card(row)
        rules = await self.rules.rules(session, ctx.tenant, card.program_id)
        facts = await self._read(session, ctx, card, rules, attempt.claim, extra, values)
        if facts["stored"] is not None:
            session.count_later(LEDGER.labels(ACTION_READING.get(extra, "points.adjust"), "replayed").inc)
            return _replay(facts["stored"], attempt.claim)
        proven = attempt.pin is not None  # by `check_pin`; a mere name is not taken for the person
        return self._opened(session, ctx, attempt, card, rules, _staff(row) if proven else None, facts)

    async def open_new(self, session: TenantSession, ctx: Context, card: CardInfo) -> OpenCard:
        """Open a card that this transaction has just made: nothing to claim, nobody else to lock out."""
        rules = await self.rules.rules(session, ctx.tenant, card.program_id)
        facts = await self._read(session, ctx, card, rules, NO_CLAIM, "", {})
        return self._opened(session, ctx, None, card, rules, None, facts)

    async def look(
        self,
        session: TenantSession,
        ctx: Context,
        card: CardInfo,
        draft: Mapping[str, BaseModel] = MappingProxyType({}),
    ) -> OpenCard:
        """Read a card as a transaction would, without lock or key: for views and dry runs.

        Args:
            session: the transaction, may be read-only.
            ctx: of the request.
            card: any card, also one that nobody has.
            draft: plugin → settings that are not saved, to go by instead of those in force.
        """
        rules = await self.rules.rules(session, ctx.tenant, card.program_id)
        rules = replace(rules, settings={**rules.settings, **draft}) if draft else rules
        facts = await self._read(session, ctx, card, rules, NO_CLAIM, "last", {})
        return self._opened(session, ctx, None, card, rules, None, facts)

    def check_pin(self, opened: OpenCard) -> Refusal | None:
        """The third check; the hash is computed whoever was named, so that all answers cost the same.

        Raises:
            InvalidInput: the program wants a PIN and none was sent.
        """
        attempt = opened.attempt
        assert attempt is not None
        if not opened.rules.require_pin and attempt.pin is None:
            return None
        missing = {
            name: _("Say who you are and enter the PIN.")
            for name, value in (("staff", attempt.staff_id), ("pin", attempt.pin))
            if value is None
        }
        if missing or attempt.staff_id is None or attempt.pin is None:
            raise InvalidInput(_("This program needs a staff PIN."), fields=missing)
        presented = pin_hash(self._pepper, opened.session.tenant_id, attempt.staff_id, attempt.pin)
        state = opened.staff.pin if opened.staff else None
        return opened.apply_pin(check_pin(state, presented, opened.now, self._pin_policy))

    async def write(self, opened: OpenCard, operation: Operation) -> None:
        """Run the one write statement, check that every part wrote what it should, and announce what has changed.

        Raises:
            PluginFault: a plugin's statement cannot be run, or wrote another number of rows than its `Write` had.
        Raced: a contended statement found that others took the last of something; all is to be decided again.
            Conflict: another transaction got there first; nothing is written.
        """
        statement = _writes(self.registry, operation, opened.ctx.tenant.enabled)
        parameters = {name: opened.rows.get(name, []) for name in statement.names}
        unknown = opened.rows.keys() - parameters.keys()
        if any(opened.rows[name] for name in unknown):
            raise RuntimeError(f"rows for {sorted(unknown)} do not belong to {operation}")
        try:
            (counts,) = await opened.session.run(statement, parameters)
        except DRIVER_ERRORS as error:
            if is_outage(error):
                raise
            raise self._why(error, opened) from error
        for name, rows in parameters.items():
            if counts[name] != len(rows):
                self._report_count(opened, name, counts[name], len(rows))
        if operation != "refuse":
            opened.session.announce(*_topics(opened))
            opened.session.count_later(LEDGER.labels(ACTION_OF[operation], "done").inc)

    def _why(self, error: Exception, opened: OpenCard) -> Exception:
        """The designed error for rows that the database refused, of a plugin or of the host."""
        schema = getattr(error, "schema_name", None) or ""
        writers = [write.plugin for write in self.registry.writes.values() if opened.rows.get(write.bind)]
        if schema.startswith(PLUGIN_SCHEMA_PREFIX):
            plugin = schema.removeprefix(PLUGIN_SCHEMA_PREFIX)
            return PluginFault(plugin, f"its rows were refused: {type(error).__name__}")
        if isinstance(error, IntegrityConstraintViolationError):
            return _why(error)
        if writers:  # a value that does not fit its column: the database does not say in which statement
            return PluginFault(writers[-1], f"its rows cannot be written: {type(error).__name__}")
        return error

    def _report_count(self, opened: OpenCard, name: str, written: int, expected: int) -> None:
        if name in opened.contended:
            raise Raced(_("Somebody else was faster. Please try again."))
        if name not in PARTS:
            plugin = next(write.plugin for write in self.registry.writes.values() if write.bind == name)
            raise PluginFault(plugin, f"{name} wrote {written} rows instead of {expected}")
        raise Conflict(_("Another request changed this card at the same moment. Please try again."))

    async def _lock(self, session: TenantSession, attempt: Attempt) -> Sequence[Mapping[str, Any]]:
        parameters = {
            "tenant_id": session.tenant_id,
            "claim": attempt.claim.lock_number(session.tenant_id),
            "card": attempt.card.value,
            "staff_id": attempt.staff_id or NOBODY,
        }
        rows = await session.run(lock_statement(attempt.card.by), parameters)
        if not rows[0]["got"]:
            raise IdempotencyInProgress(extra={"retry_after": 1})
        if rows[0]["card_id"] is None:
            named = {"tenant_id": session.tenant_id, "card": attempt.card.value}
            found = await session.run(leads_to_statement(attempt.card.by), named)
            if len(found) == 1:
                return await self._lock(session, replace(attempt, card=CardRef("id", found[0]["merged_into"])))
        return rows

    @staticmethod
    async def _without_card(session: TenantSession, claim: Claim, *, several: bool) -> Answer:
        """The answer that the key has already, whatever the card's name means by now."""
        parameters = {"tenant_id": session.tenant_id, "principal": claim.principal, "key": claim.key}
        (row,) = await session.run(STORED_ANSWER, parameters)
        if row["stored"] is not None:
            return _replay(row["stored"], claim)
        if several:
            raise NotFound(_("Several cards begin with these digits. Please enter the whole number."))
        raise NotFound(_("There is no card with this number here."))

    async def _read(
        self,
        session: TenantSession,
        ctx: Context,
        card: CardInfo,
        rules: Rules,
        claim: Claim,
        extra: Extra,
        values: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        parameters = {
            "tenant_id": session.tenant_id,
            "card_id": card.id,
            "member_id": card.member_id,
            "program_id": card.program_id,
            "household_id": card.household_id,
            "time_zone": rules.program.timezone,
            "principal": claim.principal,
            "key": claim.key,
            **values,
            **self._fact_values(ctx, rules),
        }
        shares = rules.has_households and card.household_id is not None
        statement = _facts(self.registry, ctx.tenant.enabled, extra, card.has_merged, shares)
        try:
            (facts,) = await session.run(statement, parameters)
        except DRIVER_ERRORS as error:
            if is_outage(error):
                raise
            raise BrokenFacts(session.tenant_id, ctx.tenant.enabled, parameters) from error
        return dict(facts)

    def _fact_values(self, ctx: Context, rules: Rules) -> dict[str, Any]:
        """Parameters of facts that depend on settings."""
        found: dict[str, Any] = {}
        for plugin in self.registry.plugins:
            if plugin.name in ctx.tenant.enabled:
                for fact in plugin.facts:
                    if fact.values is not None:
                        found |= fact.values(rules.settings[plugin.name])
        return found

    def _opened(
        self,
        session: TenantSession,
        ctx: Context,
        attempt: Attempt | None,
        card: CardInfo,
        rules: Rules,
        staff: LockedStaff | None,
        facts: Mapping[str, Any],
    ) -> OpenCard:
        program = facts["program"] or {"status": "inactive"}
        return OpenCard(
            session=session,
            ctx=ctx,
            registry=self.registry,
            attempt=attempt,
            card=card,
            rules=rules,
            staff=staff,
            now=facts["now"],
            day_start=facts["day_start"],
            accounts={a["unit"]: _account(a) for a in facts["accounts"] or ()},
            facts={name: value for name, value in facts.items() if name not in HOST_FACTS},
            lots=[open_lot(lot) for lot in facts.get("lots") or ()],
            read={name: facts[name] for name in READ_NAMES & facts.keys()},
            fellows=[fellow(value) for value in facts.get("fellows") or ()],
            program_status=program["status"],
            pause=program.get("pause"),
        )


@lru_cache(maxsize=256)
def _facts(
    registry: PluginRegistry, enabled: frozenset[str], extra: Extra, has_merged: bool, has_fellows: bool
) -> Prepared:
    labelled = [
        (f"{plugin.name}_{fact.name}", fact.query)
        for plugin in registry.plugins
        if plugin.name in enabled
        for fact in plugin.facts
    ]
    return facts_statement(labelled, extra, has_merged=has_merged, has_fellows=has_fellows)


@lru_cache(maxsize=1024)
def _writes(registry: PluginRegistry, operation: Operation, enabled: frozenset[str]) -> Prepared:
    plugin_writes = [
        (write.bind, write.statement)
        for write in registry.writes.values()
        if write.plugin in enabled and operation != "refuse"
    ]
    return write_statement(PARTS_OF[operation], plugin_writes)


HOST_FACTS = frozenset({"now", "day_start", "stored", "program", "accounts", "fellows"}) | READ_NAMES


def _topics(opened: OpenCard) -> Iterator[str]:
    yield ACTIVITY
    yield card_topic(opened.card.id)
    yield from (card_topic(fellow.card_id) for fellow in opened.fellows)
    if opened.shop_id is not None:
        yield shop_topic(opened.shop_id)


def _why(error: IntegrityConstraintViolationError) -> RegularsError:
    """The designed error for a row that the database refused."""
    constraint = error.constraint_name
    if constraint is not None and constraint.endswith("_shop_id"):
        sentence = _("There is no such shop here.")
        return InvalidInput(sentence, fields={"shop": sentence})
    return Conflict(_("Another request changed this card at the same moment. Please try again."))


def _replay(stored: Mapping[str, Any], claim: Claim) -> Answer:
    if not hmac.compare_digest(bytes.fromhex(stored["hash"]), claim.request_hash):
        raise IdempotencyMismatch
    return Answer(stored["status"], stored["body"].encode(), refused=stored["status"] >= 400, replayed=True)


def _card(row: Mapping[str, Any]) -> CardInfo:
    return CardInfo(
        id=row["card_id"],
        number=row["card_number"],
        status=row["card_status"],
        member_id=row["card_member_id"],
        program_id=row["card_program_id"],
        created_at=row["card_created_at"],
        has_merged=row["card_has_merged"],
        household_id=row["card_household_id"],
    )


def _staff(row: Mapping[str, Any]) -> LockedStaff | None:
    if row["staff_id"] is None:
        return None
    state = PinState(
        row["staff_pin_hash"], row["staff_pin_failures"], row["staff_pin_locked_until"], row["staff_status"]
    )
    return LockedStaff(row["staff_id"], row["staff_name"], state, row["staff_pin_used_at"])


def _account(value: Mapping[str, Any]) -> AccountState:
    return AccountState(
        unit=value["unit"],
        balance=value["balance"],
        lifetime=value["lifetime"],
        seq=value["seq"],
        last_at=datetime.fromisoformat(value["last_at"]),
    )
