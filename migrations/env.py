"""Alembic environment shared by all targets: the runner passes connection and schema."""

from alembic import context

from regulars.kernel.db.base import metadata
from regulars.kernel.migrate.runner import in_schema

attributes = context.config.attributes
schema = attributes["schema"]

context.configure(
    connection=attributes["connection"],
    target_metadata=metadata,
    version_table="alembic_version",
    version_table_schema=schema,
    include_schemas=True,
    include_name=in_schema(schema),
    include_object=lambda item, _name, kind, *_: kind != "table" or item.schema == schema,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
