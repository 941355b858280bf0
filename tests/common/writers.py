"""Writers of many aggregates' events, and the check that each had its effect once and in order."""

import asyncio
import random
from collections import Counter

import sqlalchemy as sa

from services.common.database import Database
from services.common.errors import Conflict
from services.common.outbox import Event
from tests.common.events import NOW, TABLES, heard
from tests.common.toy import OUTBOX, updated

AGGREGATES = 40


class Writers:
    """Write events of many aggregates from a seed, a few at once, and remember what committed."""

    def __init__(self, database: Database, seed: int, pause: float) -> None:
        self._database = database
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._pause = pause
        self.committed: Counter[str] = Counter()
        self.stopped = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(4):
                tasks.create_task(self._write())

    async def _write(self) -> None:
        while not self.stopped:
            names = self._random.choices(range(AGGREGATES), k=self._random.randint(1, 3))
            events: list[Event] = [updated(f"r-{name}", NOW) for name in sorted(names)]
            try:
                async with self._database.begin() as tx:
                    await OUTBOX.record(tx, *events)
            except Conflict:
                continue  # another writer of the aggregate came first: nothing was recorded
            self.committed.update(event.aggregate_id for event in events)
            # Leaves the processors to the processes.
            await asyncio.sleep(self._random.uniform(0, self._pause))


async def in_effect(database: Database) -> Counter[str]:
    rows = await heard(database, "")
    return Counter(name for name, _ in rows)


async def assert_all_once_and_in_order(database: Database, committed: Counter[str]) -> None:
    """Every committed event had its effect once, in its aggregate's order, and nothing else had."""
    rows = await heard(database, "")
    for name, number in committed.items():
        assert [version for which, version in rows if which == name] == [*range(1, number + 1)]
    assert len(rows) == committed.total()
    held = TABLES.inbox_held
    async with database.read() as connection:
        assert (await connection.execute(sa.select(held))).all() == []
