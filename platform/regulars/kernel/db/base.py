"""Tables: one metadata with a naming convention, one declarative base for the host and one for each plugin."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, MetaData, Text, Uuid, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry
from uuid_utils.compat import uuid7

CORE_SCHEMA = "core"
PLUGIN_SCHEMA_PREFIX = "plg_"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
TYPES: dict[Any, Any] = {
    UUID: Uuid(),
    datetime: DateTime(timezone=True),
    str: Text(),
    int: BigInteger(),
    bytes: BYTEA(),
    dict[str, Any]: JSONB(),
    list[str]: JSONB(),
    list[dict[str, Any]]: JSONB(),
}
CORE_NOW = text("core.now()")


def new_id() -> UUID:
    """A new time-ordered key (UUIDv7, RFC 9562), made in Python so that it is known before the INSERT."""
    return uuid7()


class Base(DeclarativeBase):
    """Declarative base of the host's tables."""

    registry = registry(metadata=metadata, type_annotation_map=TYPES)
    __abstract__ = True


class TenantTable:
    """Mixin of every table that holds a tenant's rows: the key starts with `tenant_id`."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-2)


class TenantEntity(TenantTable):
    """Mixin of tenant rows that have an id of their own."""

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1, default=new_id)


class PluginTables:
    """What makes a declarative base that of a plugin: `class Base(PluginTables, DeclarativeBase, plugin="stamps")`.

    The class registry is the plugin's own (two plugins may both have a class `Card`) and the schema is `plg_<name>`,
    so an author cannot forget it: tables name only `__tablename__`.
    """

    __abstract__: ClassVar[bool]
    __table_args__: Any
    registry: ClassVar[registry]
    _schema: ClassVar[str]

    def __init_subclass__(cls, plugin: str | None = None, **kwargs: Any) -> None:
        if plugin is not None:
            cls.__abstract__ = True
            cls.registry = registry(metadata=metadata, class_registry={}, type_annotation_map=TYPES)
            cls._schema = f"{PLUGIN_SCHEMA_PREFIX}{plugin}"
        elif DeclarativeBase in cls.__bases__:
            raise TypeError(f'{cls.__name__} must name its plugin: class {cls.__name__}(…, plugin="stamps")')
        else:
            args = getattr(cls, "__table_args__", ())
            options = dict(args[-1]) if args and isinstance(args[-1], dict) else {}
            constraints = tuple(a for a in args if not isinstance(a, dict))
            cls.__table_args__ = (*constraints, {**options, "schema": cls._schema})
        super().__init_subclass__(**kwargs)
