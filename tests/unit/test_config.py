"""The one reader of the environment."""

import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from regulars.kernel.config import Config, ConfigError, describe, load_config, variables
from regulars.kernel.paths import bundled

KEY = Fernet.generate_key().decode()
NEEDED = {
    "REGULARS_DATABASE_URL_APP": "postgresql+asyncpg://regulars_app:a@db:5432/regulars",
    "REGULARS_DATABASE_URL_PLATFORM": "postgresql://regulars_platform:b@db:5432/regulars",
    "REGULARS_DATABASE_URL_MIGRATOR": "postgres://regulars_migrator:c@db:5432/regulars",
    "REGULARS_REDIS_URL": "redis://:r@cache:6379/0",
    "REGULARS_SECRET_KEY": "s" * 32,
    "REGULARS_PIN_PEPPER": "p" * 32,
    "REGULARS_ENCRYPTION_KEY": KEY,
}


def load(**more: str) -> Config:
    return load_config(NEEDED | more)


def sentences(**more: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(**more)
    return str(caught.value).splitlines()


def test_defaults() -> None:
    config = load()
    assert config.env == "production"
    assert (config.base_domain, config.scheme, config.port, config.bind) == ("localhost", "http", 8000, "127.0.0.1")
    assert config.console_host == "console.localhost"
    assert config.mail_from == "no-reply@localhost"
    assert config.plugins is None
    assert config.trusted_proxies == ()
    assert (config.pin_max_failed_attempts, config.pin_lockout_minutes) == (5, 30)
    assert config.database_url_platform == "postgresql+asyncpg://regulars_platform:b@db:5432/regulars"


def test_values_of_the_environment_are_typed() -> None:
    config = load(
        REGULARS_PORT="8123",
        REGULARS_PLUGINS="stamps, antifraud",
        REGULARS_TRUSTED_PROXIES="10.0.0.0/8,::1/128",
        REGULARS_LOG_JSON="false",
        REGULARS_BASE_DOMAIN="Loyal.Example.",
    )
    assert config.port == 8123
    assert config.plugins == ("stamps", "antifraud")
    assert [str(network) for network in config.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert config.log_json is False
    assert config.base_domain == "loyal.example"
    assert config.console_host == "console.loyal.example"


def test_an_empty_value_is_no_value() -> None:
    assert load(REGULARS_PORT="", REGULARS_PLUGINS="").port == 8000


def test_addresses_that_visitors_see() -> None:
    assert load().url("cafe.localhost") == "http://cafe.localhost:8000/"
    secure = load(REGULARS_SCHEME="https", REGULARS_BASE_DOMAIN="loyal.example")
    assert secure.url("cafe.loyal.example", "/card?a=1") == "https://cafe.loyal.example/card?a=1"


def test_alias_of_the_brief_is_accepted_and_our_name_wins() -> None:
    assert load(LOYALTY_PIN_LOCKOUT_MINUTES="7").pin_lockout_minutes == 7
    both = load(LOYALTY_PIN_LOCKOUT_MINUTES="7", REGULARS_PIN_LOCKOUT_MINUTES="8")
    assert both.pin_lockout_minutes == 8


def test_missing_secret_is_a_sentence_with_its_name() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({name: value for name, value in NEEDED.items() if name != "REGULARS_PIN_PEPPER"})
    assert str(caught.value) == (
        "REGULARS_PIN_PEPPER is not set. Key of the PIN hashes; at least 32 bytes. Set it, or name the data folder of "
        "`regulars up` with REGULARS_DATA_DIR."
    )


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({})
    assert [line.split(" ")[0] for line in str(caught.value).splitlines()] == list(NEEDED)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "REGULARS_PORT",
            "eighty",
            "REGULARS_PORT is 'eighty': input should be a valid integer, unable to parse string as an integer.",
        ),
        ("REGULARS_PORT", "70000", "REGULARS_PORT is '70000': input should be less than or equal to 65535."),
        (
            "LOYALTY_PIN_LOCKOUT_MINUTES",
            "0",
            "LOYALTY_PIN_LOCKOUT_MINUTES is '0': input should be greater than or equal to 1.",
        ),
        ("REGULARS_ENV", "live", "REGULARS_ENV is 'live': input should be 'production', 'demo' or 'test'."),
        ("REGULARS_SECRET_KEY", "short", "REGULARS_SECRET_KEY: at least 32 bytes are needed."),
        (
            "REGULARS_ENCRYPTION_KEY",
            "k" * 44,
            "REGULARS_ENCRYPTION_KEY: a Fernet key is needed (32 bytes in URL-safe base64).",
        ),
        (
            "REGULARS_DATABASE_URL_APP",
            "mysql://a:b@c/d",
            (
                "REGULARS_DATABASE_URL_APP: an address like "
                "postgresql+asyncpg://user:password@host:5432/database is needed."
            ),
        ),
        ("REGULARS_PIN_PEPPER", "s" * 32, "REGULARS_SECRET_KEY and REGULARS_PIN_PEPPER must differ."),
    ],
)
def test_fault_names_its_variable(name: str, value: str, sentence: str) -> None:
    assert sentences(**{name: value}) == [sentence]


def test_three_addresses_with_the_same_role_are_refused() -> None:
    same = NEEDED["REGULARS_DATABASE_URL_APP"]
    (sentence,) = sentences(REGULARS_DATABASE_URL_PLATFORM=same)
    assert sentence == (
        "REGULARS_DATABASE_URL_APP, REGULARS_DATABASE_URL_PLATFORM and REGULARS_DATABASE_URL_MIGRATOR must name three "
        "different roles."
    )


def test_description_masks_secrets_and_tells_sources() -> None:
    lines = {line.name: line for line in describe(load(LOYALTY_PIN_LOCKOUT_MINUTES="7", REGULARS_PORT="8123"))}
    assert list(lines) == [variable.name for variable in variables().values()]
    assert lines["REGULARS_PORT"][1:4] == ("8123", "environment", None)
    assert lines["REGULARS_BIND"][1:4] == ("127.0.0.1", "default", None)
    assert lines["REGULARS_PIN_LOCKOUT_MINUTES"][1:4] == ("7", "environment", "LOYALTY_PIN_LOCKOUT_MINUTES")
    assert lines["REGULARS_SECRET_KEY"][1:4] == ("********", "environment", None)
    assert lines["REGULARS_SMTP_PASSWORD"][1:4] == ("", "default", None)


def test_no_secret_shows_in_the_text_of_the_object() -> None:
    text = repr(load())
    assert [value for value in NEEDED.values() if value in text] == []


def test_data_folder_gives_what_the_environment_does_not(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text(json.dumps(NEEDED | {"REGULARS_PORT": "8123", "REGULARS_ENV": "demo"}))
    config = load_config({"REGULARS_DATA_DIR": str(tmp_path), "REGULARS_PORT": "9000"})
    lines = {line.name: line for line in describe(config)}
    assert (config.port, config.env) == (9000, "demo")
    assert (lines["REGULARS_PORT"].source, lines["REGULARS_ENV"].source) == ("environment", "data folder")


def test_damaged_data_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text("{")
    with pytest.raises(ConfigError, match=r"environment\.json cannot be read .* start `regulars up` again"):
        load_config({"REGULARS_DATA_DIR": str(tmp_path)})


def test_plugin_defaults_come_from_the_environment_but_never_the_hosts_secrets() -> None:
    config = load(LOYALTY_DEFAULT_COOLDOWN_MINUTES="20", REGULARS_MAX_DAILY_STAMPS="3", HOME="/home/x")
    assert config.setting_default(["REGULARS_DEFAULT_COOLDOWN_MINUTES", "LOYALTY_DEFAULT_COOLDOWN_MINUTES"]) == "20"
    assert config.setting_default(["REGULARS_MAX_DAILY_STAMPS"]) == "3"
    assert config.setting_default(["REGULARS_SECRET_KEY"]) is None
    assert config.setting_default(["HOME"]) is None
    assert config.setting_default(["LOYALTY_UNKNOWN"]) is None


def test_the_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1  # type: ignore[misc]


def test_bundled_folders_are_found() -> None:
    assert bundled("migrations").name == "migrations"
    with pytest.raises(FileNotFoundError, match="without its folder 'nothing'"):
        bundled("nothing")
