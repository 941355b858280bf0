"""Whether a schema as its migrations made it is what its store says."""

from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.common.database import Database
from services.common.migrations import migrate
from services.common.settings import Settings
from services.common.tables import chassis_tables


async def assert_migrated(
    settings: Settings, schema: str, folder: Path, metadata: sa.MetaData
) -> None:
    """Migrate the schema, twice, and compare it with the store's tables and the chassis' own.

    Raises:
        AssertionError: they differ; it names every difference.

    """
    await migrate(settings, schema, folder)
    await migrate(settings, schema, folder)
    chassis_tables(metadata)

    def compare(connection: sa.Connection) -> list[object]:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == schema,
            "version_table": "migration",
            "version_table_schema": schema,
            "compare_server_default": False,
        }
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    async with Database.open(settings, "check") as database, database.begin() as transaction:
        differences = await transaction.run_sync(compare)
    assert not differences, "\n".join(map(str, differences))
