"""Bringing the database to what a folder describes. A second run changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from regulars.contracts.context import Context, Principal
from regulars.contracts.errors import RegularsError
from regulars.domain.audit.actors import SYSTEM
from regulars.domain.tenants import service
from regulars.domain.tenants.features import FEATURE_NAMES
from regulars.domain.tenants.files.changes import Change
from regulars.domain.tenants.files.inner_steps import inner_steps, steps_of_new
from regulars.domain.tenants.files.platform_steps import REASON, offering_steps, tenant_steps
from regulars.domain.tenants.files.reading import Declared, DeclaredTenant, FilesError
from regulars.domain.tenants.logos import store_logo, store_photo
from regulars.domain.tenants.rebase import PLATFORM_NAME
from regulars.domain.tenants.repository import fetch_snapshot_by_id
from regulars.kernel.db.database import Database
from regulars.kernel.entitlements import SnapshotBuilder
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore

ACTOR = Principal(kind="system", name="tenant files")


@dataclass(frozen=True, slots=True)
class Applier:
    """Compares and applies.

    Attributes:
        base_domain: of this installation.
        data_dir: where pictures are kept.
    """

    database: Database
    registry: PluginRegistry
    settings: SettingsStore
    base_domain: str
    data_dir: Path

    async def plan(self, declared: Declared) -> list[Change]:
        """What `apply` would do; changes nothing."""
        return await self._run(declared, make=False)

    async def apply(self, declared: Declared) -> list[Change]:
        """Bring the database to what is declared: offerings first, then tenant by tenant.

        Args:
            declared: what was read.

        Returns:
            What was changed.

        Raises:
            FilesError: a tenant's folder cannot be applied; those before it are.
        """
        return await self._run(declared, make=True)

    async def _run(self, declared: Declared, *, make: bool) -> list[Change]:
        changes: list[Change] = []
        async with self.database.platform(REASON) as session:
            if make:
                await service.add_platform(session, SYSTEM, self.base_domain, PLATFORM_NAME)
            for step in await offering_steps(session, declared.offerings):
                changes.append(step.change)
                if make:
                    await step.make(session)
        for tenant in declared.tenants:
            async with _told_with(tenant):
                changes += await self._tenant(tenant, make=make)
        return changes

    async def _tenant(self, tenant: DeclaredTenant, *, make: bool) -> list[Change]:
        changes: list[Change] = []
        async with self.database.platform(REASON) as session:
            tenant_id, steps = await tenant_steps(session, tenant, self.base_domain)
            for step in steps:
                changes.append(step.change)
                if make:
                    await step.make(session)
            if make:
                tenant_id = await service.find_by_slug(session, tenant.slug)
        if tenant_id is None:
            return [*changes, *steps_of_new(tenant)]
        if make:
            await self._store_pictures(tenant, tenant_id)
        return [*changes, *await self._inside(tenant, tenant_id, make=make)]

    async def _inside(self, tenant: DeclaredTenant, tenant_id: UUID, *, make: bool) -> list[Change]:
        raw = await fetch_snapshot_by_id(self.database, tenant_id)
        assert raw is not None
        snapshot = SnapshotBuilder(self.registry, FEATURE_NAMES).build(raw).snapshot
        ctx = Context(tenant=snapshot, principal=ACTOR, locale=snapshot.default_locale, source="console")
        async with self.database.tenant(tenant_id, read_only=not make) as session:
            steps = await inner_steps(session, ctx, tenant, self.settings)
            for step in steps:
                if make:
                    await step.make(session)
        return [step.change for step in steps]

    async def _store_pictures(self, tenant: DeclaredTenant, tenant_id: UUID) -> None:
        """Keep logo and pictures, for the sandbox too, whose profile and settings name the same files."""
        if tenant.logo is None and not tenant.pictures:
            return
        async with self.database.platform(REASON) as session:
            family = await service.family_ids(session, tenant_id)
        for one in family:
            if tenant.logo is not None:
                store_logo(self.data_dir, one, tenant.logo)
            for picture in tenant.pictures:
                store_photo(self.data_dir, one, picture)


@asynccontextmanager
async def _told_with(tenant: DeclaredTenant) -> AsyncIterator[None]:
    """Say which file it was when something cannot be done."""
    try:
        yield
    except FilesError:
        raise
    except RegularsError as error:
        fields = [f"{tenant.path}: {key}: {sentence}" for key, sentence in error.extra.get("fields", {}).items()]
        raise FilesError("\n".join(fields) or f"{tenant.path}: {error}") from error
