"""Declaring jobs and crons, schedules, backoff, payloads."""

from datetime import UTC, datetime, time, timedelta
from types import ModuleType
from uuid import UUID

import pytest

from regulars.contracts.errors import ConfigurationError
from regulars.contracts.manifest import Subscription
from regulars.kernel.jobs import CronTick, Daily, Every, JobRegistry, JobWork, cron, job
from regulars.kernel.jobs.backoff import retry_delay
from regulars.kernel.jobs.enqueue import plain_payload
from regulars.kernel.jobs.ports import Timing
from regulars.kernel.jobs.registry import RegisteredJob
from regulars.kernel.jobs.work import EventInfo, event_payload, split_payload

NOW = datetime(2026, 11, 23, 9, 8, 7, tzinfo=UTC)


async def handler(work: JobWork, payload: object) -> None: ...


async def tick(given: CronTick) -> None: ...


def test_every_hour_is_on_the_hour() -> None:
    assert Every(hours=1).latest(NOW) == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert Every(minutes=15).latest(NOW) == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert Every(seconds=10).latest(NOW) == datetime(2026, 11, 23, 9, 8, tzinfo=UTC)


def test_daily_is_at_the_zones_time() -> None:
    schedule = Daily(time(2), "Europe/Luxembourg")
    assert schedule.latest(NOW) == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert schedule.latest(datetime(2026, 11, 23, 0, 59, 59, tzinfo=UTC)) == datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert schedule.latest(datetime(2026, 7, 1, 0, 0, tzinfo=UTC)) == datetime(2026, 7, 1, 0, tzinfo=UTC)


def test_daily_runs_once_when_the_clocks_change() -> None:
    schedule = Daily(time(2, 30), "Europe/Luxembourg")
    spring = {schedule.latest(datetime(2026, 3, 28, 12, tzinfo=UTC) + timedelta(minutes=n)) for n in range(2 * 24 * 60)}
    assert sorted(spring) == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]
    autumn = {
        schedule.latest(datetime(2026, 10, 24, 12, tzinfo=UTC) + timedelta(minutes=n)) for n in range(2 * 24 * 60)
    }
    assert sorted(autumn) == [
        datetime(2026, 10, 24, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


def test_each_retry_waits_twice_as_long_up_to_an_hour() -> None:
    assert [retry_delay(n, jitter=0).total_seconds() for n in (1, 2, 3, 4, 11, 40)] == [5, 10, 20, 40, 3600, 3600]
    assert retry_delay(1, jitter=1).total_seconds() == 6
    assert retry_delay(1, jitter=-1).total_seconds() == 4
    assert 4 <= retry_delay(1).total_seconds() <= 6


def test_a_declaration_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="does not match"):
        job("Core.x")(handler)
    with pytest.raises(ConfigurationError, match="must be an async function"):
        job("plain")(lambda work, payload: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(ConfigurationError, match="above zero"):
        job("never", max_attempts=0)(handler)
    with pytest.raises(ConfigurationError, match="must be an async function"):
        cron("plain", Every(hours=1))(lambda tick: None)  # type: ignore[arg-type, return-value]


def test_two_jobs_of_one_name_are_refused() -> None:
    definition = job("same")(handler)
    with pytest.raises(ConfigurationError, match=r"two jobs are named core\.same"):
        JobRegistry([RegisteredJob("core.same", None, definition), RegisteredJob("core.same", None, definition)])


def test_a_subscription_needs_its_job() -> None:
    with pytest.raises(ConfigurationError, match=r"core\.missing subscribes to member\.enrolled"):
        JobRegistry.build([], [Subscription("member.enrolled", "missing")])


class SomePlugin:
    name = "stamps"

    def __init__(self, module: ModuleType) -> None:
        self.job_modules = (module,)


class SomePlugins:
    def __init__(self, module: ModuleType, *on_enrolment: str) -> None:
        self.plugins = (SomePlugin(module),)
        self.subscriptions = {"member.enrolled": on_enrolment}


def module_with(**items: object) -> ModuleType:
    module = ModuleType(handler.__module__)
    vars(module).update(items)
    return module


def test_names_are_given_by_who_brings_the_job() -> None:
    plugins = SomePlugins(module_with(expire=job("expire")(handler)), "stamps.expire")
    registry = JobRegistry.build([], [], plugins)
    found = registry.find("stamps.expire")
    assert found is not None
    assert found.plugin == "stamps"
    assert registry.find("core.expire") is None
    assert registry.subscribers("member.enrolled") == (found,)
    assert registry.subscribers("sale.recorded") == ()


def test_a_plugin_may_not_have_a_cron_in_sight_of_all_tenants() -> None:
    with pytest.raises(ConfigurationError, match="the plugin stamps has a @cron"):
        JobRegistry.build([], [], SomePlugins(module_with(tick=cron("tick", Every(hours=1))(tick))))


def test_what_a_module_only_imports_is_not_its_own() -> None:
    module = ModuleType("somewhere.else")
    vars(module)["expire"] = job("expire")(handler)
    assert JobRegistry.build([], [], SomePlugins(module)).find("stamps.expire") is None


def test_payloads_are_plain_json() -> None:
    identifier = UUID("01890000-0000-7000-8000-000000000001")
    assert plain_payload({"id": identifier, "at": NOW, "n": [1, None]}) == {
        "id": str(identifier),
        "at": "2026-11-23T09:08:07+00:00",
        "n": [1, None],
    }
    with pytest.raises(TypeError):
        plain_payload({"x": object()})
    with pytest.raises(ValueError, match="store it first"):
        plain_payload({"x": "y" * 40_000})
    with pytest.raises(ValueError, match="may not start with"):
        plain_payload({"$event": {}})


def test_an_event_travels_beside_the_payload() -> None:
    identifier = UUID("01890000-0000-7000-8000-000000000001")
    event = EventInfo(identifier, "sale.recorded", 1, 7, None, NOW)
    assert split_payload(event_payload(event, {"a": 1})) == ({"a": 1}, event)
    assert split_payload({"a": 1}) == ({"a": 1}, None)


def test_the_usual_times_keep_what_is_promised() -> None:
    usual = Timing()
    assert usual.lease + usual.poll <= 30, "a dead worker's job is taken over"
    assert usual.resend + usual.poll <= 60, "what Redis lost is handed over again"
    assert usual.heartbeat * 3 < usual.lease, "two signs of life may be missed"
