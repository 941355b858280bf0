from services.common.settings import Settings
from services.jobs import wiring
from services.jobs.store import tables
from tests.migrations_check import assert_migrated


async def test_the_migrations_make_the_tables_that_the_store_knows(settings: Settings) -> None:
    await assert_migrated(settings, wiring.SCHEMA, wiring.MIGRATIONS, tables.METADATA)
