"""Passes on their way to Google: a stand-in takes them as Google's own description says, on a real database."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build

from regulars.cli.demo.google.server import ISSUER_ID
from regulars.contracts.wallets import WalletUnavailable
from regulars.kernel.db.base import new_id
from regulars.testing.wallets import make_card, make_pass
from regulars_google_wallet.payloads import NOTIFY
from regulars_google_wallet.provider import GoogleWallet

ROWS = "SELECT version, digest <> '' AS sent, claimed_until FROM plg_google_wallet.loyalty_object ORDER BY version DESC"
CLAIM = "UPDATE plg_google_wallet.loyalty_object SET claimed_until = clock_timestamp() + $1"


@pytest.fixture
def wallet():
    return GoogleWallet()


def calls(google):
    """What was asked of the API since the last look, without the names."""
    asked = [(method, path.partition("/")[0].partition("?")[0]) for method, path, _payload in google.sent]
    google.sent.clear()
    return asked


def kept(google, one):
    return google.shelf.kept["loyaltyObject"][f"{ISSUER_ID}.{one.serial}"]


def later(one, **changes):
    """The pass after its card has become another."""
    return replace(one, version=one.version + 1, card=make_card(**changes))


def another(one):
    return replace(one, id=new_id(), serial=new_id().hex)


async def test_a_card_is_made_once_and_changed_as_it_changes(wallet, google, cafe, make_desk):
    desk, first = make_desk(cafe), make_pass()
    link = await wallet.hand_over(desk, first)
    assert calls(google) == [("POST", "loyaltyClass"), ("POST", "loyaltyObject")]
    assert link.url.startswith(f"{google.url}/gp/v/save/")
    token = urlsplit(link.url).path.removeprefix("/gp/v/save/")
    assert len(token) < 900
    card, shared = google.opened(token)
    assert (card["loyaltyPoints"]["balance"], shared["programName"]) == ({"string": "8/10"}, "Rusta Club")
    assert shared["callbackOptions"] == {"url": "https://regulars.example/hooks/google_wallet/token/callback"}
    await wallet.hand_over(desk, first)
    assert calls(google) == [], "nothing has changed"

    nine = later(first, count=9)
    assert [one.reached for one in await wallet.deliver(desk, [nine])] == [0]
    (method, _path, payload), *rest = google.sent
    assert (method, payload["notifyPreference"], rest) == ("PATCH", NOTIFY, [])
    assert kept(google, first)["loyaltyPoints"]["balance"] == {"string": "9/10"}
    google.sent.clear()

    kept(google, first)["hasUsers"] = True
    renamed = replace(nine, version=9, card=replace(nine.card, holder="Mia O."))
    assert [one.reached for one in await wallet.deliver(desk, [renamed])] == [1]
    assert "notifyPreference" not in google.sent[0][2], "no news"
    assert kept(google, first)["accountName"] == "Mia O."
    nameless = replace(renamed, version=10, card=replace(nine.card, holder=""))
    await wallet.deliver(desk, [nameless])
    assert "accountName" not in kept(google, first)


async def test_an_older_state_never_comes_after_a_newer_one(wallet, google, cafe, make_desk, sql):
    desk, first = make_desk(cafe), make_pass()
    newest = replace(later(first, count=9), version=50)
    await wallet.hand_over(desk, newest)
    google.sent.clear()
    assert [one.reached for one in await wallet.deliver(desk, [first])] == [0]
    assert (calls(google), kept(google, first)["loyaltyPoints"]["balance"]) == ([], {"string": "9/10"})
    same = replace(newest, version=51)
    await wallet.deliver(desk, [same])
    assert calls(google) == [], "it says the same"
    await wallet.deliver(desk, [same])
    assert calls(google) == [("PATCH", "loyaltyObject")], "the very same version is sent again, as the host wants it"

    await sql.execute(CLAIM, timedelta(minutes=1))
    other = another(first)
    with pytest.raises(WalletUnavailable) as busy:
        await wallet.deliver(desk, [replace(newest, version=52, card=make_card(count=10)), other])
    assert [one.pass_id for one in busy.value.delivered] == [other.id], "one that is busy holds up no other"
    await sql.execute(CLAIM, -timedelta(seconds=1))
    await wallet.deliver(desk, [replace(newest, version=52, card=make_card(count=10))])
    assert kept(google, first)["loyaltyPoints"]["balance"] == {"string": "10/10"}
    assert tuple((await sql.fetch(ROWS))[0]) == (52, True, None)


async def test_a_class_is_changed_once_whatever_the_number_of_cards(wallet, google, cafe, pizza, make_desk):
    desk, passes = make_desk(cafe), [another(make_pass()) for _ in range(12)]
    await wallet.deliver(desk, [passes[0]])
    google.sent.clear()
    assert {one.pass_id for one in await wallet.deliver(desk, passes[1:])} == {one.id for one in passes[1:]}
    assert calls(google) == [("POST", "loyaltyObject")] * 11
    await wallet.deliver(desk, [replace(passes[0], version=20, card=replace(passes[0].card, program="Rusta Friends"))])
    assert calls(google) == [("PATCH", "loyaltyClass"), ("PATCH", "loyaltyObject")]
    renamed = [replace(one, version=20, card=replace(one.card, program="Rusta Friends")) for one in passes[1:]]
    await wallet.deliver(desk, renamed)
    assert calls(google) == [("PATCH", "loyaltyObject")] * 11, "their links have the program's name"
    await wallet.deliver(desk, [replace(later(passes[0], kind="hybrid"), version=30)])
    assert calls(google) == [("POST", "loyaltyClass"), ("PATCH", "loyaltyObject")], "gold is a class of its own"
    await wallet.deliver(make_desk(pizza), [another(make_pass())])
    assert len(google.shelf.kept["loyaltyClass"]) == 3, (
        "another tenant's class is another one, for the same program's id"
    )


async def test_what_google_has_already_or_no_more_is_no_fault(wallet, google, cafe, make_desk):
    desk, first = make_desk(cafe), make_pass()
    await wallet.hand_over(desk, first)
    shelf = google.shelf.kept
    shelf["loyaltyObject"].clear()
    shelf["loyaltyClass"].clear()
    nine = replace(later(first, count=9), card=replace(make_card(count=9), program="Rusta Friends"))
    google.sent.clear()
    await wallet.deliver(desk, [nine])
    assert calls(google) == [
        ("PATCH", "loyaltyClass"), ("POST", "loyaltyClass"), ("PATCH", "loyaltyObject"), ("POST", "loyaltyObject")
    ]  # fmt: skip
    other = another(first)
    shelf["loyaltyObject"][f"{ISSUER_ID}.{other.serial}"] = dict(
        kept(google, first), textModulesData=[{"id": "old"}] * 9
    )
    await wallet.deliver(desk, [replace(nine, id=other.id, serial=other.serial)])
    assert calls(google) == [("POST", "loyaltyObject"), ("PATCH", "loyaltyObject")]
    assert [one["id"] for one in kept(google, other)["textModulesData"]] == ["stamps-next", "core-terms"]


async def test_a_void_card_leaves_nothing_and_may_come_back(wallet, google, cafe, make_desk):
    desk, first = make_desk(cafe), make_pass()
    await wallet.hand_over(desk, first)
    gone = replace(first, version=8, card=replace(first.card, state="void", holder=""))
    await wallet.deliver(desk, [gone])
    found = kept(google, first)
    assert (found["state"], set(found)) == ("EXPIRED", {"id", "classId", "state", "hasUsers"})
    await wallet.deliver(desk, [replace(first, version=9)])
    assert (kept(google, first)["state"], kept(google, first)["accountName"]) == ("ACTIVE", "Mia Ozola")
    never = another(gone)
    assert [one.fault for one in await wallet.deliver(desk, [never])] == [""]
    assert f"{ISSUER_ID}.{never.serial}" not in google.shelf.kept["loyaltyObject"]


async def test_google_slow_broken_or_not_of_our_opinion(wallet, google, cafe, make_desk, sql, settings):
    desk, passes = make_desk(cafe), [another(make_pass()) for _ in range(2)]
    await wallet.deliver(desk, passes[:1])
    soon = format_datetime((await sql.fetchval("SELECT clock_timestamp()")) + timedelta(seconds=100))
    for status, headers, least, most in (
        (429, {"Retry-After": "17"}, 17, 17), (503, {"Retry-After": soon}, 90, 100), (500, {}, None, None)
    ):  # fmt: skip
        google.failures.append((status, headers))
        with pytest.raises(WalletUnavailable) as down:
            await wallet.deliver(desk, [replace(later(passes[0], count=7), version=20)])
        found = down.value.retry_after
        assert found is None if least is None else least <= found <= most
    assert [tuple(row)[2] for row in await sql.fetch(ROWS)] == [None], "the next one may send"

    google.sent.clear()
    google.tokens.clear()
    await wallet.deliver(desk, [replace(later(passes[0], count=3), version=900)])
    assert calls(google) == [("PATCH", "loyaltyObject")] * 2, "one new token"
    google.failures += [(400, {}), (403, {})]
    faults = [
        (await wallet.deliver(desk, [replace(later(passes[0], count=count), version=1000 + count)]))[0].fault
        for count in (4, 5)
    ]
    assert faults[0] == "Google Wallet refuses the card: as it was asked for"
    assert "Add it as a user in the Google Pay & Wallet Console. Google says: as it was asked for" in faults[1]
    assert (await wallet.deliver(desk, [replace(later(passes[0], count=5), version=1005)]))[0].fault == ""

    stranger = settings.model_copy(
        update={"service_account": type(settings.service_account)(google.account(client_email="x@y.z"))}
    )
    with pytest.raises(WalletUnavailable, match=r"key of the service account x@y\.z: Invalid JWT Signature"):
        await wallet.deliver(make_desk(cafe, stranger), [passes[1]])


async def test_while_google_is_away_the_link_brings_the_card_itself(wallet, google, cafe, make_desk, settings):
    desk, first = make_desk(cafe), make_pass()
    away = make_desk(cafe, settings.model_copy(update={"endpoint": "http://127.0.0.1:9"}))
    with pytest.raises(WalletUnavailable, match="cannot be reached"):
        await wallet.hand_over(away, first)
    await wallet.hand_over(desk, first)
    other = another(first)
    token = urlsplit((await wallet.hand_over(away, other)).url).path.removeprefix("/gp/v/save/")
    assert 900 < len(token) < 1800
    card, shared = google.opened(token)
    assert (card["barcode"]["value"], shared["issuerName"]) == ("482174932841", "Café Rusta")


async def test_one_sender_at_a_time_and_the_last_state_wins(wallet, google, cafe, make_desk):
    desk, first = make_desk(cafe), make_pass()
    await wallet.hand_over(desk, first)
    states = [replace(later(first, count=count), version=10 + count) for count in range(10)]
    await asyncio.gather(*(wallet.deliver(desk, [one]) for one in states), return_exceptions=True)
    await wallet.deliver(desk, [states[-1]])
    assert kept(google, first)["loyaltyPoints"]["balance"] == {"string": "9/10"}


async def test_googles_own_client_speaks_to_the_stand_in(google):
    client = build(
        "walletobjects",
        "v1",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": google.url},
        static_discovery=True,
    )
    google.tokens.add("")
    body = {"id": f"{ISSUER_ID}.own", "issuerName": "I", "programName": "P", "reviewStatus": "UNDER_REVIEW",
            "programLogo": {"sourceUri": {"uri": "https://x.example/l.png"}}}  # fmt: skip
    assert (await asyncio.to_thread(client.loyaltyclass().insert(body=body).execute))["programName"] == "P"
    found = await asyncio.to_thread(client.loyaltyclass().get(resourceId=f"{ISSUER_ID}.own").execute)
    assert found == body
    client.close()
