from services.proposals import wiring
from services.proposals.store.tables import METADATA
from tests.integration.proposals.world import World
from tests.migrations_check import assert_migrated


async def test_the_migrations_make_the_tables_that_the_store_knows(world: World) -> None:
    settings = world.workspace.settings
    await assert_migrated(settings, wiring.SCHEMA, wiring.MIGRATIONS, METADATA)
