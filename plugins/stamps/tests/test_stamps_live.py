"""Stamps on a real database: milestones written, taken back and congratulated; slots with the real templates."""

import re
from datetime import UTC, datetime

import pytest

from regulars.kernel import ids
from regulars.kernel.jobs import JobRegistry
from regulars.sdk import AccountState, CardSlot, ProgramSlot
from regulars.sdk.mail import PostOffice
from regulars.testing.contexts import card_info, program_info, tenant_snapshot
from regulars.testing.jobs import FixedSnapshots, run_pending
from regulars.testing.slots import SlotStage, make_engine
from regulars.testing.till import content
from regulars_stamps.settings import StampSettings
from regulars_stamps.web.slots import portal_card, program_preview, terminal_card

MILESTONES = "SELECT card_id, threshold, bonus FROM plg_stamps.milestone ORDER BY threshold"
MAILS = "SELECT tenant_id, template, recipient, subject, text_body FROM core.mail"
MORNING = datetime(2026, 3, 10, 8, tzinfo=UTC)


@pytest.fixture
async def till(make_till, cafe, clock):
    await clock.set(MORNING)
    await cafe.set_settings("stamps", milestones=[{"at": 3, "bonus": 2}, {"at": 5, "bonus": 1}])
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=100)
    return make_till(cafe)


@pytest.fixture
def work(config, registry, database, cafe):
    """Run what is pending, with the real post office."""
    jobs = JobRegistry.build(["regulars.domain.messaging.jobs"], (), registry)
    services = {PostOffice: PostOffice(config, make_engine(config, registry))}

    async def run():
        outcomes = await run_pending(database, jobs, FixedSnapshots([cafe.tenant]), services=services)
        return [outcome.value for name, outcome in outcomes if name == "stamps.congratulate"]

    return run


async def test_a_milestone_gives_its_bonus_once_and_a_mail(till, cafe, sql, work, healthy):
    assert content(await till.sale(2))["stamp_count"] == 2
    assert content(await till.sale())["stamp_count"] == 6
    assert content(await till.sale())["stamp_count"] == 7
    rows = [tuple(row) for row in await sql.fetch(MILESTONES)]
    assert rows == [(cafe.card.id, 3, 2), (cafe.card.id, 5, 1)]
    assert await work() == ["done", "done"]
    mails = [tuple(row) for row in await sql.fetch(MAILS)]
    assert sorted(mail[3] for mail in mails) == ["Congratulations: 3 stamps!", "Congratulations: 5 stamps!"]
    assert {mail[:3] for mail in mails} == {(cafe.tenant.id, "stamps/mails/milestone", cafe.card.email)}
    first = next(mail[4] for mail in mails if "3 stamps" in mail[3])
    assert "You have collected 3 stamps in all." in first
    assert "We have put 2 extra stamps on your card." in first
    await healthy()


async def test_undo_takes_the_milestone_back_and_it_can_be_reached_again(till, sql, work, healthy):
    await till.sale(2)
    await till.sale()
    assert (await till.undo()).status == 200
    assert await sql.fetch(MILESTONES) == []
    assert await work() == ["done", "done"]
    assert await sql.fetch(MAILS) == []
    assert content(await till.sale())["stamp_count"] == 6
    assert [row["threshold"] for row in await sql.fetch(MILESTONES)] == [3, 5]
    await work()
    assert len(await sql.fetch(MAILS)) == 2
    await healthy()


async def test_a_milestone_is_congratulated_once_though_reached_twice(till, sql, work):
    await till.sale(3)
    await work()
    await till.undo()
    await till.sale(3)
    await work()
    assert len(await sql.fetch(MAILS)) == 2


async def test_milestones_are_the_tenants_own(till, cafe, pizza, database, sql):
    from regulars_stamps.queries import is_reached

    await till.sale(3)
    async with database.tenant(cafe.tenant.id) as session:
        assert await is_reached(session, cafe.card.id, "stamps", 3) is True
        assert await is_reached(session, cafe.card.id, "stamps", 4) is False
    async with database.tenant(pizza.tenant.id) as session:
        assert await is_reached(session, cafe.card.id, "stamps", 3) is False


async def test_too_many_at_once_is_refused(till, cafe):
    await cafe.set_settings("stamps", max_per_sale=2)
    answer = await till.sale(3)
    assert (answer.status, content(answer)["type"].rpartition("/")[2]) == (422, "stamps.too_many")
    assert content(answer)["detail"] == "At most 2 stamps can be given at once, not 3."


@pytest.fixture
def stage(config, registry):
    engine = make_engine(config, registry)

    def make(**settings):
        return SlotStage(engine, tenant_snapshot(), StampSettings(**settings))

    return make


def card_slot(balance, just_earned=0):
    accounts = {"stamps": AccountState("stamps", balance, balance)} if balance else {}
    return CardSlot(program_info(), card_info(), accounts, (), just_earned)


def plain(markup):
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())


def stamps(markup):
    return [kind.strip() for kind in re.findall(r'<span class="stamp([^"]*)">', markup)]


async def test_the_portal_shows_grid_reward_and_sentence(stage):
    markup = await portal_card(stage(), card_slot(8, just_earned=1))
    assert plain(markup) == "8 / 10 stamps free coffee 2 more to go 2 more stamps until your free coffee!"
    assert stamps(markup) == ["is-filled"] * 7 + ["is-filled is-new", "is-next", ""]


async def test_an_empty_and_a_full_card(stage):
    assert stamps(await portal_card(stage(), card_slot(0))) == ["is-next"] + [""] * 9
    full = await portal_card(stage(target=3), card_slot(4))
    assert stamps(full) == ["is-filled"] * 3
    assert "Your free coffee is ready!" in plain(full)


async def test_the_terminal_shouts_the_reward(stage):
    assert "2 more until FREE COFFEE" in plain(await terminal_card(stage(), card_slot(8)))
    assert "FREE COFFEE ready" in plain(await terminal_card(stage(), card_slot(10)))


async def test_what_merchants_write_is_escaped(stage):
    markup = await portal_card(stage(reward_text="<b>tea</b>"), card_slot(1))
    assert "<b>" not in markup
    assert "&lt;b&gt;tea" in markup


async def test_the_preview_has_a_grid_for_every_icon(stage):
    markup = await program_preview(stage(icon="leaf"), ProgramSlot(program_info()))
    shown = re.findall(r'data-when-icon="(\w+)"( hidden)?', markup)
    assert [name for name, hidden in shown if not hidden] == ["leaf"]
    assert len(shown) == 7
    assert plain(markup).endswith("free coffee 2 more to go")


async def test_stamps_for_money_over_two_sales_and_back(web, cafe, pizza, sql, healthy, visit):
    """30 € and 20 € give what 50 € give at 25 € a stamp; taken back, nothing is left; the till asks for the amount."""
    await cafe.set_settings("stamps", per="amount", step_minor=2500, welcome_stamps=0)
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=100)
    key = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    carry = "SELECT minor FROM plg_stamps.carry WHERE tenant_id = $1"

    async def post(path, reference, **body):
        headers = {"Idempotency-Key": reference}
        answer = await key.post(f"/api/v1/store/loyalty/{path}", json=body, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    first = await post("stamp", "a", **cafe.till_body(amount="30", external_ref="a"))
    second = await post("stamp", "b", **cafe.till_body(amount="20", external_ref="b"))
    assert (first["stamp_count"], second["stamp_count"], await sql.fetchval(carry, cafe.tenant.id)) == (1, 2, 0)
    await post("refunds", "back-b", sale_ref="b")
    assert await sql.fetchval(carry, cafe.tenant.id) == 500
    await post("refunds", "back-a", sale_ref="a")
    assert await sql.fetchval(carry, cafe.tenant.id) == 0
    assert await sql.fetchval("SELECT balance FROM core.account WHERE tenant_id = $1", cafe.tenant.id) == 0
    page = (await (await visit(cafe, "staff")).get(f"/terminal/cards/{ids.show(ids.CARD, cafe.card.id)}")).text
    assert ('name="amount"' in page, 'name="quantity"' in page) == (True, False)
    other = (await (await visit(pizza, "staff")).get(f"/terminal/cards/{ids.show(ids.CARD, pizza.card.id)}")).text
    assert ('name="amount"' in other, 'name="quantity"' in other) == (False, True)
    await healthy()


@pytest.mark.parametrize(("policy", "rewards", "owed"), [("debt", 1, -5), ("clip", 3, 0)])
async def test_buying_redeeming_and_bringing_it_back_gains_nothing_that_is_not_owed(
    make_till, cafe, sql, healthy, policy, rewards, owed
):
    """E5: three rounds of it. Where nothing is owed each round is a free reward, so that is not the default."""
    assert StampSettings().refund_policy == "debt"
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=100)
    await cafe.set_settings("stamps", target=5, welcome_stamps=0, milestones=[], refund_policy=policy)
    till, had = make_till(cafe), 0
    for _round in range(3):
        await till.sale(5)
        had += (await till.redeem()).status == 200
        sale = await sql.fetchval("SELECT id FROM core.sale WHERE refunded_at IS NULL")
        assert (await till.refund(sale)).status == 200
    assert (had, await sql.fetchval("SELECT balance FROM core.account")) == (rewards, owed)
    await healthy()
