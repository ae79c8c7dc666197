"""What strangers may call their shops: proposals, and names that would deceive somebody."""

from __future__ import annotations

from itertools import islice

import pytest

from regulars.contracts.errors import InvalidInput
from regulars.domain.signup.addresses import check_address, others, propose
from regulars.domain.signup.countries import country_list, home_of, is_country, likely_country
from regulars.kernel.i18n import use_locale


@pytest.mark.parametrize(
    ("name", "country", "address"),
    [
        ("Café Šiaulių", "LT", "cafe-siauliu"),
        ("Straßencafé", "DE", "strassencafe"),
        ("Bäckerei Müller", "DE", "baeckerei-mueller"),
        ("Räpina Kohvik", "EE", "rapina-kohvik"),
        ("O’Neill & Sons", "IE", "oneill-sons"),
        ("  L'Épicerie -- du  Coin! ", "FR", "lepicerie-du-coin"),
        ("Кофе", "UA", "kofe"),
        ("☕", "LU", ""),
        ("☕ Bar 7", "LU", "bar-7"),
        ("A very long name of a very small place in town", "GB", "a-very-long-name-of-a-very-small-place"),
        ("x" * 60, "GB", "x" * 40),
    ],
)
def test_an_address_is_made_of_the_name(name: str, country: str, address: str) -> None:
    assert propose(name, country) == address


@pytest.mark.parametrize("slug", ["cafe", "mall", "apple-pie", "square-one", "barn", "clan", "7-sins", "alpha"])
def test_honest_names_are_let_through(slug: str) -> None:
    check_address(slug)


@pytest.mark.parametrize(
    "slug",
    [
        *("a", "x" * 41, "-cafe", "cafe-", "ca--fe", "cafe--test", "xn--caf-dma", "café", "cafе", "ca fe", "ca.fe", ""),
        *("www", "api", "console", "admin", "mail", "assets", "hooks", "status", "docs", "app", "login", "support"),
    ],
)
def test_what_is_no_address_or_reserved_is_refused(slug: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_address(slug)
    assert list(refused.value.fields) == ["slug"]


@pytest.mark.parametrize(
    "slug",
    [
        "rnail",
        "adm1n",
        "l0gin",
        "log-in",
        "a-p-i",
        "c0ns0le",
        "supp0rt",
        "paypa1",
        "g00gle",
        "paypal-login",
        "app1e-pay",
    ],
)
def test_look_alikes_are_refused(slug: str) -> None:
    with pytest.raises(InvalidInput, match="looks like another one"):
        check_address(slug)


def test_what_is_proposed_instead() -> None:
    assert list(islice(others("cafe", "LU"), 4)) == ["cafe", "cafe-lu", "cafe-2", "cafe-3"]
    assert list(islice(others("", "LU"), 2)) == ["shop", "shop-lu"]
    assert all(len(slug) <= 40 for slug in islice(others("x" * 40, "LU"), 30))


@pytest.mark.parametrize(
    ("header", "country"),
    [("de-LU,de;q=0.9", "LU"), ("en-GB", "GB"), ("lt", "LT"), ("fr;q=0.8", "FR"), ("", ""), ("*", ""), ("xx-YY", "")],
)
def test_a_browser_suggests_a_country(header: str, country: str) -> None:
    assert likely_country(header) == country


def test_what_follows_from_a_country() -> None:
    spoken = ("en", "lt", "fr", "de")
    home = home_of("LU", "en", spoken)
    assert (home.currency, home.timezone, home.locales) == ("EUR", "Europe/Luxembourg", ("fr", "de", "en"))
    assert home_of("US", "en", spoken).timezone == "America/New_York"
    assert home_of("US", "en", spoken, "America/Denver").timezone == "America/Denver"
    assert home_of("US", "en", spoken, "Europe/Berlin").timezone == "America/New_York"
    assert home_of("XK", "en", spoken).currency == "EUR"
    assert home_of("AQ", "lt", spoken).locales == ("lt",)


def test_countries_are_named_in_the_readers_language() -> None:
    with use_locale("de", "UTC"):
        names = dict(country_list())
    assert names["LU"] == "Luxemburg"
    assert len(names) > 240
    assert [name for name in names.values() if name.startswith("Ö")] == ["Österreich"]
    assert is_country("LU")
    assert not is_country("ZZ")
