"""The till's camera: a code before it opens the card once; where there is no camera, a sentence and the field."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import qrcode
from asyncpg import connect
from PIL import Image
from playwright.async_api import Locator, Page, expect

from regulars.testing.browser import PHONE, TABLET, People, chromium
from tests.e2e.steps import House, enrol, owner_at
from tests.e2e.test_live import SECONDS, stand_in_a_shop

pytestmark = pytest.mark.e2e
SLUG, STRANGERS, CUSTOMER = "pizza", "cafe", "Nora Quinn"
SIZE = (640, 480)
LOADED = "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /scanner|wasm/.test(name))"


async def link_of(house: House, slug: str, number: str) -> str:
    """What the card's code says."""
    sql = await connect(house.running.config.database_url_migrator.replace("+asyncpg", ""))
    token: str = await sql.fetchval("SELECT token FROM core.card WHERE number = $1", number.replace("-", ""))
    await sql.close()
    return house.of(slug, f"/c/{token}")


def film(file: Path, text: str) -> Path:
    """A code in the hand of a customer, as raw video (YUV4MPEG2): grey planes, no colour."""
    code = qrcode.make(text, border=4).get_image().convert("L").resize((300, 300))
    picture = Image.new("L", SIZE, 150)
    picture.paste(code.rotate(8, expand=True, fillcolor=150), (140, 70))
    grey = bytes([128]) * (SIZE[0] * SIZE[1] // 2)
    header = f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F10:1 Ip A1:1 C420jpeg\n"
    file.write_bytes(header.encode() + (b"FRAME\n" + picture.tobytes() + grey) * 2)
    return file


async def till_of(people: People, house: House, slug: str) -> Page:
    """A till that stands in a shop."""
    till = await people.someone(TABLET)
    await owner_at(till, house, slug)
    await till.goto(house.of(slug, "/terminal"))
    if till.url.endswith("/place"):
        await stand_in_a_shop(till)
    return till


async def test_a_code_opens_its_card_once(house: House, people: People, tmp_path: Path) -> None:
    number = await enrol(await people.someone(PHONE), house, SLUG, "nora@example.com", CUSTOMER)
    video = film(tmp_path / "code.y4m", await link_of(house, SLUG, number))
    flags = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={video}")
    async with chromium(*flags, whole=True) as browser:
        visitors = People(browser)
        till = await till_of(visitors, house, SLUG)
        await till.context.grant_permissions(["camera"])
        scans: list[str] = []
        till.on("request", lambda request: scans.append(request.url) if request.method == "POST" else None)
        await till.get_by_role("button", name="Use camera").tap()
        await expect(till.get_by_role("heading", name=CUSTOMER)).to_be_visible(timeout=SECONDS * 1000)
        assert scans == [house.of(SLUG, "/terminal/scan")]

        await till.get_by_role("link", name="Back").tap()  # the camera starts by itself; the card still lies there
        await expect(till.get_by_role("button", name="Stop the camera")).to_be_visible(timeout=SECONDS * 1000)
        await seen_for_a_while(till)
        assert scans == [house.of(SLUG, "/terminal/scan")]
        await till.keyboard.type(f"{number}\n")  # a scanner that types does as ever
        await expect(till.get_by_role("heading", name=CUSTOMER)).to_be_visible(timeout=SECONDS * 1000)

        strangers = await till_of(visitors, house, STRANGERS)
        await strangers.context.grant_permissions(["camera"])
        await strangers.get_by_role("button", name="Use camera").tap()
        await expect(said(strangers, "This is not a card of this shop.")).to_be_visible(timeout=SECONDS * 1000)
        await strangers.get_by_role("button", name="Stop the camera").tap()
        await expect(strangers.get_by_role("textbox", name="Scan or type a card")).to_be_focused(timeout=SECONDS * 1000)
        await visitors.leave()
        assert visitors.faults == []


async def test_without_a_camera_there_is_a_sentence_and_the_field(house: House, people: People) -> None:
    till = await till_of(people, house, SLUG)
    field = till.get_by_role("textbox", name="Scan or type a card")
    assert await till.evaluate(LOADED) == []
    for error, sentence in (
        ("NotAllowedError", "The camera is not allowed here."),
        ("NotFoundError", "This device has no camera."),
        ("NotReadableError", "Another program is using the camera."),
    ):
        await till.evaluate(
            "name => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', name)); }", error
        )
        await till.get_by_role("button", name="Use camera").tap()
        await expect(said(till, sentence)).to_be_visible(timeout=SECONDS * 1000)
        await expect(field).to_be_focused(timeout=SECONDS * 1000)
    await till.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    await till.get_by_role("button", name="Use camera").tap()
    await expect(said(till, "This browser gives no access to a camera.")).to_be_visible(timeout=SECONDS * 1000)
    await expect(field).to_be_focused(timeout=SECONDS * 1000)


def said(till: Page, sentence: str) -> Locator:
    return till.get_by_role("status").filter(has_text=sentence)


async def seen_for_a_while(till: Page) -> None:
    """Wait until the camera has seen enough to read the code again, if it did."""
    async with asyncio.timeout(SECONDS):
        while await till.evaluate("document.querySelector('video').currentTime") < 1:
            await asyncio.sleep(0.02)
