"""Dead letters: events that failed at every try, and behind each the rest of its aggregate.

The stream HIREFLOW_DEAD has a copy of each, with why; what is listed and replayed is in the
inbox's own tables, which hold the event itself and what waits behind it, in order.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import notify
from services.common.inbox import channel
from services.common.tables import chassis_tables

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that its consumer gave up, and at which its aggregate is stuck.

    Attributes:
        consumer: who gave it up.
        event_id: its id.
        event_type: its type.
        aggregate_type: what kind of thing it is about.
        aggregate_id: which.
        version: its place in the aggregate's order.
        event_time: when it happened.
        tries: how often it was tried.
        reason: the name of the last error; empty where an older build gave up.
        since: when it was given up; None where an older build did.
        waiting: how many events wait behind it, up to 10,000.

    """

    consumer: str
    event_id: str
    event_type: str
    aggregate_type: str
    aggregate_id: str
    version: int
    event_time: datetime
    tries: int
    reason: str
    since: datetime | None
    waiting: int


async def list_dead_letters(
    connection: AsyncConnection, schema: str, consumer: str, after_event_id: str, limit: int
) -> list[DeadLetter]:
    """List a consumer's dead letters by event id: one range of the index of what is stuck."""
    tables = chassis_tables(sa.MetaData(schema=schema))
    inbox, held = tables.inbox, tables.inbox_held
    behind = tables.inbox_held.alias("behind")
    waiting = (
        sa.select(behind.c.version)
        .where(_same_aggregate(behind, inbox), behind.c.version > inbox.c.version + 1)
        .limit(MOST_COUNTED)
        .correlate(inbox)
        .subquery()
    )
    found = await connection.execute(
        sa.select(
            inbox,
            held.c.headers,
            held.c.tries,
            sa.select(sa.func.count()).select_from(waiting).scalar_subquery().label("waiting"),
        )
        .join(held, _same_aggregate(held, inbox) & (held.c.version == inbox.c.version + 1))
        .where(
            inbox.c.consumer == consumer,
            inbox.c.stuck_event_id.is_not(None),
            inbox.c.stuck_event_id > after_event_id,
        )
        .order_by(inbox.c.stuck_event_id)
        .limit(limit)
    )
    return [
        DeadLetter(
            consumer=row.consumer,
            event_id=row.stuck_event_id,
            event_type=row.headers["ce-type"],
            aggregate_type=row.aggregate_type,
            aggregate_id=row.aggregate_id,
            version=row.version + 1,
            event_time=datetime.fromisoformat(row.headers["ce-time"]),
            tries=row.tries,
            reason=row.stuck_reason or "",
            since=row.stuck_time,
            waiting=row.waiting,
        )
        for row in found
    ]


async def replay(
    transaction: AsyncConnection, schema: str, consumer: str, event_id: str = ""
) -> int:
    """Resume the aggregate that is stuck at this dead letter, or all of the consumer's.

    The consumer tries each event again at once, as if for the first time, and then the events that
    waited behind it. Answers how many aggregates resume; a repeat finds none.
    """
    tables = chassis_tables(sa.MetaData(schema=schema))
    inbox, held = tables.inbox, tables.inbox_held
    stuck = inbox.c.stuck_event_id
    freed = (
        sa.update(inbox)
        .where(inbox.c.consumer == consumer, stuck == event_id if event_id else stuck.is_not(None))
        .values(stuck_event_id=None, stuck_reason=None, stuck_time=None)
        .returning(inbox.c.consumer, inbox.c.aggregate_type, inbox.c.aggregate_id, inbox.c.version)
        .cte("freed")
    )
    again = (
        sa.update(held)
        .where(_same_aggregate(held, freed), held.c.version == freed.c.version + 1)
        .values(tries=0, retry_time=sa.func.now())
    )
    replayed = (await transaction.execute(again)).rowcount
    await notify(transaction, channel(schema, consumer))
    return replayed


def _same_aggregate(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    names = ("consumer", "aggregate_type", "aggregate_id")
    return sa.and_(*(one.c[name] == other.c[name] for name in names))
