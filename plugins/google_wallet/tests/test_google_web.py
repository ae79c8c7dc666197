"""Google Wallet in the running application: the merchant's page, the customer's button, Google's callbacks."""

import json
import re
from html import unescape
from urllib.parse import urlsplit

import pytest

from regulars.cli.demo.google.server import ISSUER_ID
from regulars.cli.demo.google.signing import Signer, message
from regulars.kernel.hook_tokens import HookTokens
from regulars_google_wallet import repository

PAGE = "/manage/p/google_wallet/"
TEAM = (("Olga", "owner", "4711"), ("Ben", "manager", "2580"))
SETTINGS = "SELECT values, secrets FROM core.plugin_settings WHERE plugin = 'google_wallet'"
AUDIT = "SELECT action, details FROM core.audit_log WHERE action = 'settings.changed' ORDER BY created_at"
PASSES = "SELECT installed_at IS NOT NULL AS i, removed_at IS NOT NULL AS r FROM core.wallet_pass WHERE tenant_id = $1"
CALLBACKS = "SELECT count(*) FROM plg_google_wallet.callback"
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def config(config, google):
    """The stand-in is named by the environment, as the platform's own issuer is."""
    path = config.data_dir / "google.json"
    path.write_text(google.account())
    named = {
        "REGULARS_GOOGLE_WALLET_ENDPOINT": google.url,
        "LOYALTY_GOOGLE_ISSUER_ID": ISSUER_ID,
        "LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON": str(path),
    }
    return config.model_copy(update={"plugin_variables": {**config.plugin_variables, **named}})


async def send(owner, issuer_id, text, path=PAGE):
    files = {"account_file": ("key.json", text.encode(), "application/json")}
    return await owner.client.post(path, data={"issuer_id": issuer_id}, files=files, headers=SAME_SITE)


async def test_the_merchant_sets_up_an_own_issuer(make_world, visit, google, sql):
    world = await make_world("cafe", staff=TEAM)
    owner = await visit(world, "owner")
    assert (await (await visit(world, "manager")).get(PAGE)).status_code == 403
    assert "The platform's" in unescape((await owner.get(PAGE)).text)
    for number, text, sentence in (
        ("", google.account(), "Enter the issuer ID."),
        ("12x", google.account(), "An issuer ID is a long number"),
        (ISSUER_ID, "", "Choose the .json file"),
        (ISSUER_ID, "no", "The file is not JSON."),
        (ISSUER_ID, google.account(type="user"), "The file is of the type “user”"),
        (ISSUER_ID, google.account(private_key="x"), "The private key in the file cannot be read."),
    ):
        answer = await send(owner, number, text)
        assert (answer.status_code, sentence in answer.text) == (422, True), sentence
        assert f'value="{number}"' in answer.text
    assert await sql.fetch(SETTINGS) == []
    assert (await send(owner, f"3388 {ISSUER_ID[4:]}", google.account())).status_code == 303
    (row,) = await sql.fetch(SETTINGS)
    assert json.loads(row["values"]) == {"issuer_id": ISSUER_ID}
    assert b"PRIVATE KEY" not in row["secrets"]
    shown = (await owner.get(PAGE)).text
    assert ("Your own" in shown, "wallet@stand-in.iam" in shown, "PRIVATE" in shown) == (True, True, False)
    assert (await owner.client.post(f"{PAGE}test", headers=SAME_SITE)).status_code == 303
    assert "issuer and key go together" in (await owner.get(PAGE)).text
    google.failures.append((403, {}))
    await owner.client.post(f"{PAGE}test", headers=SAME_SITE)
    assert "Add it as a user in the Google Pay" in (await owner.get(PAGE)).text
    assert (await send(owner, ISSUER_ID[:-1], "")).status_code == 303, "the key stays"
    assert (await owner.get(f"{PAGE}forget")).status_code == 200
    assert (await owner.client.post(f"{PAGE}forget", headers=SAME_SITE)).status_code == 303
    assert "The platform's" in unescape((await owner.get(PAGE)).text)
    assert [json.loads(line["details"])["plugin"] for line in await sql.fetch(AUDIT)] == ["google_wallet"] * 3


async def test_no_key_of_the_api_names_a_file_or_an_address(make_world, web, sql):
    world = await make_world("cafe")
    for field in ("endpoint", "platform_account_path", "platform_issuer_id"):
        body = {"settings": {"google_wallet": {field: "http://127.0.0.1:1"}}}
        answer = await web.at(world.host).client.patch(
            "/api/v1/store/loyalty/program", json=body, headers={"Authorization": f"Bearer {world.api_key}"}
        )
        assert answer.status_code in {400, 422}
        assert "Only whoever runs the platform can set this." in answer.text
    assert await sql.fetch(SETTINGS) == []


async def test_a_customer_saves_the_card_and_google_tells(
    make_world, make_till, web, visit, google, sql, config, run_jobs, database
):
    cafe, pizza = await make_world("cafe"), await make_world("pizza")
    member = await visit(cafe, "member")
    answer = await member.get("/card/wallet/google")
    assert (answer.status_code, answer.headers["Location"].startswith(f"{google.url}/gp/v/save/")) == (303, True)
    card, shared = google.opened(urlsplit(answer.headers["Location"]).path.removeprefix("/gp/v/save/"))
    before = card["loyaltyPoints"]["balance"]
    url = shared["callbackOptions"]["url"]
    assert re.fullmatch(r"http://localhost:8000/hooks/google_wallet/[\w-]{43}/callback", url)
    bare = web.at(config.base_domain)
    for image in (shared["programLogo"], card["heroImage"]):
        picture = await bare.client.get(urlsplit(image["sourceUri"]["uri"]).path)
        assert (picture.status_code, picture.content[:4], "Set-Cookie" in picture.headers) == (200, b"\x89PNG", False)
        other = HookTokens(config.encryption_key).of("google_wallet", pizza.tenant.id)
        path = re.sub("google_wallet/[^/]+", f"google_wallet/{other}", urlsplit(image["sourceUri"]["uri"]).path)
        assert (await bare.client.get(path)).status_code == 404, "each tenant has its own"
    hook = urlsplit(url).path
    told = google.signer.callback(ISSUER_ID, saved := message("save", shared["id"], card["id"]))
    for _again in range(3):
        assert (await bare.client.post(hook, json=told)).status_code == 200
    assert [tuple(row) for row in await sql.fetch(PASSES, cafe.tenant.id)] == [(True, False)]
    assert await sql.fetchval(CALLBACKS) == 1

    await make_till(cafe).sale(1)
    await run_jobs()
    assert google.shelf.get("loyaltyObject", card["id"])["loyaltyPoints"]["balance"] != before

    removed = {**message("del", shared["id"], card["id"]), "expTimeMillis": saved["expTimeMillis"] + 1000}
    assert (await bare.client.post(hook, json=google.signer.callback(ISSUER_ID, removed))).status_code == 200
    late = {**message("save", shared["id"], card["id"]), "expTimeMillis": saved["expTimeMillis"] + 500}
    assert (await bare.client.post(hook, json=google.signer.callback(ISSUER_ID, late))).status_code == 200
    assert [row["r"] for row in await sql.fetch(PASSES, cafe.tenant.id)] == [True], "what was told later counts"

    forged = [
        told | {"signedMessage": told["signedMessage"].replace("save", "del")},
        Signer().callback(ISSUER_ID, saved),
        google.signer.callback("3388000000000000001", saved),
        {},
    ]
    answers = [await bare.client.post(hook, json=one) for one in forged]
    assert [(one.status_code, one.content) for one in answers] == [(401, b"")] * 4
    assert (await bare.client.post(hook.replace("callback", "other"), json=told)).status_code == 404
    foreign = re.sub("google_wallet/[^/]+", f"google_wallet/{other}", hook)
    fresh = google.signer.callback(ISSUER_ID, message("save", shared["id"], card["id"]))
    assert (await bare.client.post(foreign, json=fresh)).status_code == 200
    assert [row["r"] for row in await sql.fetch(PASSES, cafe.tenant.id)] == [True], "another tenant's door"

    await sql.execute("UPDATE plg_google_wallet.callback SET expires_at = now() - interval '1 minute'")
    async with database.tenant(cafe.tenant.id) as session:
        await repository.forget_callbacks(session)
    assert await sql.fetchval(CALLBACKS) == 1, "the other tenant's"
