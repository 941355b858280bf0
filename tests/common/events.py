"""What the tests of events share: a handler that writes down, and ways to wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.jobs.v1 import job_events_pb2
from services.common.bus import EVENTS, Bus
from services.common.consumer import Consumer
from services.common.database import Database
from services.common.inbox import Received, Subscription
from services.common.outbox import Relay, cloud_event, event_type
from services.common.tables import chassis_tables
from tests.common.toy import HEARD, METADATA, OUTBOX, updated

NOW = datetime(2026, 11, 1, tzinfo=UTC)
UPDATED = event_type(job_events_pb2.JobUpdated)
TABLES = chassis_tables(METADATA)


class Hearing:
    """A consumer's handler: writes down what it hears, and fails where told to."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.poison: set[tuple[str, int]] = set()
        self.calls = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def hear(self, tx: AsyncConnection, event: Received) -> None:
        if not event.aggregate_id.startswith(self.prefix):
            return
        await self.may_go_on.wait()
        self.calls += 1
        heard = {"thing_id": event.aggregate_id, "type": str(event.version)}
        await tx.execute(sa.insert(HEARD).values(heard))
        assert event.message(job_events_pb2.JobUpdated).job.job_id == event.aggregate_id
        if (event.aggregate_id, event.version) in self.poison:
            raise ValueError("poison")


@asynccontextmanager
async def consuming(
    database: Database, bus: Bus, hearing: Hearing, name: str
) -> AsyncIterator[Subscription]:
    subscription = Subscription(
        consumer=name,
        subjects=("hireflow.jobs.v1.job.*",),
        handlers={UPDATED: hearing.hear},
        retry_delays=(0.01, 0.02, 0.03, 0.04),
    )
    task = asyncio.create_task(Consumer(database, bus, "toy", subscription).run())
    try:
        yield subscription
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with_stream = await bus.jetstream()
        await with_stream.delete_consumer(EVENTS, name)


async def record(database: Database, *identifiers: str) -> None:
    for identifier in identifiers:
        async with database.begin() as tx:
            await OUTBOX.record(tx, updated(identifier, NOW))


async def heard(database: Database, prefix: str) -> list[tuple[str, int]]:
    async with database.read() as connection:
        rows = await connection.execute(
            sa.select(HEARD).where(HEARD.c.thing_id.startswith(prefix)).order_by(HEARD.c.number)
        )
        return [(row.thing_id.removeprefix(prefix), int(row.type)) for row in rows]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what it waits for is in the database
            await asyncio.sleep(0.02)


async def until_heard(database: Database, prefix: str, expected: list[tuple[str, int]]) -> None:
    async def all_are() -> bool:
        return sorted(await heard(database, prefix)) == sorted(expected)

    try:
        await until(all_are)
    except TimeoutError:
        assert await heard(database, prefix) == expected


async def send_all(relay: Relay) -> None:
    while await relay.send_batch():
        pass


async def messages(database: Database, bus: Bus, identifier: str) -> list[Received]:
    """Read an aggregate's events as the relay would send them, without it."""
    outbox = TABLES.outbox
    async with database.begin() as tx:
        rows = await tx.execute(
            sa.select(outbox).where(outbox.c.aggregate_id == identifier).order_by(outbox.c.version)
        )
        received = [Received.read(row.type, cloud_event("toy", row), row.data) for row in rows]
        marked = sa.update(outbox).where(outbox.c.aggregate_id == identifier)
        await tx.execute(marked.values(sent_at=sa.func.now()))
    return received


async def held(database: Database, prefix: str) -> int:
    table = TABLES.inbox_held
    async with database.read() as connection:
        found = await connection.execute(
            sa.select(sa.func.count()).where(table.c.aggregate_id.startswith(prefix))
        )
        number: int = found.scalar_one()
        return number


async def stuck_event(database: Database, prefix: str) -> str | None:
    table = TABLES.inbox
    async with database.read() as connection:
        found = await connection.execute(
            sa.select(table.c.stuck_event_id).where(
                table.c.aggregate_id.startswith(prefix), table.c.stuck_event_id.isnot(None)
            )
        )
        event: str | None = found.scalar_one_or_none()
        return event
