"""The shape of a plugin: what it imports, what it says, what its forms and rules do."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from regulars.contracts.ledger import Enrolment, Purchase
from regulars.domain.ledger.engine import Ledger
from regulars.domain.staff.permissions import PERMISSIONS
from regulars.kernel.db.database import Database
from regulars.kernel.i18n.formats import money_input
from regulars.kernel.plugins.quality import RULES, unknown_permissions
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import describe_form, parse_form
from regulars.kernel.settings.forms import FormField
from regulars.testing.contexts import card_info
from regulars.testing.world import World

WORLDLY = ("open", "socket.", "subprocess.", "os.system", "sqlite3.")
"""Audit events (PEP 578) that a rule must not cause."""
_watching: list[list[str]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event.startswith(WORLDLY):
        _watching[-1].append(event)


sys.addaudithook(_note)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Collect what a block of code does to the world: files, sockets, processes."""
    seen: list[str] = []
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)


class Shape:
    """Tests of what a plugin is, most of them without a database."""

    plugin: ClassVar[str]

    def test_it_has_the_quality_of_its_kind(self, registry: PluginRegistry) -> None:
        """What `regulars plugin check` says: imports, texts, languages, titles, migrations, permissions."""
        plugin = registry.plugin(self.plugin)
        found = {rule: list(against(plugin)) for rule, against in RULES.items()}
        assert found == {rule: [] for rule in RULES}
        assert unknown_permissions(registry, plugin, PERMISSIONS) == []

    def test_its_settings_form_gives_back_what_it_shows(self, registry: PluginRegistry) -> None:
        """The form of the defaults, sent unchanged, changes nothing."""
        model = registry.plugin(self.plugin).settings_model
        if model is None:
            return
        found = parse_form(model(), sent_by(tuple(describe_form(model()).fields())))
        assert (found.errors, found.settings) == ({}, model())

    async def test_its_rules_do_no_io_and_say_the_same_twice(
        self, registry: PluginRegistry, database: Database, ledger: Ledger, cafe: World
    ) -> None:
        """`check_earn` and `earn` on the facts of a real card: pure functions of what they are given."""
        async with database.tenant(cafe.tenant.id) as session:
            card = card_info(id=cafe.card.id, member_id=cafe.card.member_id, program_id=cafe.program_id)
            opened = await ledger.look(session, cafe.context(), card)
        for name in ("check_earn", "earn"):
            for hook in registry.hooks.ledger(name, frozenset({self.plugin})):
                for occasion in (Purchase(), Purchase(quantity=2, amount_minor=2500, currency="EUR"), Enrolment()):
                    given = (opened.ledger_context(self.plugin), occasion, opened.plugin_facts(self.plugin))
                    with watched() as seen:
                        first, second = _listed(hook.call(*given)), _listed(hook.call(*given))
                    assert (first, seen) == (second, [])


def sent_by(fields: Sequence[FormField]) -> dict[str, str]:
    """What a browser sends of a form that nobody has touched."""
    sent: dict[str, str] = {}
    for field in fields:
        if field.kind == "checkbox":
            sent |= {field.name: "1"} if field.value else {}
        elif field.kind == "i18n":
            sent |= {f"{field.name}.{locale}": text for locale, text in field.value.items()}
        elif field.kind == "money":
            sent[field.name] = money_input(field.value, "EUR")
        elif field.kind != "list":
            sent[field.name] = str(field.value)
    return sent


def _listed(answer: Any) -> Any:
    return list(answer) if isinstance(answer, Sequence) else answer
