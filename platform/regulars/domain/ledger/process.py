"""The engine as a process has it, where there is no web around it."""

from __future__ import annotations

from datetime import timedelta

from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.rulebook import RuleBook
from regulars.domain.programs.cache import ProgramCache
from regulars.domain.staff.pins import PinPolicy
from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore


def make_ledger(config: Config, registry: PluginRegistry) -> Ledger:
    """The engine with caches of its own.

    Args:
        config: the configuration.
        registry: the loaded plugins.
    """
    policy = PinPolicy(config.pin_max_failed_attempts, timedelta(minutes=config.pin_lockout_minutes))
    rules = RuleBook(ProgramCache(), SettingsStore(registry, config.setting_default, config.encryption_key))
    return Ledger(registry, rules, policy, config.pin_pepper.encode())
