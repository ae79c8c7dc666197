"""The dispatcher of ledger hooks and the presenter of contributions."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from regulars.contracts.errors import PluginFault
from regulars.contracts.hookspecs import HookSpecs, hookimpl, hookspec
from regulars.contracts.ledger import Clearance, EntryDraft, Outcome, Proposal, Refusal, Step
from regulars.kernel.plugins.dispatch import cap_proposals, collect_drafts, collect_outcomes, first_refusal
from regulars.kernel.plugins.faults import PartError
from regulars.kernel.plugins.hooks import HookTable, check_hooks
from regulars.kernel.plugins.presentation import Breaker, Contribution, Presenter

TENANT = UUID(int=1)
OTHER = UUID(int=2)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Says:
    """Hooks that answer with fixed values and note who asked for what."""

    def __init__(self, verdict=None, drafts=(), outcome=None):
        self.verdict, self.drafts, self.outcome, self.asked = verdict, drafts, outcome, []

    @hookimpl
    def check_earn(self, ctx, occasion, facts):
        self.asked.append((ctx, occasion, facts))
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict

    @hookimpl
    def earn(self, ctx):
        self.asked.append(ctx)
        return self.drafts

    @hookimpl
    def sale_posted(self, entries, ctx):
        self.asked.append((ctx, entries))
        return self.outcome


class Silent:
    @hookimpl
    def earn(self):
        return ()


def ask(plugin):
    return (f"ctx of {plugin}", "sale", f"facts of {plugin}")


def checks(enabled=("alpha", "beta"), **hooks):
    return HookTable(hooks).ledger("check_earn", frozenset(enabled))


def test_hooks_run_in_loading_order_of_enabled_plugins_only():
    table = HookTable({"zeta": Says(), "alpha": Says(), "silent": Silent()})
    assert [hook.plugin for hook in table.ledger("earn", frozenset({"alpha", "zeta", "silent"}))] == [
        "zeta",
        "alpha",
        "silent",
    ]
    assert [hook.plugin for hook in table.ledger("check_earn", frozenset({"alpha", "silent"}))] == ["alpha"]
    assert table.ledger("reversal_posted", frozenset({"alpha"})) == ()


def test_tenants_with_the_same_plugins_share_one_table():
    table = HookTable({"alpha": Says(), "beta": Says()})
    assert table.ledger("earn", frozenset(["alpha"])) is table.ledger("earn", frozenset({"alpha"}))


def test_a_hook_gets_the_arguments_that_it_names():
    says = Says(outcome=Outcome())
    table = HookTable({"alpha": says})
    enabled = frozenset({"alpha"})
    collect_outcomes(table.ledger("sale_posted", enabled), lambda _: ("ctx", "sale", ["entry"]))
    collect_drafts(table.ledger("earn", enabled), ask, {}.get)
    assert says.asked == [("ctx", ["entry"]), "ctx of alpha"]


def test_the_first_refusal_wins_and_the_rest_is_not_asked():
    first, second, third = Says(Clearance(NOON)), Says(Refusal("beta.no", "No.")), Says()
    hooks = checks(("alpha", "beta", "gamma"), alpha=first, beta=second, gamma=third)
    assert first_refusal(hooks, ask) == Refusal("beta.no", "No.")
    assert first.asked == [("ctx of alpha", "sale", "facts of alpha")]
    assert third.asked == []


def test_clearances_give_the_latest_time():
    later = NOON + timedelta(minutes=1)
    says = {"a": Says(Clearance(NOON)), "b": Says(Clearance(later)), "c": Says(Clearance()), "d": Says()}
    hooks = checks(says, **says)
    assert first_refusal(hooks, ask) == Clearance(later)
    assert first_refusal((), ask) == Clearance(None)


@pytest.mark.parametrize(
    ("verdict", "detail"),
    [
        (ValueError("oops"), "ValueError in check_earn"),
        ("no", "a verdict was expected, not str"),
        (Refusal("beta.no", ""), "the refusal 'beta.no' lacks the plugin's prefix"),
        (Clearance(NOON.replace(tzinfo=None)), "a time without time zone was returned"),
    ],
)
def test_a_faulty_check_names_its_plugin(verdict, detail):
    with pytest.raises(PluginFault) as caught:
        first_refusal(checks(alpha=Says(verdict)), ask)
    assert (caught.value.plugin, caught.value.detail) == ("alpha", detail)


def drafts_of(*drafts):
    hooks = HookTable({"alpha": Says(drafts=drafts)}).ledger("earn", frozenset({"alpha"}))
    return collect_drafts(hooks, ask, {"visits": "alpha", "points": "beta"}.get)


def test_drafts_are_collected_in_order():
    one, two = EntryDraft("visits", 1, "visit"), EntryDraft("visits", 2, "bonus")
    assert drafts_of(one, two) == (Proposal("alpha", one), Proposal("alpha", two))


@pytest.mark.parametrize(
    ("draft", "detail"),
    [
        ("one", "a draft was expected, not str"),
        (EntryDraft("points", 1, "visit"), "the unit 'points' is not its own"),
        (EntryDraft("stars", 1, "visit"), "the unit 'stars' is not its own"),
        (EntryDraft("visits", -1, "visit"), "-1 cannot be earned"),
        (EntryDraft("visits", True, "visit"), "True cannot be earned"),
        (EntryDraft("visits", 10**12 + 1, "visit"), "1000000000001 cannot be earned"),
    ],
)
def test_a_faulty_draft_names_its_plugin(draft, detail):
    with pytest.raises(PluginFault) as caught:
        drafts_of(draft)
    assert (caught.value.plugin, caught.value.detail) == ("alpha", detail)


def test_outcomes_are_collected_and_checked():
    outcome = Outcome()
    table = HookTable({"alpha": Says(outcome=outcome), "beta": Says(), "gamma": Says(outcome="done")})
    posted = table.ledger("sale_posted", frozenset({"alpha", "beta"}))
    assert collect_outcomes(posted, ask) == [("alpha", outcome)]
    with pytest.raises(PluginFault) as caught:
        collect_outcomes(table.ledger("sale_posted", frozenset({"gamma"})), ask)
    assert caught.value.detail == "an outcome was expected, not str"


class OtherSpecs(HookSpecs):
    @hookspec
    def member_timeline(self, ctx): ...


class AsyncTimeline:
    @hookimpl
    async def member_timeline(self, ctx): ...


class PlainTimeline:
    @hookimpl
    def member_timeline(self, ctx): ...


def test_hooks_outside_of_the_ledger_must_be_async():
    check_hooks("alpha", AsyncTimeline(), OtherSpecs)
    with pytest.raises(PartError, match="its hook member_timeline must be async"):
        check_hooks("alpha", PlainTimeline(), OtherSpecs)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


async def word():
    return "hello"


async def failing():
    raise ValueError("oops")


async def number():
    return 7


async def endless():
    await asyncio.Event().wait()


async def test_contributions_are_presented_in_order_without_the_faulty_ones():
    presenter = Presenter(Breaker(), deadline=0.01)
    faults = []

    async def on_fault():
        faults.append(1)

    contributions = [
        Contribution(name, make)
        for name, make in [("a", word), ("b", failing), ("c", number), ("d", endless), ("e", word)]
    ]
    assert await presenter.present(contributions, TENANT, str, on_fault) == [("a", "hello"), ("e", "hello")]
    assert len(faults) == 3
    assert [(state.plugin, state.faults, state.last) for state in presenter.breaker.states()] == [
        ("b", 1, "ValueError: oops"),
        ("c", 1, "TypeError: str was expected, not int"),
        ("d", 1, "TimeoutError: "),
    ]


async def test_the_breaker_switches_off_for_one_tenant_and_tries_again():
    clock, calls = Clock(), []
    breaker = Breaker(limit=3, pause=60, clock=clock)
    presenter = Presenter(breaker)

    async def counted():
        calls.append(1)
        raise ValueError("oops")

    async def present(tenant, make=counted):
        return await presenter.present([Contribution("a", make)], tenant, str)

    for _ in range(5):
        await present(TENANT)
    assert len(calls) == 3
    assert (breaker.is_off("a", TENANT), breaker.is_off("a", OTHER)) == (True, False)
    clock.now = 60.0
    await present(TENANT)
    await present(TENANT)
    assert len(calls) == 4
    clock.now = 120.0
    assert await present(TENANT, word) == [("a", "hello")]
    assert breaker.states() == []


async def test_a_plugin_can_be_switched_on_again():
    breaker = Breaker(limit=1)
    await Presenter(breaker).present([Contribution("a", failing), Contribution("b", failing)], TENANT, str)
    breaker.reset("a")
    assert [(state.plugin, state.is_off) for state in breaker.states()] == [("b", True)]


async def test_cancelling_the_page_cancels_the_contribution():
    presenter = Presenter(Breaker(), deadline=30)
    task = asyncio.create_task(presenter.present([Contribution("a", endless)], TENANT, str))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert presenter.breaker.states() == []


GIVEN = (Proposal("alpha", EntryDraft("stars", 10, "visit")), Proposal("beta", EntryDraft("hearts", 3, "visit")))


class Limits:
    def __init__(self, answer):
        self.answer = answer

    @hookimpl
    def cap_earn(self, proposals):
        return self.answer(proposals)


def cap(answer):
    hooks = HookTable({"alpha": Limits(answer)}).ledger("cap_earn", frozenset({"alpha"}))
    return cap_proposals(hooks, lambda plugin, so_far: (TENANT, "sale", so_far, {}), GIVEN)


def test_limits_lower_what_others_gave():
    step = Step("capped", "At most {most}.", {"most": 2})
    capped = cap(lambda given: [given[0], given[1].changed(2, step)])
    assert [one.draft.amount for one in capped] == [10, 2]
    assert capped[1].draft.steps[-1].change == -1


@pytest.mark.parametrize(
    "answer",
    [
        lambda given: given[:1],
        lambda given: given[::-1],
        lambda given: [given[0].changed(11, Step("added", "More.")), given[1]],
        lambda given: [given[0].changed(-1, Step("capped", "Less.")), given[1]],
        lambda given: [given[0], None],
    ],
)
def test_limits_do_nothing_else(answer):
    with pytest.raises(PluginFault, match="a limit may only lower what is given"):
        cap(answer)
