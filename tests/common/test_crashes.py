"""Processes that relay and consume, killed -9 at random instants while others write."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.local.forking import ForkServer
from services.common.database import Database
from services.common.migrations import migrate
from services.common.settings import Settings
from tests.common.conftest import MIGRATIONS, Child, database_url, nats_server
from tests.common.desk import own
from tests.common.toy_process import ToyProcess, toy_process
from tests.common.writers import Writers, assert_all_once_and_in_order, in_effect
from tests.waiting import until

SEED = 20261123
KILLS = 8


@pytest.fixture
async def made(postgres: Child, settings: Settings, tmp_path: Path) -> AsyncIterator[Settings]:
    async with nats_server(tmp_path / "nats") as nats:
        nats_url = f"nats://127.0.0.1:{nats.port}"
        # So short that whatever is published again after a kill is stored again.
        made = own(
            settings,
            await database_url(postgres),
            nats_url,
            nats_duplicate_window=0.1,
            nats_ack_wait=3,
        )
        await migrate(made, "toy", MIGRATIONS)
        yield made


@pytest.mark.timeout(240)
async def test_kills_at_random_instants_lose_nothing_double_nothing_and_keep_the_order(
    made: Settings, tmp_path: Path, forks: ForkServer
) -> None:
    drawn = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    async with AsyncExitStack() as resources:
        database = await resources.enter_async_context(Database.open(made, "test"))
        processes: list[ToyProcess] = [
            await resources.enter_async_context(
                toy_process(made, tmp_path / f"log-{number}", forks)
            )
            for number in range(2)
        ]
        writers = Writers(database, SEED, pause=0.25)
        writing = asyncio.create_task(writers.run())
        interrupted = 0
        for _ in range(KILLS):
            victim = drawn.choice(processes)
            # From before it serves to well under way: a start takes a few tenths of a second.
            await asyncio.sleep(drawn.uniform(0.05, 1.0))
            await victim.kill()
            behind = writers.committed.total() - (await in_effect(database)).total()
            interrupted += behind > 0
            await victim.start()
        writers.stopped = True
        await writing
        assert interrupted, f"no kill of seed {SEED} met anything under way"

        async def all_are() -> bool:
            return (await in_effect(database)).total() >= writers.committed.total()

        await until(all_are, 90)
        await assert_all_once_and_in_order(database, writers.committed)
