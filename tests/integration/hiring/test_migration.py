from tests.migrations_check import assert_migrated
from workflows.hiring import wiring
from workflows.hiring.store.tables import METADATA
from workflows.settings import HiringSettings


async def test_the_migrations_make_the_tables_that_the_store_knows(
    settings: HiringSettings,
) -> None:
    await assert_migrated(settings, wiring.SCHEMA, wiring.MIGRATIONS, METADATA)
