"""What `regulars up` prints when everything runs: addresses, and the demo's log-ins."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from regulars.kernel.config import Config

DEMO_FILE = "demo.json"
"""File in the data folder that `regulars demo-data` writes: a `DemoSummary` as JSON (mode 0600)."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str


class Address(_Part):
    """A page worth opening; scheme and port are those of the running server, whatever stands here."""

    url: str


class Login(_Part):
    """Somebody who can log in."""

    user: str
    password: str
    pin: str | None = None


class ApiKey(_Part):
    """A key for the API."""

    key: str


class DemoSummary(BaseModel):
    """Everything that a visitor of the demo needs to know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    addresses: tuple[Address, ...] = ()
    logins: tuple[Login, ...] = ()
    api_keys: tuple[ApiKey, ...] = ()


def demo_lines(config: Config, data: Path) -> list[str]:
    """Describe the demo that the data folder holds."""
    summary = DemoSummary.model_validate_json((data / DEMO_FILE).read_bytes())
    addresses = [(address.label, _here(config, address.url)) for address in summary.addresses]
    logins = [(login.label, _login(login)) for login in summary.logins]
    keys = [(key.label, key.key) for key in summary.api_keys]
    return ["", *_table(addresses), "", "Log-ins", *_table(logins), "", "API keys", *_table(keys)]


def plain_lines(config: Config, data: Path) -> list[str]:
    """Describe an installation without demo data."""
    return [
        "",
        *_table([("Platform", config.url(config.base_domain)), ("Console", config.url(config.console_host))]),
        "",
        "To make an operator, who may log in to the console:",
        f"  REGULARS_DATA_DIR={data} regulars operator add you@example.com 'Your name'",
    ]


def _here(config: Config, url: str) -> str:
    parts = urlsplit(url)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return config.url(parts.hostname or config.base_domain, path)


def _login(login: Login) -> str:
    pin = f"   PIN {login.pin}" if login.pin else ""
    return f"{login.user}   {login.password}{pin}"


def _table(rows: list[tuple[str, str]]) -> list[str]:
    width = max((len(label) for label, _ in rows), default=0)
    return [f"  {label:<{width}}  {value}" for label, value in rows]
