import asyncio

from services.common.migrations import migrate
from services.common.settings import Settings
from tests.common.conftest import MIGRATIONS
from tests.common.toy import METADATA
from tests.migrations_check import assert_migrated


async def test_a_migrated_schema_is_what_the_store_and_the_chassis_say(settings: Settings) -> None:
    await assert_migrated(settings, "toy", MIGRATIONS, METADATA)


async def test_two_migrations_at_once_wait_for_each_other(settings: Settings) -> None:
    await asyncio.gather(*(migrate(settings, "toy", MIGRATIONS) for _ in range(3)))
