"""How far events are behind: what the outbox has not sent, what consumers have not applied."""

from datetime import UTC, datetime

import nats.js.errors
import sqlalchemy as sa
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from opentelemetry.metrics import Observation

from services.common.bus import EVENTS, Bus
from services.common.database import Database
from services.common.inbox import Subscription
from services.common.metrics import Figures, Gauge
from services.common.tables import ChassisTables, chassis_tables

# Counting is bounded: while a dependency is away, what waits grows for hours.
MOST = 10_000

UNSENT = Gauge("hireflow.outbox.unsent", "{event}", "Events recorded and not sent, up to 10,000.")
UNSENT_AGE = Gauge("hireflow.outbox.unsent.age", "s", "Age of the oldest event that is not sent.")
RESENDING = Gauge(
    "hireflow.outbox.resending", "{event}", "Events still to be sent again, up to 10,000."
)
PENDING = Gauge(
    "hireflow.consumer.pending", "{event}", "Events in the stream that are not acknowledged."
)
PENDING_AGE = Gauge(
    "hireflow.consumer.pending.age", "s", "Age of the oldest event that is not acknowledged."
)
HELD = Gauge(
    "hireflow.consumer.held", "{event}", "Events that wait for an earlier one or a try, to 10,000."
)
STUCK = Gauge(
    "hireflow.consumer.stuck", "{aggregate}", "Aggregates that wait for a replay, up to 10,000."
)


class OutboxLag:
    """The lag of a schema's outbox."""

    def __init__(self, database: Database, schema: str) -> None:
        self._database = database
        self._figures = _outbox_figures(chassis_tables(sa.MetaData(schema=schema)))
        self._labels = {"hireflow.schema": schema}

    async def read(self) -> Figures:
        """Read it, by the index of what is unsent and the primary key. Raises Unavailable."""
        async with self._database.read() as connection:
            told = (await connection.execute(self._figures)).one()
        return {
            UNSENT: [Observation(told.unsent, self._labels)],
            UNSENT_AGE: [Observation(_age(told.oldest), self._labels)],
            RESENDING: [Observation(told.resending, self._labels)],
        }


class ConsumerLag:
    """The lag of one consumer: in the stream and in its inbox."""

    def __init__(
        self, database: Database, bus: Bus, schema: str, subscription: Subscription
    ) -> None:
        self._database = database
        self._bus = bus
        tables = chassis_tables(sa.MetaData(schema=schema))
        self._figures = _inbox_figures(tables, subscription.consumer)
        self._subscription = subscription
        self._labels = {"hireflow.consumer": subscription.consumer}

    async def read_stream(self) -> Figures:
        """Read what the stream still has for it. Raises Unavailable and errors of NATS."""
        jetstream = await self._bus.jetstream()
        self._bus.require_connection()
        info = await jetstream.consumer_info(EVENTS, self._subscription.consumer)
        pending = (info.num_pending or 0) + (info.num_ack_pending or 0)
        oldest = await self._oldest(jetstream, info) if pending else None
        return {
            PENDING: [Observation(pending, self._labels)],
            PENDING_AGE: [Observation(_age(oldest), self._labels)],
        }

    async def read_inbox(self) -> Figures:
        """Read what its inbox holds back, by indexes of exactly that. Raises Unavailable."""
        async with self._database.read() as connection:
            told = (await connection.execute(self._figures)).one()
        return {
            HELD: [Observation(told.held, self._labels)],
            STUCK: [Observation(told.stuck, self._labels)],
        }

    async def _oldest(self, jetstream: JetStreamContext, info: ConsumerInfo) -> datetime | None:
        """Tell when the first event after the acknowledged ones happened."""
        after = info.ack_floor.stream_seq if info.ack_floor else 0
        times = [
            await _next_time(jetstream, after + 1, subject)
            for subject in self._subscription.subjects
        ]
        return min((time for time in times if time), default=None)


async def _next_time(jetstream: JetStreamContext, seq: int, subject: str) -> datetime | None:
    try:
        found = await jetstream.get_msg(EVENTS, seq=seq, subject=subject, next=True)
        return datetime.fromisoformat((found.headers or {})["ce-time"])
    except (nats.js.errors.NotFoundError, KeyError, ValueError):
        # Acknowledged meanwhile, or no event of ours: then it tells no time.
        return None


def _outbox_figures(tables: ChassisTables) -> sa.Select[int, int, datetime | None]:
    table, streams = tables.outbox, tables.outbox_stream
    unsent = table.c.sent_at.is_(None)
    oldest = sa.select(table.c.time).where(unsent).order_by(table.c.id).limit(1)
    after = sa.select(streams.c.resend_after).where(streams.c.stream == EVENTS)
    # Without an order there is no position to be after, so no row.
    again = table.c.id > after.scalar_subquery()
    return sa.select(
        _count(sa.select(table.c.id).where(unsent)).label("unsent"),
        _count(sa.select(table.c.id).where(again)).label("resending"),
        oldest.scalar_subquery().label("oldest"),
    )


def _inbox_figures(tables: ChassisTables, consumer: str) -> sa.Select[int, int]:
    held, positions = tables.inbox_held, tables.inbox
    holding = sa.select(held.c.version).where(held.c.consumer == consumer)
    stuck = sa.select(positions.c.version).where(
        positions.c.consumer == consumer, positions.c.stuck_event_id.is_not(None)
    )
    return sa.select(_count(holding).label("held"), _count(stuck).label("stuck"))


def _count(rows: sa.Select[int]) -> sa.ScalarSelect[int]:
    some = rows.limit(MOST).subquery()
    return sa.select(sa.func.count()).select_from(some).scalar_subquery()


def _age(time: datetime | None) -> float:
    return max(0.0, (datetime.now(UTC) - time).total_seconds()) if time else 0.0
