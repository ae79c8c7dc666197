"""Where a visitor may be sent: paths of the same host, nothing else."""

from __future__ import annotations

import pytest

from regulars.web.redirects import safe_path, with_next
from regulars.web.results import Redirect

EVIL = (
    "",
    None,
    "manage",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "https:evil.example",
    "https://evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "@evil.example",
    "/a\r\nSet-Cookie: x=y",
    "/a b",
    "/\u2215evil.example",
    "/\uff0fevil.example",
    "/%0d%0a\\x",
    "/a\\b",
    "/a\x00",
    "/\u00e9",
)


@pytest.mark.parametrize("text", EVIL)
def test_elsewhere_is_refused(text: str | None) -> None:
    assert safe_path(text, "/home") == "/home"


@pytest.mark.parametrize("text", ["/", "/manage", "/manage/members?q=a&page=2", "/a//b", "/%2F%2Fevil", "/p/x#top"])
def test_paths_of_the_host_are_kept(text: str) -> None:
    assert safe_path(text, "/home") == text


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "manage", "/a\r\nX: y"])
def test_a_view_cannot_send_elsewhere(path: str) -> None:
    with pytest.raises(ValueError, match="no path of this host"):
        Redirect(path)


def test_the_way_back_is_quoted() -> None:
    assert with_next("/log-in", "/members", "q=a&b=c") == "/log-in?next=%2Fmembers%3Fq%3Da%26b%3Dc"
    assert with_next("/log-in", "/caf\u00e9 bar", "") == "/log-in?next=%2Fcaf%25C3%25A9%2520bar"
    assert with_next("/log-in", "//evil.example", "") == "/log-in"
