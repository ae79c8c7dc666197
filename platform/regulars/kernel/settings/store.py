"""Settings of all plugins for all tenants: default, then environment, then what the tenant has set."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel, SecretStr, ValidationError

from regulars.contracts.context import Context, TenantSnapshot
from regulars.contracts.errors import ConfigurationError, Conflict, InvalidInput
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import repository
from regulars.kernel.settings.kinds import Environment, SettingDefault, SettingsKind, describe_defaults, make_kind
from regulars.kernel.settings.repository import Expected, StoredSettings
from regulars.kernel.validation import field_errors

_MAX_TENANTS = 2048
NEW = "new"
"""Version of settings that a tenant has never saved."""


@dataclass(frozen=True, slots=True)
class Edition:
    """The settings that hold together in one scope.

    Attributes:
        models: plugin → settings.
        numbers: plugin → number of its version; 0 where nobody has saved any.
    """

    models: Mapping[str, BaseModel]
    numbers: Mapping[str, int]


@dataclass(slots=True)
class _Entry:
    """What one tenant has set, at one revision; models are made when they are first asked for."""

    revision: int
    rows: Mapping[tuple[str, UUID], StoredSettings]
    models: dict[tuple[str, UUID], BaseModel] = field(default_factory=dict)
    sets: dict[tuple[UUID, frozenset[str]], Edition] = field(default_factory=dict)


class SettingsStore:
    """The settings of one process, kept per tenant and revision: a warm call asks no query.

    What is read is kept only when the reading transaction sees the very revision of the snapshot; one that has changed
    settings itself sees a later one, so what it may yet take back is never kept.

    Args:
        plugins: the loaded plugins.
        environment: variables → value, `Config.setting_default`.
        encryption_key: Fernet key of the stored secrets.
        max_tenants: how many tenants to remember.

    Raises:
        ConfigurationError: a variable's value does not fit its setting.
    """

    def __init__(
        self,
        plugins: PluginRegistry,
        environment: Environment,
        encryption_key: str,
        max_tenants: int = _MAX_TENANTS,
    ) -> None:
        self._kinds = {
            plugin.name: make_kind(plugin, environment)
            for plugin in plugins.plugins
            if plugin.settings_model is not None
        }
        self.units = plugins.unit_providers
        self._fernet = Fernet(encryption_key)
        self._entries: OrderedDict[UUID, _Entry] = OrderedDict()
        self._max_tenants = max_tenants

    def defaults(self, plugin: str) -> BaseModel:
        """What holds where a tenant has set nothing.

        Raises:
            KeyError: the plugin is not loaded or has no settings.
        """
        return self._kinds[plugin].defaults

    def secrets(self, plugin: str) -> frozenset[str]:
        """Names of the fields that are secrets; errors as for `defaults`."""
        return self._kinds[plugin].secrets

    def variables(self) -> list[SettingDefault]:
        """The settings that the environment can change, in loading order."""
        return [line for kind in self._kinds.values() for line in describe_defaults(kind)]

    async def get(self, session: TenantSession, tenant: TenantSnapshot, plugin: str, scope_id: UUID) -> BaseModel:
        """The settings of one plugin.

        Args:
            session: a transaction of this tenant.
            tenant: the snapshot of the request.
            plugin: a loaded plugin that has settings.
            scope_id: the program; a plugin whose settings are the tenant's takes no notice of it.

        Raises:
            KeyError: the plugin is not loaded or has no settings.
            ConfigurationError: what is stored is of another version or cannot be read.
        """
        return self._model(await self._entry(session, tenant), tenant, plugin, scope_id)

    async def get_all(self, session: TenantSession, tenant: TenantSnapshot, scope_id: UUID) -> Mapping[str, BaseModel]:
        """The settings of every enabled plugin that has some; arguments and errors as for `get`."""
        return (await self.edition(session, tenant, scope_id)).models

    async def edition(self, session: TenantSession, tenant: TenantSnapshot, scope_id: UUID) -> Edition:
        """As `get_all`, with the numbers of the versions."""
        entry = await self._entry(session, tenant)
        key = (scope_id, tenant.enabled)
        if key not in entry.sets:
            names = [name for name in self._kinds if name in tenant.enabled]
            rows = {name: entry.rows.get((name, self._scope(tenant, name, scope_id))) for name in names}
            entry.sets[key] = Edition(
                MappingProxyType({name: self._model(entry, tenant, name, scope_id) for name in names}),
                MappingProxyType({name: row.number if row else 0 for name, row in rows.items()}),
            )
        return entry.sets[key]

    async def of_version(
        self, session: TenantSession, tenant: TenantSnapshot, plugin: str, scope_id: UUID, number: int
    ) -> BaseModel | None:
        """The settings of one plugin as they were in a version; without secrets, which no version keeps.

        Args:
            session, tenant, plugin, scope_id: as for `get`.
            number: of the version; 0 for what holds where nobody has saved any.

        Returns:
            The settings, `None` when the plugin reads such a version no more, or there is none of that number.

        Raises:
            KeyError: the plugin is not loaded or has no settings.
        """
        kind = self._kinds[plugin]
        if number == 0:
            return kind.defaults
        row = await repository.read_version(session, plugin, self._scope(tenant, plugin, scope_id), number)
        return None if row is None else self.read_values(plugin, row.version, row.values)

    def read_values(self, plugin: str, version: int, values: Mapping[str, Any]) -> BaseModel | None:
        """The settings that a version's values say, `None` when the plugin reads such values no more.

        Args:
            plugin: its name.
            version: of the settings model that the values are of.
            values: as the version keeps them.
        """
        kind = self._kinds.get(plugin)
        if kind is None or version != kind.version:
            return None
        try:
            return kind.model.model_validate(values)
        except ValidationError:  # the plugin has become stricter since
            return None

    async def holds_since(
        self,
        session: TenantSession,
        tenant: TenantSnapshot,
        plugin: str,
        scope_id: UUID,
        holds: Callable[[BaseModel], bool],
    ) -> datetime | None:
        """Since when something has been so in a plugin's settings without a break.

        Args:
            session, tenant, plugin, scope_id: as for `get`.
            holds: asked of the settings of each version, from the newest back; one that cannot be read is a break.

        Returns:
            When the oldest of those versions came; `None` when it was never otherwise, or is not so now.
        """
        since = None
        for row in await repository.read_versions(session, plugin, self._scope(tenant, plugin, scope_id)):
            settings = self.read_values(plugin, row.version, row.values)
            if settings is None or not holds(settings):
                return since
            since = row.effective_from
        return None if holds(self._kinds[plugin].defaults) else since

    async def version(self, session: TenantSession, tenant: TenantSnapshot, plugin: str, scope_id: UUID) -> str:
        """A mark of what is stored now, to be given back with `save` so that nobody's changes are overwritten."""
        stored = await repository.read(session, plugin, self._scope(tenant, plugin, scope_id))
        return stored.updated_at.isoformat() if stored is not None else NEW

    async def save(
        self,
        session: TenantSession,
        ctx: Context,
        plugin: str,
        scope_id: UUID,
        values: Mapping[str, Any],
        expected_version: str | None = None,
        *,
        note: str = "",
    ) -> BaseModel:
        """Store what a tenant has set, as a new version; the caller audits it.

        Args:
            session: the unit of work.
            ctx: of the request.
            plugin: a loaded plugin that has settings.
            scope_id: as for `get`.
            values: field → value. Fields that are left out stay as they are, as does a secret that is empty; `None`
                forgets a secret.
            expected_version: what `version` said when the form was shown, `None` to overwrite.
            note: what the change is about, in the merchant's words.

        Returns:
            The new settings.

        Raises:
            InvalidInput: a field is unknown or not the tenant's, or its value is not acceptable.
            Conflict: somebody else has saved in the meantime.
        """
        kind = self._kinds[plugin]
        scope = self._scope(ctx.tenant, plugin, scope_id)
        stored = await repository.read(session, plugin, scope)
        public, secrets = self._merged(kind, stored, values)
        model = _checked(kind, public, secrets)
        number = await repository.write(
            session,
            plugin,
            scope,
            version=kind.version,
            values=model.model_dump(mode="json", include=set(public)),
            secrets=self._encrypted(secrets),
            expected=None if expected_version is None else _expected(expected_version),
        )
        if number is None:
            raise Conflict(_("Somebody else has changed these settings in the meantime. Please load the page again."))
        await repository.keep_version(
            session,
            plugin=plugin,
            scope_id=scope,
            number=number,
            version=kind.version,
            values=model.model_dump(mode="json", exclude=set(kind.secrets)),
            actor_kind=ctx.principal.kind,
            actor_id=ctx.principal.id,
            actor_name=ctx.principal.name,
            note=note,
        )
        self._entries.pop(ctx.tenant.id, None)
        return model

    async def try_out(
        self, session: TenantSession, tenant: TenantSnapshot, plugin: str, scope_id: UUID, values: Mapping[str, Any]
    ) -> BaseModel:
        """What `save` would store and return, without storing it; arguments and errors as there."""
        kind = self._kinds[plugin]
        stored = await repository.read(session, plugin, self._scope(tenant, plugin, scope_id))
        return _checked(kind, *self._merged(kind, stored, values))

    def _scope(self, tenant: TenantSnapshot, plugin: str, scope_id: UUID) -> UUID:
        return tenant.id if self._kinds[plugin].scope == "tenant" else scope_id

    async def _entry(self, session: TenantSession, tenant: TenantSnapshot) -> _Entry:
        kept = self._entries.get(tenant.id)
        if kept is not None and kept.revision == tenant.revision:
            self._entries.move_to_end(tenant.id)
            return kept
        revision, rows = await repository.read_all(session)
        entry = _Entry(revision, {(row.plugin, row.scope_id): row for row in rows})
        if revision == tenant.revision:
            self._entries[tenant.id] = entry
            self._entries.move_to_end(tenant.id)
            while len(self._entries) > self._max_tenants:
                self._entries.popitem(last=False)
        return entry

    def _model(self, entry: _Entry, tenant: TenantSnapshot, plugin: str, scope_id: UUID) -> BaseModel:
        key = (plugin, self._scope(tenant, plugin, scope_id))
        stored = entry.rows.get(key)
        if stored is None:
            return self._kinds[plugin].defaults
        if key not in entry.models:
            entry.models[key] = self._read(self._kinds[plugin], stored)
        return entry.models[key]

    def _read(self, kind: SettingsKind, stored: StoredSettings) -> BaseModel:
        if stored.version != kind.version:
            raise ConfigurationError(
                f"settings of the plugin {kind.plugin} are stored in version {stored.version}, it has {kind.version}"
            )
        try:
            return kind.model.model_validate({**kind.environment, **stored.values, **self._decrypted(stored)})
        except ValidationError as error:
            fields = ", ".join(sorted(field_errors(error)))
            raise ConfigurationError(f"stored settings of the plugin {kind.plugin} do not fit: {fields}") from None

    def _merged(
        self, kind: SettingsKind, stored: StoredSettings | None, values: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """What will be stored: (public values, secrets)."""
        if refused := kind.operators & values.keys():
            sentence = _("Only whoever runs the platform can set this.")
            raise InvalidInput(_("Some settings cannot be saved."), fields=dict.fromkeys(sorted(refused), sentence))
        public = {**(stored.values if stored else {}), **_without(values, kind.secrets)}
        secrets = self._decrypted(stored) if stored else {}
        for name in kind.secrets & values.keys():
            text = _text(values[name])
            if text is None:
                secrets.pop(name, None)
            elif text:
                secrets[name] = text
        return public, secrets

    def _encrypted(self, secrets: Mapping[str, str]) -> bytes | None:
        return self._fernet.encrypt(json.dumps(dict(secrets)).encode()) if secrets else None

    def _decrypted(self, stored: StoredSettings) -> dict[str, str]:
        if stored.secrets is None:
            return {}
        try:
            secrets: dict[str, str] = json.loads(self._fernet.decrypt(stored.secrets))
        except InvalidToken:
            raise ConfigurationError(
                f"stored secrets of the plugin {stored.plugin} cannot be read: REGULARS_ENCRYPTION_KEY was changed"
            ) from None
        return secrets


def _checked(kind: SettingsKind, public: Mapping[str, Any], secrets: Mapping[str, str]) -> BaseModel:
    try:
        return kind.model.model_validate({**kind.environment, **public, **secrets})
    except ValidationError as error:
        raise InvalidInput(_("Some settings cannot be saved."), fields=field_errors(error)) from None


def _expected(version: str) -> Expected:
    if version == NEW:
        return Expected(None)
    try:
        moment = datetime.fromisoformat(version)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(_("The version of these settings is not known. Please load the page again."))
    return Expected(moment)


def _without(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    left = set(names)
    return {name: value for name, value in values.items() if name not in left}


def _text(value: Any) -> str | None:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
