"""The configuration: the one reader of the environment.

Every option is declared once, as a field of `Config`. A value comes from the environment; else from the data folder
that `REGULARS_DATA_DIR` names (`regulars up` keeps there what it computes); else from the default. Secrets and the
addresses of servers have no default.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from regulars.kernel.config_values import DatabaseUrl, FernetKey, HostName, LongSecret, Names, Networks, Port, RedisUrl

ENVIRONMENT_FILE = "environment.json"
"""File in the data folder with the variables that `regulars up` has computed (mode 0600)."""

PREFIXES = ("REGULARS_", "LOYALTY_")
_MASK = "********"

Source = Literal["default", "environment", "data folder"]


class ConfigError(Exception):
    """The environment makes no configuration; each line of the text is one sentence for the operator."""


@dataclass(frozen=True)
class Variable:
    """How a field of `Config` is named outside.

    Attributes:
        name: environment variable, `REGULARS_…`.
        description: one sentence for operators; collected for translation where it stands.
        aliases: other accepted names, tried in order after `name`.
        secret: whether the value is masked wherever it is shown.
    """

    name: str
    description: str
    aliases: tuple[str, ...] = ()
    secret: bool = False


class Config(BaseModel):
    """Everything that an operator decides outside of the database. Made by `load_config` only; never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    env: Annotated[
        Literal["production", "demo", "test"],
        Variable("REGULARS_ENV", "What this installation is for; 'demo' and 'test' may move the clock."),
    ] = "production"
    base_domain: Annotated[
        HostName, Variable("REGULARS_BASE_DOMAIN", "Domain below which each tenant has its sub-domain.")
    ] = "localhost"
    scheme: Annotated[
        Literal["http", "https"], Variable("REGULARS_SCHEME", "Scheme of the addresses that visitors see.")
    ] = "http"
    port: Annotated[Port, Variable("REGULARS_PORT", "Port on which the web server listens.")] = 8000
    public_port: Annotated[
        Port,
        Variable("REGULARS_PUBLIC_PORT", "Port in visitors' addresses (default: 443 for https, else port)."),
    ]
    bind: Annotated[str, Variable("REGULARS_BIND", "Address on which the web server listens.")] = "127.0.0.1"
    console_host: Annotated[
        HostName, Variable("REGULARS_CONSOLE_HOST", "Host of the operator's console (default: console.<base domain>).")
    ]
    data_dir: Annotated[Path, Variable("REGULARS_DATA_DIR", "Folder for uploads and, with 'up', for the servers.")] = (
        Path("var/data")
    )

    database_url_app: Annotated[
        DatabaseUrl, Variable("REGULARS_DATABASE_URL_APP", "Database, as the role bound to one tenant.", secret=True)
    ] = Field(repr=False)
    database_url_platform: Annotated[
        DatabaseUrl,
        Variable("REGULARS_DATABASE_URL_PLATFORM", "Database, as the role of console and jobs.", secret=True),
    ] = Field(repr=False)
    database_url_migrator: Annotated[
        DatabaseUrl,
        Variable("REGULARS_DATABASE_URL_MIGRATOR", "Database, as the role that owns the tables.", secret=True),
    ] = Field(repr=False)
    pool_size: Annotated[
        int, Field(ge=1, le=500), Variable("REGULARS_POOL_SIZE", "Connections per role and process.")
    ] = 10
    pool_timeout: Annotated[
        float, Field(gt=0), Variable("REGULARS_POOL_TIMEOUT", "Seconds to wait for a free connection.")
    ] = 10.0
    redis_url: Annotated[
        RedisUrl, Variable("REGULARS_REDIS_URL", "Redis or Valkey, for jobs, limits and live updates.", secret=True)
    ] = Field(repr=False)

    live_connections: Annotated[
        int,
        Field(ge=0, le=100_000),
        Variable(
            "REGULARS_LIVE_CONNECTIONS",
            "Open pages per process that are told of changes at once; the others ask every few seconds (0: all do).",
        ),
    ] = 2000

    secret_key: Annotated[
        LongSecret, Variable("REGULARS_SECRET_KEY", "Signs cookies and tokens; at least 32 bytes.", secret=True)
    ] = Field(repr=False)
    pin_pepper: Annotated[
        LongSecret, Variable("REGULARS_PIN_PEPPER", "Key of the PIN hashes; at least 32 bytes.", secret=True)
    ] = Field(repr=False)
    encryption_key: Annotated[
        FernetKey, Variable("REGULARS_ENCRYPTION_KEY", "Fernet key of the stored secrets of plugins.", secret=True)
    ] = Field(repr=False)

    smtp_host: Annotated[
        HostName | None, Variable("REGULARS_SMTP_HOST", "Mail server; without it mails land in the console's mailbox.")
    ] = None
    smtp_port: Annotated[Port, Variable("REGULARS_SMTP_PORT", "Port of the mail server.")] = 587
    smtp_user: Annotated[str | None, Variable("REGULARS_SMTP_USER", "User name at the mail server.")] = None
    smtp_password: Annotated[
        str | None, Variable("REGULARS_SMTP_PASSWORD", "Password at the mail server.", secret=True)
    ] = Field(default=None, repr=False)
    smtp_starttls: Annotated[bool, Variable("REGULARS_SMTP_STARTTLS", "Whether STARTTLS is demanded.")] = True
    mail_from: Annotated[str, Variable("REGULARS_MAIL_FROM", "Sender of mails (default: no-reply@<base domain>).")]

    signups_per_hour: Annotated[
        int,
        Field(ge=0, le=100_000),
        Variable("REGULARS_SIGNUPS_PER_HOUR", "Merchants that may sign up by themselves in an hour; 0 closes sign-up."),
    ] = 60
    verify_within_days: Annotated[
        int,
        Field(ge=1, le=365),
        Variable(
            "REGULARS_VERIFY_WITHIN_DAYS",
            "Days after which a merchant that has signed up is suspended, unless an owner's address has proved right.",
        ),
    ] = 7
    contact: Annotated[
        str, Variable("REGULARS_CONTACT", "Mail address for questions, shown on the platform's own pages.")
    ] = ""

    trusted_proxies: Annotated[
        Networks,
        Variable("REGULARS_TRUSTED_PROXIES", "Networks (CIDR, comma-separated) whose X-Forwarded-* are believed."),
    ] = ()
    domain_target: Annotated[
        HostName,
        Variable("REGULARS_DOMAIN_TARGET", "Name that merchants' own domains point to (default: the base domain)."),
    ]
    dns_server: Annotated[
        str, Variable("REGULARS_DNS_SERVER", "Name server (address or address:port) asked for merchants' domains.")
    ] = ""
    web_workers: Annotated[
        int, Field(ge=1, le=64), Variable("REGULARS_WEB_WORKERS", "Processes of the web server.")
    ] = 1
    drain_seconds: Annotated[
        float,
        Field(ge=0, le=300),
        Variable(
            "REGULARS_DRAIN_SECONDS",
            "Seconds for which a stopping web server still serves while `/readyz` says no: more than the load balancer "
            "needs to notice.",
        ),
    ] = 1.0
    admin_bind: Annotated[
        str, Variable("REGULARS_ADMIN_BIND", "Address on which metrics and health are told to the operator.")
    ] = "127.0.0.1"
    admin_port: Annotated[
        int, Field(ge=0, le=65535), Variable("REGULARS_ADMIN_PORT", "Port of the same, such as 9464; 0 for none.")
    ] = 0
    metrics_dir: Annotated[
        Path | None,
        Variable(
            "REGULARS_METRICS_DIR",
            "Folder of this machine through which several commands share one admin port (default: each has its own).",
        ),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Variable("REGULARS_LOG_LEVEL", "Least severity that is logged.")
    ] = "info"
    log_json: Annotated[bool, Variable("REGULARS_LOG_JSON", "Log lines as JSON instead of text.")] = True

    sentry_dsn: Annotated[
        str | None,
        Variable("REGULARS_SENTRY_DSN", "Service that gets scrubbed errors (Sentry's protocol).", secret=True),
    ] = Field(default=None, repr=False)

    plugins: Annotated[
        Names | None, Variable("REGULARS_PLUGINS", "Names of the plugins to load, comma-separated (default: all).")
    ] = None
    plugin_blocklist: Annotated[
        Names, Variable("REGULARS_PLUGIN_BLOCKLIST", "Names of plugins never to load, comma-separated.")
    ] = ()
    plugin_errors: Annotated[
        Literal["fail", "quarantine"],
        Variable("REGULARS_PLUGIN_ERRORS", "Whether a faulty plugin or theme stops the start or is left out."),
    ] = "fail"

    themes_dir: Annotated[
        Path | None, Variable("REGULARS_THEMES_DIR", "Folder with themes of this installation, one folder each.")
    ] = None
    tenants_dir: Annotated[
        Path | None,
        Variable("REGULARS_TENANTS_DIR", "Folder with the themes of single tenants, <slug>/theme/ each."),
    ] = None

    pin_max_failed_attempts: Annotated[
        int,
        Field(ge=1, le=100),
        Variable(
            "REGULARS_PIN_MAX_FAILED_ATTEMPTS",
            "Wrong PINs in a row after which a staff member is locked.",
            aliases=("LOYALTY_PIN_MAX_FAILED_ATTEMPTS",),
        ),
    ] = 5
    pin_lockout_minutes: Annotated[
        int,
        Field(ge=1, le=10080),
        Variable(
            "REGULARS_PIN_LOCKOUT_MINUTES",
            "Minutes for which a locked staff member stays locked.",
            aliases=("LOYALTY_PIN_LOCKOUT_MINUTES",),
        ),
    ] = 30
    expiry_notice_days: Annotated[
        int,
        Field(ge=1, le=365),
        Variable("REGULARS_EXPIRY_NOTICE_DAYS", "Days before units expire at which the event units.expiring comes."),
    ] = 14

    sources: Mapping[str, tuple[Source, str]] = Field(default_factory=dict, repr=False)
    """Field name → where its value came from and the variable's name as it was written there."""
    plugin_variables: Mapping[str, str] = Field(default_factory=dict, repr=False)
    """`REGULARS_…` and `LOYALTY_…` variables that the host itself does not declare: defaults of plugin settings."""

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, values: dict[str, object]) -> dict[str, object]:
        base = values.get("base_domain", "localhost")
        port = 443 if values.get("scheme") == "https" else values.get("port", 8000)
        derived = {
            "console_host": f"console.{base}",
            "mail_from": f"no-reply@{base}",
            "public_port": port,
            "domain_target": base,
        }
        return derived | values

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        urls = (self.database_url_app, self.database_url_platform, self.database_url_migrator)
        if len({urlsplit(url).username for url in urls}) < 3:
            raise ValueError(
                "REGULARS_DATABASE_URL_APP, REGULARS_DATABASE_URL_PLATFORM and REGULARS_DATABASE_URL_MIGRATOR "
                "must name three different roles"
            )
        if self.secret_key == self.pin_pepper:
            raise ValueError("REGULARS_SECRET_KEY and REGULARS_PIN_PEPPER must differ")
        return self

    def url(self, host: str, path: str = "/") -> str:
        """Give the address that a visitor sees.

        Args:
            host: host name without port.
            path: absolute path, with query where there is one.
        """
        usual = {"http": 80, "https": 443}[self.scheme]
        port = "" if self.public_port == usual else f":{self.public_port}"
        return f"{self.scheme}://{host}{port}{path}"

    def setting_default(self, names: Sequence[str]) -> str | None:
        """Look up the first of `names` (a settings field's `env=`) that the environment has, else None.

        Variables of the host itself are not given away here: a plugin cannot read the host's secrets so.
        """
        return next((self.plugin_variables[name] for name in names if name in self.plugin_variables), None)


class Described(NamedTuple):
    """One line of `regulars config`.

    Attributes:
        name: the variable's own name.
        value: effective value as text; masked where it is secret.
        source: where the value came from.
        alias: the other name under which the value was found, else None.
        description: one sentence.
    """

    name: str
    value: str
    source: Source
    alias: str | None
    description: str


def variables() -> dict[str, Variable]:
    """Give every declared variable by the name of its field in `Config`, in the order of declaration."""
    return {
        field: meta
        for field, info in Config.model_fields.items()
        for meta in info.metadata
        if isinstance(meta, Variable)
    }


def load_config(environ: Mapping[str, str]) -> Config:
    """Make the configuration.

    Args:
        environ: the process's environment; an empty value counts as not set.

    Returns:
        The frozen configuration.

    Raises:
        ConfigError: one sentence per fault, each naming its variable; secrets are not repeated.
    """
    stored = _stored_variables(environ)
    declared = variables()
    values: dict[str, object] = {}
    sources: dict[str, tuple[Source, str]] = {}
    places: tuple[tuple[Source, Mapping[str, str]], ...] = (("environment", environ), ("data folder", stored))
    for field, variable in declared.items():
        for source, place in places:
            name = next((name for name in (variable.name, *variable.aliases) if place.get(name)), None)
            if name is not None:
                values[field], sources[field] = place[name], (source, name)
                break
    own = {name for variable in declared.values() for name in (variable.name, *variable.aliases)}
    merged = stored | {name: value for name, value in environ.items() if value}
    values["sources"] = sources
    values["plugin_variables"] = {
        name: value for name, value in merged.items() if name.startswith(PREFIXES) and name not in own
    }
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_sentences(error, values, sources))) from None


def describe(config: Config) -> Iterator[Described]:
    """Give every option with its effective value (secrets masked) and where the value came from."""
    for field, variable in variables().items():
        value = getattr(config, field)
        source, name = config.sources.get(field, ("default", variable.name))
        text = _MASK if variable.secret and value is not None else _text(value)
        yield Described(variable.name, text, source, None if name == variable.name else name, variable.description)


def _stored_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Read what `regulars up` keeps in the data folder, but only in a folder that the environment names."""
    folder = environ.get("REGULARS_DATA_DIR")
    if not folder:
        return {}
    path = Path(folder) / ENVIRONMENT_FILE
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except PermissionError:
        raise ConfigError(f"{path} cannot be read: run this as the user who started the data folder.") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); start `regulars up` again to write it anew.") from None
    return {str(name): str(value) for name, value in dict(content).items()}


def _sentences(
    error: ValidationError, values: Mapping[str, object], sources: Mapping[str, tuple[Source, str]]
) -> Iterator[str]:
    declared = variables()
    for fault in error.errors(include_url=False, include_input=False):
        if not fault["loc"]:
            yield f"{fault['msg'].removeprefix('Value error, ')}."
            continue
        field = str(fault["loc"][0])
        variable = declared[field]
        if fault["type"] == "missing":
            yield (
                f"{variable.name} is not set. {variable.description} Set it, or name the data folder of "
                f"`regulars up` with REGULARS_DATA_DIR."
            )
            continue
        if field not in values:
            continue  # derived from an option whose own fault is told
        _, name = sources[field]
        shown = "" if variable.secret else f" is {values.get(field)!r}"
        message = fault["msg"].removeprefix("Value error, ")
        yield f"{name}{shown}: {message[0].lower()}{message[1:]}."


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
