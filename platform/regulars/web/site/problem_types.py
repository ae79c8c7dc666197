"""Every problem type there is, with what it means: errors from their classes, refusals of the till from the list below.

The code of a plugin's refusal begins with the plugin's name; its sentence is in the problem itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from regulars.contracts.errors import ConfigurationError, RegularsError
from regulars.kernel.i18n import N_
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.registry import PluginRegistry


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem.

    Attributes:
        status: HTTP status, 0 where each refusal has its own.
        title: what happened.
        meaning: why, and what to do.
        plugin: title of the extension whose it is, empty for the platform's own.
    """

    code: str
    status: int
    title: str
    meaning: str
    plugin: str = ""


REFUSALS = (
    (
        "card.inactive",
        409,
        N_("The card is not active."),
        N_("It was blocked or closed. A manager can unblock it."),
    ),
    ("program.inactive", 409, N_("The program is not active."), N_("It is being set up, or it was closed.")),
    (
        "pin.wrong",
        403,
        N_("The PIN is not right."),
        N_("The member attempts_left says how many more tries there are before it locks."),
    ),
    (
        "pin.locked",
        403,
        N_("The PIN is locked."),
        N_("Too many wrong tries. It opens at retry_at, or when a manager unlocks it. Other people's PINs work."),
    ),
    (
        "sale.already_counted",
        409,
        N_("The sale was counted before."),
        N_("A sale with this external reference is recorded; it counts once for ever."),
    ),
    (
        "reward.not_ready",
        409,
        N_("The reward is not ready yet."),
        N_("The balance is lower than what the reward costs; the member missing says by how much."),
    ),
    (
        "undo.nothing",
        409,
        N_("There is nothing to undo."),
        N_("The card has no action that is not undone."),
    ),
    (
        "undo.not_yours",
        403,
        N_("Somebody else did it."),
        N_("Only whoever recorded the last action can undo it."),
    ),
    ("undo.too_late", 409, N_("It is too late."), N_("An action can be undone for a few minutes only.")),
    (
        "undo.already_spent",
        409,
        N_("It was spent in the meantime."),
        N_("What the action gave is not on the card any more, so it cannot be taken back."),
    ),
)
"""(code, status, title, meaning) of what the till itself refuses; a refusal is stored and replayed like a success."""


def problem_types() -> Sequence[ProblemType]:
    """All problem types but those of plugins: errors by status, then the refusals of the till."""
    errors = {error.code: _of_error(error) for error in _errors(RegularsError)}
    refusals = [ProblemType(code, status, _(title), _(meaning)) for code, status, title, meaning in REFUSALS]
    return [*sorted(errors.values(), key=lambda one: (one.status, one.code)), *refusals]


def problem_type(registry: PluginRegistry, code: str) -> ProblemType | None:
    """One problem type.

    Args:
        registry: for the plugins' own.
        code: last part of its address.
    """
    known = {one.code: one for one in problem_types()}
    if code in known:
        return known[code]
    plugin, separator, rest = code.partition(".")
    if not separator or not rest or plugin not in registry.names:
        return None
    title = _(registry.plugin(plugin).manifest.title)
    return ProblemType(
        code,
        0,
        _("%(plugin)s refused it.", plugin=title),
        _(
            "This refusal comes from the extension “%(plugin)s”. The member detail says why, and retry_at when it is"
            " possible again, if time heals it. It is stored and replayed like a success.",
            plugin=title,
        ),
        title,
    )


def _errors(kind: type[RegularsError]) -> Iterator[type[RegularsError]]:
    """All errors that visitors and callers can meet; faults of the installation are not among them."""
    if issubclass(kind, ConfigurationError):
        return
    yield kind
    for child in kind.__subclasses__():
        yield from _errors(child)


def _of_error(error: type[RegularsError]) -> ProblemType:
    text = inspect.cleandoc(error.__doc__ or "").split("\n\n", 1)[0].replace("\n", " ")
    return ProblemType(error.code, error.status, _(error.title), text)
