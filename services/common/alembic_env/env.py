"""What alembic runs: the connection and the schema come from `services.common.migrations`."""

from alembic import context

_given = context.config.attributes
context.configure(
    connection=_given["connection"],
    version_table="migration",
    version_table_schema=_given["schema"],
)
context.run_migrations()
