"""The look page: themes that are offered, typed settings, a preview that is safe, and what customers then get."""

from __future__ import annotations

import io
import json
import re

from asyncpg import Connection
from pages_under_test import MakeWorld, actions_of, as_role, open_shop
from PIL import Image
from visitors import Seen, led_to, member_at, read

from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

PATH = "/manage/look"
STORED = "SELECT theme, branding FROM core.tenant WHERE id = $1"
FRAME = re.compile(r'data-frame-url="([^"]+)"')


def picture(kind: str = "PNG") -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (40, 30), "#7a3e1d").save(output, kind)
    return output.getvalue()


async def form_of(visitor: Browser, query: str = "") -> tuple[Seen, dict[str, str]]:
    """The form as it came, with the select that the page reader does not know; the stored images are sent again."""
    page = read(await visitor.get(f"{PATH}{query}"))
    return page, {"v.font": "inter", **page.fields}


async def stored(sql: Connection, world: World) -> tuple[str, dict[str, object]]:
    row = await sql.fetchrow(STORED, world.tenant.id)
    return row["theme"], json.loads(row["branding"])


async def test_a_look_is_chosen_saved_and_worn(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe, pizza = await open_shop(make_world, "cafe"), await open_shop(make_world, "pizza")
    owner, member, neighbour = await as_role(web, sql, cafe), await member_at(web, sql, cafe), web.at(pizza.host)
    page, form = await form_of(owner, "?theme=noir")
    assert f"{PATH}?theme=classic" in page.links
    assert form["theme"] == "noir"
    form |= {"v.primary": "#7A3E1D", "v.font": "fraunces", "v.radius": "4"}
    assert led_to(await owner.submit(PATH, form)) == PATH
    theme, branding = await stored(sql, cafe)
    assert (theme, branding["primary_color"]) == ("noir", "#7a3e1d")
    assert branding["theme_values"]["noir"]["font"] == "fraunces"  # type: ignore[index]
    assert branding["theme_values"]["noir"]["radius"] == 4  # type: ignore[index]
    assert await actions_of(sql, cafe) == ["tenant.look_changed"]
    card = (await member.get("/card")).text
    assert "/_assets/t/noir/" in card
    assert re.search(r'href="/_assets/host/font-fraunces\.\w+\.css"', card)
    sheet = (await member.get("/brand.css")).text
    assert "--brand: #7a3e1d;" in sheet
    assert '--font-brand: "Fraunces Variable"' in sheet
    assert "--radius-box: 4px;" in sheet
    assert "/_assets/t/noir/" not in (await owner.get("/manage/shops")).text, "merchants work with ours"
    assert "noir" not in (await neighbour.get("/")).text
    assert "--brand: #4f46e5;" in (await neighbour.get("/brand.css")).text
    _page, again = await form_of(owner)
    assert led_to(await owner.submit(PATH, again | {"v.font": "fraunces"})) == PATH
    assert len(await actions_of(sql, cafe)) == 1, "nothing new, nothing written"


async def test_values_of_another_theme_wait_for_it(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    owner = await as_role(web, sql, cafe)
    _page, form = await form_of(owner)
    await owner.submit(PATH, form | {"v.texture": "plain"})
    _page, form = await form_of(owner, "?theme=noir")
    await owner.submit(PATH, form)
    _page, form = await form_of(owner, "?theme=classic")
    assert form["v.texture"] == "plain"


async def test_a_preset_fills_the_form_and_saves_nothing(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe = await open_shop(make_world, "cafe")
    owner = await as_role(web, sql, cafe)
    page, _form = await form_of(owner)
    preset = next(link for link in page.links if "preset=" in link)
    _page, form = await form_of(owner, preset.removeprefix(PATH))
    assert (form["v.primary"], form["v.radius"], form["v.texture"]) == ("#0f766e", "20", "lines")
    assert (await stored(sql, cafe))[1].get("primary_color") is None
    assert await actions_of(sql, cafe) == []


async def test_faults_keep_what_was_typed(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    owner = await as_role(web, sql, cafe)
    _page, form = await form_of(owner)
    wrong = form | {"v.primary": "brown", "v.radius": "99", "v.texture": "x; }", "v.font": "comic"}
    page = read(await owner.submit(PATH, wrong), 422)
    for words in ("This is no colour such as #4f46e5.", "A number from 0 to 24 is needed.", "Choose one of these:"):
        assert words in page.text, words
    assert (page.fields["v.primary"], page.fields["v.radius"]) == ("brown", "99")
    assert await actions_of(sql, cafe) == []


async def test_the_preview_is_a_still_picture(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    owner = await as_role(web, sql, cafe)
    _page, form = await form_of(owner)
    answer = await owner.submit(f"{PATH}/preview", form | {"v.primary": "#facc15", "scheme": "dark", "v.radius": "x"})
    assert "#facc15 is hard to read here (1.3 to 1, at least 4.5 is needed)." in read(answer).text
    found = FRAME.search(answer.text)
    assert found
    url = found[1].replace("&amp;", "&")
    frame = await owner.get(url)
    assert "frame-ancestors 'self'" in frame.headers["content-security-policy"]
    assert "<script" not in frame.text
    assert 'data-theme="dark"' in frame.text
    assert "7 / 10 stamps" in read(frame).text
    style = re.search(r'href="(/manage/look/brand\.css[^"]+)"', frame.text)
    assert style
    sheet = (await owner.get(style[1].replace("&amp;", "&"))).text
    assert "--brand: #facc15;" in sheet
    assert "--radius-box: 12px;" in sheet, "what cannot be read counts as not set"
    assert (await web.at(cafe.host).get(url)).status_code == 303, "strangers are asked to sign in"
    assert (await (await as_role(web, sql, cafe, "staff")).get(url)).status_code == 403
    start = await owner.get(f"{PATH}/frame?page=home&theme=noir")
    assert "Get my card" in read(start).text


async def test_images_are_kept_and_taken_away(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe, pizza = await open_shop(make_world, "cafe"), await open_shop(make_world, "pizza")
    owner, other = await as_role(web, sql, cafe), await as_role(web, sql, pizza)
    _page, form = await form_of(owner, "?theme=noir")
    files = {"logo.file": ("sign.gif.png", picture(), "image/png"), "v.cover.file": ("a.jpg", picture("JPEG"), "x/y")}
    headers = {"Sec-Fetch-Site": "same-origin"}
    shown = read(await owner.post(PATH, data=form | {"step": "preview"}, files=files, headers=headers))
    assert (await stored(sql, cafe))[0] == "classic", "a preview saves nothing"
    logo, cover = shown.fields["logo"], shown.fields["v.cover"]
    assert (logo[:5], cover[:6], cover[-5:]) == ("logo-", "photo-", ".webp")
    assert led_to(await owner.submit(PATH, form | shown.fields)) == PATH
    _theme, branding = await stored(sql, cafe)
    assert (branding["logo"], branding["theme_values"]["noir"]["cover"]) == (logo, cover)  # type: ignore[index]
    home = (await web.at(cafe.host).get("/")).text
    assert f"/_assets/tenant/{cover}?v=" in home
    assert f'<link rel="icon" href="/_assets/tenant/{logo}?v=' in home
    stolen = await form_of(other, "?theme=noir")
    assert led_to(await other.submit(PATH, stolen[1] | {"v.cover": cover, "logo": logo})) == PATH
    _theme, branding = await stored(sql, pizza)
    assert branding["logo"] == ""
    assert branding["theme_values"]["noir"]["cover"] == ""  # type: ignore[index]
    _page, form = await form_of(owner)
    assert led_to(await owner.submit(PATH, form | {"v.cover.none": "1", "logo.none": "1"})) == PATH
    _theme, branding = await stored(sql, cafe)
    assert (branding["logo"], branding["theme_values"]["noir"]["cover"]) == ("", "")  # type: ignore[index]


async def test_back_to_the_theme(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    owner = await as_role(web, sql, cafe)
    page, form = await form_of(owner)
    assert f"{PATH}/reset" not in page.links
    await owner.submit(PATH, form | {"v.primary": "#7a3e1d", "v.radius": "4"})
    page, _form = await form_of(owner)
    assert f"{PATH}/reset" in page.links
    asked = read(await owner.get(f"{PATH}/reset"))
    assert "Your colour, your name and your logo stay." in asked.text
    assert led_to(await owner.submit(f"{PATH}/reset", {})) == PATH
    _page, form = await form_of(owner)
    assert (form["v.radius"], form["v.primary"]) == ("12", "#7a3e1d")
    assert await actions_of(sql, cafe) == ["tenant.look_changed", "tenant.look_changed"]


async def test_only_themes_that_are_offered(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe, own = await open_shop(make_world, "cafe"), await open_shop(make_world, "boulangerie")
    owner = await as_role(web, sql, cafe)
    page, form = await form_of(owner, "?theme=boulangerie")
    assert form["theme"] == "classic"
    assert f"{PATH}?theme=boulangerie" not in page.links
    await owner.submit(PATH, form | {"theme": "boulangerie"})
    assert (await stored(sql, cafe))[0] == "classic"
    await sql.execute("UPDATE core.tenant SET theme = 'boulangerie' WHERE id = $1", cafe.tenant.id)
    assert "/_assets/t/boulangerie/" not in (await web.at(cafe.host).get("/")).text, "not even so"
    page, _form = await form_of(await as_role(web, sql, own))
    assert f"{PATH}?theme=boulangerie" in page.links
    await sql.execute("UPDATE core.tenant SET theme = 'gone' WHERE id = $1", own.tenant.id)
    assert (await web.at(own.host).get("/")).status_code == 200, "a theme that is not installed any more"
