"""Mail: written in the transaction of its event, sent at most once, by a real SMTP server or kept in the mailbox."""

from __future__ import annotations

import asyncio
import email
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default as parse_policy
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope as Received
from sqlalchemy import text, update

from regulars.contracts.context import Branding
from regulars.contracts.errors import NotFound
from regulars.contracts.events import MemberEnrolled, PinLocked
from regulars.contracts.paging import PageRequest
from regulars.domain.jobs import make_job_registry
from regulars.domain.members.models import Member
from regulars.domain.messaging.composing import Recipient
from regulars.domain.messaging.mailbox import MailFilter, get_mail, list_mails
from regulars.domain.messaging.office import CARD_LINK_PURPOSE, PostOffice
from regulars.domain.messaging.smtp import Envelope, MailServer, build_message
from regulars.domain.staff.models import Staff
from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database
from regulars.kernel.events import publish
from regulars.kernel.i18n import N_, LazyText
from regulars.kernel.jobs.runner import Outcome
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.tokens import verify
from regulars.testing.jobs import FixedSnapshots, hurry, run_pending
from regulars.testing.world import World
from regulars.web.rendering import make_post_office

SENDER = "no-reply@localhost.example"
SET_SENDING = text("UPDATE core.mail SET status = 'sending'")


@dataclass
class Letterbox:
    """What a real SMTP server received, and how it is told to behave.

    Attributes:
        recipient, data: answers to RCPT and DATA, taken from the front; accepted when there are none left.
        silent: whether the connection breaks instead of an answer to the text.
    """

    received: list[Received] = field(default_factory=list)
    recipient: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    silent: bool = False
    tries: int = 0
    port: int = 0

    async def handle_RCPT(self, server, session, envelope, address: str, options: list[str]) -> str:
        self.tries += 1
        answer = self.recipient.pop(0) if self.recipient else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope: Received) -> str:
        answer = self.data.pop(0) if self.data else "250 OK"
        if answer.startswith("250"):
            self.received.append(envelope)
        if self.silent:
            server.transport.abort()
        return answer

    def messages(self) -> list[EmailMessage]:
        found = [email.message_from_bytes(one.content, policy=parse_policy) for one in self.received]
        return [one for one in found if isinstance(one, EmailMessage)]


@pytest.fixture
async def letterbox() -> AsyncIterator[Letterbox]:
    box = Letterbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()
    await server.wait_closed()


class Bench:
    """A worker with a post office, for two tenants."""

    def __init__(self, config: Config, registry: PluginRegistry, database: Database, *worlds: World) -> None:
        self.database = database
        self.office: PostOffice = make_post_office(config, registry)
        self.jobs = make_job_registry(registry)
        self.snapshots = FixedSnapshots(world.tenant for world in worlds)

    def use(self, letterbox: Letterbox, **options: Any) -> None:
        self.office.server = MailServer("127.0.0.1", letterbox.port, SENDER, starttls=False, **options)

    async def queue(self, world: World, event: UUID | None = None, to: str = "mia@cafe.example", **values: Any):
        async with self.database.tenant(world.tenant.id) as session:
            return await self.office.queue(
                session,
                world.tenant,
                "mails/welcome",
                Recipient(to, values.pop("name", "Mia"), "en"),
                event_id=event or new_id(),
                values={"number": "482174932841", "program": "Card", "link": "http://cafe.localhost/x", **values},
                footer=[LazyText(N_("You get this mail because you joined %(program)s."), {"program": "Card"})],
            )

    async def run(self, *, retries: bool = False) -> list[tuple[str, Outcome]]:
        services = {PostOffice: self.office}
        return await run_pending(self.database, self.jobs, self.snapshots, services=services, retries=retries)

    async def mails(self, **wanted: str):
        async with self.database.platform("test") as session:
            return (await list_mails(session, MailFilter(**wanted), PageRequest(1, 100))).items

    async def states(self) -> list[tuple[str, str]]:
        return [(mail.status, mail.error) for mail in await self.mails()]


@pytest.fixture
def bench(config: Config, registry: PluginRegistry, database: Database, cafe: World, pizza: World) -> Bench:
    return Bench(config, registry, database, cafe, pizza)


SENT = [("core.send_mail", Outcome.DONE)]


async def test_without_a_server_mails_are_kept(bench: Bench, cafe: World, pizza: World) -> None:
    await bench.queue(cafe)
    await bench.queue(pizza, to="luca@pizza.example")
    assert await bench.run() == SENT * 2
    assert await bench.states() == [("kept", ""), ("kept", "")]
    assert [mail.slug for mail in await bench.mails()] == ["pizza", "cafe"]
    assert [mail.recipient for mail in await bench.mails(text="LUCA")] == ["luca@pizza.example"]
    assert await bench.mails(status="failed") == []
    first = (await bench.mails(text="mia@"))[0]
    async with bench.database.platform("test") as session:
        mail = await get_mail(session, first.tenant_id, first.id)
        assert (mail.line.subject, "4821-7493-2841" in mail.text, "4821-7493-2841" in mail.html) == (
            "Your card: Card",
            True,
            True,
        )
        with pytest.raises(NotFound):
            await get_mail(session, pizza.tenant.id, first.id)


async def test_a_mail_as_it_arrives(bench: Bench, cafe: World, letterbox: Letterbox) -> None:
    bench.use(letterbox)
    named = replace(cafe.tenant, name="Café\r\nBcc: all@evil.example", branding=Branding("#7a3e1d", "coffee"))
    bench.snapshots.put(named)
    cafe.tenant = named
    await bench.queue(cafe, name="<b>Mia</b>\r\nBcc: x@y.example", program="Rösti\r\nX-Evil: 1")
    assert await bench.run() == SENT
    [mail], [envelope] = letterbox.messages(), letterbox.received
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, ["mia@cafe.example"])
    assert mail["From"] == f'"Café Bcc: all@evil.example" <{SENDER}>'
    assert mail["To"] == "mia@cafe.example"
    assert mail["Subject"] == "Your card: Rösti X-Evil: 1"
    assert mail["Message-ID"] == f"<{(await bench.mails())[0].id}@localhost.example>"
    assert (mail["Bcc"], mail["X-Evil"], mail["Auto-Submitted"]) == (None, None, "auto-generated")
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "Welcome, <b>Mia</b>" in plain.get_content()
    assert "Welcome, &lt;b&gt;Mia&lt;/b&gt;" in html.get_content()
    assert "You get this mail because you joined Card." in plain.get_content()
    assert "#7a3e1d" in html.get_content()
    assert await bench.states() == [("sent", "")]


async def test_one_mail_per_template_recipient_and_event(bench: Bench, cafe: World, letterbox: Letterbox) -> None:
    bench.use(letterbox)
    event = new_id()
    assert await bench.queue(cafe, event) is not None
    assert await bench.queue(cafe, event) is None
    assert await bench.queue(cafe, event, to="ben@cafe.example") is not None
    assert await bench.run() == SENT * 2
    assert await bench.run() == []
    assert sorted(str(mail["To"]) for mail in letterbox.messages()) == ["ben@cafe.example", "mia@cafe.example"]


async def test_what_is_rolled_back_is_not_sent(bench: Bench, cafe: World) -> None:
    async def fail() -> None:
        async with bench.database.tenant(cafe.tenant.id) as session:
            values = {"number": "482174932841", "program": "Card", "link": "x"}
            mia = Recipient("mia@cafe.example", "", "en")
            await bench.office.queue(session, cafe.tenant, "mails/welcome", mia, event_id=new_id(), values=values)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert (await bench.run(), await bench.mails()) == ([], [])


async def test_a_server_that_is_down_is_tried_again(bench: Bench, cafe: World, letterbox: Letterbox) -> None:
    bench.use(letterbox)
    down = bench.office.server
    assert down is not None
    bench.office.server = replace(down, port=9)
    await bench.queue(cafe)
    assert await bench.run() == [("core.send_mail", Outcome.RETRY)]
    [(status, error)] = await bench.states()
    assert (status, "127.0.0.1" in error) == ("queued", True)
    bench.office.server = down
    await hurry(bench.database)
    assert await bench.run() == SENT
    assert (await bench.states(), len(letterbox.received)) == ([("sent", "")], 1)


async def test_a_refused_recipient_is_not_tried_again(bench: Bench, cafe: World, letterbox: Letterbox) -> None:
    bench.use(letterbox)
    letterbox.recipient = ["550 nobody here"]
    await bench.queue(cafe)
    assert await bench.run() == SENT
    assert await bench.states() == [("failed", "550 nobody here")]
    assert await bench.run() == []


async def test_a_deferred_recipient_is_tried_to_the_end(bench: Bench, cafe: World, letterbox: Letterbox) -> None:
    bench.use(letterbox)
    letterbox.recipient = ["450 later"] * 20
    await bench.queue(cafe)
    outcomes = [outcome for _, outcome in await bench.run(retries=True)]
    assert outcomes == [Outcome.RETRY] * 7 + [Outcome.DEAD]
    assert await bench.states() == [("failed", "450 later")]


@pytest.mark.parametrize(("answer", "status"), [("554 spam", "failed"), ("451 disk full", "queued")])
async def test_a_refused_text(bench: Bench, cafe: World, letterbox: Letterbox, answer: str, status: str) -> None:
    bench.use(letterbox)
    letterbox.data = [answer]
    await bench.queue(cafe)
    await bench.run()
    assert await bench.states() == [(status, answer)]
    await bench.run(retries=True)
    assert len(letterbox.received) == (1 if status == "queued" else 0)


async def test_silence_after_the_text_counts_as_sent(bench: Bench, cafe: World, letterbox: Letterbox) -> None:
    bench.use(letterbox, timeout=5.0)
    letterbox.silent = True
    await bench.queue(cafe)
    assert await bench.run(retries=True) == SENT
    assert await bench.states() == [("sent", "the server's answer was lost")]
    assert len(letterbox.received) == 1


async def test_a_worker_that_died_on_the_way_sends_nothing_again(
    bench: Bench, cafe: World, letterbox: Letterbox
) -> None:
    bench.use(letterbox)
    await bench.queue(cafe)
    async with bench.database.platform("test") as session:
        await session.execute(SET_SENDING)
    assert await bench.run() == SENT
    assert (await bench.states(), letterbox.tries) == ([("sent", "interrupted while it was sent")], 0)


async def test_that_it_is_on_its_way_is_committed_before_the_text(
    bench: Bench, cafe: World, letterbox: Letterbox
) -> None:
    bench.use(letterbox)
    await bench.queue(cafe)
    seen: list[tuple[str, str]] = []
    original = letterbox.handle_DATA

    async def watch(server, session, envelope: Received) -> str:
        seen.extend(await bench.states())
        return await original(server, session, envelope)

    letterbox.handle_DATA = watch  # type: ignore[method-assign]
    assert await bench.run() == SENT
    assert seen == [("sending", "")]


@pytest.mark.parametrize("to", ["müller@cafe.example", "mia@bücher.example"])
async def test_letters_beyond_ascii(bench: Bench, cafe: World, letterbox: Letterbox, to: str) -> None:
    bench.use(letterbox)
    await bench.queue(cafe, to=to)
    assert await bench.run() == SENT
    assert await bench.states() == [("sent", "")]
    assert letterbox.received[0].rcpt_tos == [to.replace("bücher", "xn--bcher-kva")]


async def test_an_address_that_is_none_fails_at_once(bench: Bench, cafe: World, letterbox: Letterbox) -> None:
    bench.use(letterbox)
    await bench.queue(cafe, to="mia@" + "x" * 70 + ".example")
    assert await bench.run() == SENT
    assert [status for status, _ in await bench.states()] == ["failed"]


def test_a_message_cannot_be_given_headers() -> None:
    envelope = Envelope("1", "A\nB", "mia@cafe.example", "C\r\n\r\nD", "text", "<p>text</p>")
    content = build_message(envelope, SENDER).as_bytes()
    assert re.findall(rb"^(From|Subject|To):", content, re.MULTILINE) == [b"From", b"To", b"Subject"]
    with pytest.raises(ValueError):
        build_message(replace(envelope, recipient="mia@cafe.example\r\nBcc: x@y.example"), SENDER)


async def test_a_new_member_is_welcomed_once(
    bench: Bench, config: Config, cafe: World, pizza: World, letterbox: Letterbox
) -> None:
    bench.use(letterbox)
    event = MemberEnrolled(member_id=cafe.card.member_id, card_id=cafe.card.id, program_id=cafe.program_id)
    async with bench.database.tenant(cafe.tenant.id) as session:
        await publish(session, event, order_key=cafe.card.id)
    outcomes = await bench.run()
    assert ("core.welcome_mail", Outcome.DONE) in outcomes
    assert ("core.send_mail", Outcome.DONE) in outcomes
    [mail] = letterbox.messages()
    assert (mail["To"], mail["Subject"]) == ("mia@cafe.example", "Your card: Card")
    plain = mail.get_body(("plain",))
    assert plain is not None
    link = re.search(r"http://cafe\.localhost:8000/card/open/(\S+)", plain.get_content())
    assert link is not None
    key = config.secret_key
    opened = verify(key, link[1], purpose=CARD_LINK_PURPOSE, tenant_id=cafe.tenant.id)
    assert opened == str(cafe.card.id)


async def test_who_has_left_gets_no_mail(bench: Bench, cafe: World, pizza: World) -> None:
    event = MemberEnrolled(member_id=cafe.card.member_id, card_id=cafe.card.id, program_id=cafe.program_id)
    foreign = MemberEnrolled(member_id=pizza.card.member_id, card_id=pizza.card.id, program_id=pizza.program_id)
    async with bench.database.tenant(cafe.tenant.id) as session:
        await session.execute(update(Member).values(status="inactive"))
        await publish(session, event)
        await publish(session, foreign)
    await bench.run()
    assert await bench.mails() == []


async def test_owners_hear_of_a_locked_pin(bench: Bench, cafe: World) -> None:
    people = [("Olaf", "owner", "active"), ("Otto", "owner", "inactive"), ("Mona", "manager", "active")]
    async with bench.database.platform("test") as session:
        for name, role, status in people:
            row = {"tenant_id": cafe.tenant.id, "name": name, "role": role, "status": status}
            await session.execute(Staff.__table__.insert(), {**row, "email": f"{name.lower()}@cafe.example"})  # type: ignore[attr-defined]
    until = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    async with bench.database.tenant(cafe.tenant.id) as session:
        await publish(session, PinLocked(staff_id=cafe.anna.id, locked_until=until))
    await bench.run()
    [mail] = await bench.mails()
    assert (mail.recipient, mail.subject, mail.status) == ("olaf@cafe.example", "The PIN of Anna is locked", "kept")
    async with bench.database.platform("test") as session:
        words = (await get_mail(session, mail.tenant_id, mail.id)).text
    assert "2:30" in words  # 12:30 UTC, in Luxembourg
    assert "http://cafe.localhost:8000/manage/staff" in words


async def test_a_mail_speaks_the_readers_language_if_the_tenant_does(bench: Bench, cafe: World) -> None:
    cafe.tenant = replace(cafe.tenant, locales=("en", "lt"))
    async with bench.database.tenant(cafe.tenant.id) as session:
        await session.execute(update(Member).values(locale="lt"))
        mail_id = await bench.office.queue_for_member(
            session,
            cafe.tenant,
            "mails/welcome",
            cafe.card.member_id,
            event_id=new_id(),
            values={"number": "482174932841", "program": "Card", "link": "x"},
        )
    assert mail_id is not None
    async with bench.database.platform("test") as session:
        assert '<html lang="lt">' in (await get_mail(session, cafe.tenant.id, mail_id)).html


async def test_a_server_that_does_not_encrypt_gets_nothing(bench: Bench, cafe: World, letterbox: Letterbox) -> None:
    bench.office.server = MailServer("127.0.0.1", letterbox.port, SENDER, starttls=True)
    await bench.queue(cafe)
    assert await bench.run() == [("core.send_mail", Outcome.RETRY)]
    assert (letterbox.tries, [status for status, _ in await bench.states()]) == (0, ["queued"])
