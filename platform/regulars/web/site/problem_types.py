"""Every problem type there is, with what it means: errors from their classes, refusals of the till from a list.

The code of a plugin's refusal begins with the plugin's name; its sentence is in the problem itself.
"""

from __future__ import annotations

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
    (
        "adjust.decided",
        409,
        N_("This correction was decided already."),
        N_("The state does not allow it, or another request got there first."),
    ),
    (
        "adjust.not_enough",
        409,
        N_("The card does not hold that much."),
        N_("The state does not allow it, or another request got there first."),
    ),
    (
        "transfer.other_program",
        409,
        N_("These cards belong to different programs."),
        N_("The state does not allow it, or another request got there first."),
    ),
    (
        "transfer.one_household",
        409,
        N_("These cards share what is on them already."),
        N_("The cards of a household pay for rewards together; nothing has to be moved."),
    ),
    (
        "refund.undone",
        409,
        N_("This sale was taken back already."),
        N_("The state does not allow it, or another request got there first."),
    ),
    (
        "refund.nothing_left",
        409,
        N_("This sale was refunded already."),
        N_("The state does not allow it, or another request got there first."),
    ),
    (
        "redemption.too_late",
        409,
        N_("This reward was not used in time."),
        N_("The state does not allow it, or another request got there first."),
    ),
    (
        "redemption.too_early",
        409,
        N_("This reward can still be used."),
        N_("The state does not allow it, or another request got there first."),
    ),
    (
        "redemption.not_possible",
        409,
        N_("What is wanted does not follow the state of the reward."),
        N_("The state does not allow it, or another request got there first."),
    ),
    (
        "sale.currency",
        422,
        N_("The amount is in another currency than the program."),
        N_("The state does not allow it, or another request got there first."),
    ),
    (
        "sale.in_future",
        422,
        N_("The purchase lies in the future."),
        N_("The member occurred_at is later than now; check the clock and the offset from UTC."),
    ),
    (
        "sale.too_old",
        422,
        N_("The purchase was made too long ago."),
        N_("The program counts earlier purchases for some days, or not at all; its merchant says for how many."),
    ),
    (
        "receipt.unknown",
        409,
        N_("No open receipt has this number and amount."),
        N_("One of them is wrong, the time is over, or somebody has claimed it: all of these look the same."),
    ),
    (
        "receipt.own_card",
        409,
        N_("Nobody claims a receipt for their own card in the name of the shop."),
        N_("Another person of the team has to do it, or the customer does at the customer's pages."),
    ),
    (
        "sale.unknown_unit",
        422,
        N_("The program has no such card or unit."),
        N_("The stamp cards of the program are named by it; see what its settings say."),
    ),
    ("program.paused", 409, N_("The program is paused."), N_("It gives nothing until its merchant lets it go on.")),
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
        "event.already_counted",
        409,
        N_("The event was counted before."),
        N_("An event of this name with this reference is recorded for the card; it counts once for ever."),
    ),
    (
        "event.nothing",
        409,
        N_("No rule gives anything for this event."),
        N_("The program has no rule of that name, or the card has had all that it gives."),
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


MEANINGS = {
    "conflict": N_("The state does not allow it, or another request got there first."),
    "feature_not_in_offering": N_("The offering does not include it; the problem names one that does."),
    "forbidden": N_("Signed in, but this role or key may not do it."),
    "idempotency_in_progress": N_("The same key is being worked on right now; try again after Retry-After."),
    "idempotency_key_missing": N_("A write that needs an Idempotency-Key came without one."),
    "idempotency_mismatch": N_("The same key came with another body or route."),
    "internal_error": N_("Nobody expected this. It is in our log under the request's id; nothing was changed."),
    "invalid_input": N_("The request is understood, but its content is not acceptable; fields says where."),
    "limit_reached": N_("A limit of the offering is used up; the problem names it and the offering that has more."),
    "malformed_request": N_("The request cannot be read at all: bad UTF-8, bad JSON, a missing header."),
    "method_not_allowed": N_("The address exists, but not for this method."),
    "not_found": N_("Nothing here: unknown, of another shop, or switched off (all three look the same)."),
    "payload_too_large": N_("The body is larger than this route accepts."),
    "plugin_fault": N_("A rule of an extension failed, so everything was taken back; the problem names the extension."),
    "raced": N_(
        "Others took the last of something (a stock, a budget) while this request was being decided, three times."
        " Nothing was written: send it again with the same key."
    ),
    "rate_limited": N_("Too many requests; retry_after says when to come back."),
    "request_timeout": N_("The body did not arrive in time."),
    "tenant_unavailable": N_("The shop is suspended or closed."),
    "unauthenticated": N_("No valid session or API key."),
    "unavailable": N_("A part that this needs does not answer; nothing was changed, or the outcome is unknown."),
    "unknown_host": N_("No shop and no part of the platform answers to this host name."),
    "unsupported_media_type": N_("The body is of a kind that this route does not read."),
}
"""Code of an error → why it comes, for whoever programs against the API."""


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
    if "code" in vars(kind):
        yield kind
    for child in kind.__subclasses__():
        yield from _errors(child)


def _of_error(error: type[RegularsError]) -> ProblemType:
    return ProblemType(error.code, error.status, _(error.title), _(MEANINGS[error.code]))
