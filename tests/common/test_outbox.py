"""What the relay does with a row of the outbox that the stream cannot take."""

from collections.abc import Mapping
from uuid import uuid4

import sqlalchemy as sa

from hireflow.jobs.v1 import job_events_pb2
from services.common.bus import Bus
from services.common.database import Database
from services.common.outbox import Event, Relay
from tests.common.events import NOW, TABLES, send_all
from tests.common.toy import OUTBOX, updated


async def sent(database: Database, *identifiers: str) -> Mapping[str, bool]:
    """Whether the one event of each of these things was sent."""
    outbox = TABLES.outbox
    query = sa.select(outbox.c.aggregate_id, outbox.c.sent_at)
    async with database.read() as connection:
        rows = await connection.execute(query.where(outbox.c.aggregate_id.in_(identifiers)))
        return {row.aggregate_id: row.sent_at is not None for row in rows}


async def test_an_event_that_is_too_large_is_left_behind_and_its_neighbours_go(
    database: Database, bus: Bus
) -> None:
    before, large, after, later = (f"{name}-{uuid4().hex[:8]}" for name in "blal")
    facts = job_events_pb2.JobFacts(job_id=large, currency_code="x" * 1_048_500)
    too_large = Event(job_events_pb2.JobUpdated(job=facts), large, NOW)
    relay = Relay(database, bus, "toy")
    try:
        async with database.begin() as tx:
            await OUTBOX.record(tx, updated(before, NOW), too_large, updated(after, NOW))
        await send_all(relay)
        assert await sent(database, before, large, after) == {
            before: True,
            large: False,
            after: True,
        }
        async with database.begin() as tx:
            await OUTBOX.record(tx, updated(later, NOW))
        assert await relay.send_batch() == 1
        assert await sent(database, later) == {later: True}
    finally:
        # The other tests send whatever is left in this outbox.
        async with database.begin() as tx:
            left = TABLES.outbox.c.aggregate_id == large
            await tx.execute(sa.delete(TABLES.outbox).where(left))
