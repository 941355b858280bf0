"""What a consumer is told, and the inbox: each event has its effect once, in its aggregate's order.

An outbox numbers the events of an aggregate 1, 2, 3…, so one row per consumer and aggregate, the
last version applied, is both the proof of what was done and the order of what comes next. It moves
by one in the transaction of the event's effect. An event that cannot be applied now, because an
earlier one is missing, failed or is stuck, is held in PostgreSQL and acknowledged to the stream:
one place for order, retries and replay, which no redelivery, restart or new consumer can lose.
While a consumer is rebuilt it has a row of no aggregate, too (see `catching_up`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.tables import ChassisTables, chassis_tables

M = TypeVar("M", bound=Message)


class Unreadable(Exception):
    """A message that is no CloudEvent of ours: no retry will mend it."""


@dataclass(frozen=True, slots=True)
class Received:
    """An event as it arrived."""

    id: str
    type: str
    aggregate_type: str
    aggregate_id: str
    version: int
    time: datetime
    traceparent: str
    subject: str
    headers: Mapping[str, str]
    data: bytes

    @classmethod
    def read(cls, subject: str, headers: Mapping[str, str], data: bytes) -> Self:
        """Read a CloudEvent in binary mode.

        Raises:
            Unreadable: an attribute is missing or malformed.

        """
        try:
            return cls(
                id=headers["ce-id"],
                type=headers["ce-type"],
                aggregate_type=headers["ce-aggregatetype"],
                aggregate_id=headers["ce-subject"],
                version=int(headers["ce-aggregateversion"]),
                time=datetime.fromisoformat(headers["ce-time"]),
                traceparent=headers.get("ce-traceparent", ""),
                subject=subject,
                headers={name: headers[name] for name in headers if _is_ours(name)},
                data=data,
            )
        except (KeyError, ValueError) as error:
            raise Unreadable(f"{subject}: {error!r}") from error

    def message(self, kind: Callable[[], M]) -> M:
        """Parse the event's data as a message of this class."""
        message = kind()
        message.ParseFromString(self.data)
        return message


Handler = Callable[[AsyncConnection, Received], Awaitable[None]]

_KEY = ("consumer", "aggregate_type", "aggregate_id")


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one consumer hears and does.

    Attributes:
        consumer: its durable name, unique in the system, never reused for another purpose.
        subjects: patterns that take *every* event of an aggregate, such as
            `hireflow.jobs.v1.job.*`: versions are contiguous, and a missing one holds the rest.
        handlers: event type → handler, which runs in the transaction that notes the event as
            applied; types without one are only noted. A handler raises to be tried again.
        read_model: tables of the consumer's schema that nothing but these handlers writes, and that
            their events alone decide: what a rebuild empties. Empty: it cannot be rebuilt, as
            where a handler does more than keep rows.
        retry_delays: seconds before the second try, the third, …; after them, dead letter.

    """

    consumer: str
    subjects: tuple[str, ...]
    handlers: Mapping[str, Handler]
    read_model: tuple[str, ...] = ()
    retry_delays: tuple[float, ...] = (0.2, 1.0, 5.0, 20.0)


class Inbox:
    """The inbox of one consumer: every statement on its two tables."""

    def __init__(self, schema: str, consumer: str) -> None:
        tables = chassis_tables(sa.MetaData(schema=schema))
        self._positions, self._held = tables.inbox, tables.inbox_held
        self._consumer = consumer
        self._first, self._next = _moves(tables.inbox)
        self._due = _due(tables, consumer)

    async def advance(self, transaction: AsyncConnection, event: Received) -> bool | None:
        """Move the aggregate's position to this event if it is the next one.

        The move is the claim: of two workers with the same event, one moves it. None: it is not
        the next. Otherwise: whether the aggregate has held events, to be dropped or applied.
        """
        if event.version == 1:
            moved = await transaction.execute(self._first, {**self._key(event), "version": 1})
        else:
            told = {f"of_{name}": value for name, value in self._key(event).items()}
            moved = await transaction.execute(self._next, {**told, "to": event.version})
        holds: bool | None = moved.scalar_one_or_none()
        return holds

    async def hold(self, transaction: AsyncConnection, event: Received) -> bool:
        """Keep an event that is not the next, unless it was applied or is held already.

        False: it has become the next meanwhile; the position is locked, so advance again.
        """
        position = await self._lock(transaction, event)
        if event.version <= position.version:
            return True
        if event.version == position.version + 1 and position.stuck_event_id is None:
            return False
        await transaction.execute(
            insert(self._held).values(self._row(event)).on_conflict_do_nothing()
        )
        await self._mark_holding(transaction, event)
        return True

    async def count_failure(
        self, transaction: AsyncConnection, event: Received, delays: Sequence[float]
    ) -> int:
        """Keep an event whose handler failed for its next try; answer how often it failed.

        The wait after the nth failure is the nth delay, or the last; 0 means that another worker
        has applied it.
        """
        position = await self._lock(transaction, event)
        if event.version <= position.version:
            return 0
        held = self._held
        found = await transaction.execute(
            sa.select(held.c.tries).where(self._of(held, event), held.c.version == event.version)
        )
        tries = (found.scalar_one_or_none() or 0) + 1
        delay = delays[min(tries, len(delays)) - 1]
        await self._keep_for(delay, transaction, event, tries=tries)
        return tries

    async def postpone(self, transaction: AsyncConnection, event: Received, delay: float) -> None:
        """Keep an event whose try says nothing of it for another, in `delay` seconds."""
        position = await self._lock(transaction, event)
        if event.version > position.version:
            await self._keep_for(delay, transaction, event)

    async def due(self, connection: AsyncConnection, limit: int) -> list[Received]:
        """List held events that are the next of their aggregate, not stuck, and due."""
        found = await connection.execute(self._due, {"most": limit})
        return [Received.read(row.subject, row.headers, bytes(row.data)) for row in found]

    async def drop(self, transaction: AsyncConnection, event: Received) -> None:
        """Forget a held event that is applied now, and whether its aggregate holds more."""
        held, positions = self._held, self._positions
        more = sa.exists().where(self._of(held, event), held.c.version > event.version)
        await transaction.execute(
            sa.delete(held).where(self._of(held, event), held.c.version <= event.version)
        )
        await transaction.execute(
            sa.update(positions).where(self._of(positions, event)).values(holds=more)
        )

    async def stick(self, transaction: AsyncConnection, event: Received, reason: str) -> None:
        """Mark the aggregate as stuck at this event: it and all later ones wait for a replay."""
        table = self._positions
        await transaction.execute(
            sa.update(table)
            .where(self._of(table, event), table.c.version == event.version - 1)
            .values(stuck_event_id=event.id, stuck_reason=reason, stuck_time=sa.func.now())
        )

    async def _lock(self, transaction: AsyncConnection, event: Received) -> sa.Row[int, str | None]:
        """Lock the aggregate's position: who applies the version before waits, and sees ours."""
        table = self._positions
        none_yet = insert(table).values(**self._key(event), version=0)
        await transaction.execute(none_yet.on_conflict_do_nothing())
        locked = await transaction.execute(
            sa.select(table.c.version, table.c.stuck_event_id)
            .where(self._of(table, event))
            .with_for_update()
        )
        return locked.one()

    async def _keep_for(
        self, delay: float, transaction: AsyncConnection, event: Received, **told: int
    ) -> None:
        later = {**told, "retry_time": sa.func.now() + timedelta(seconds=delay)}
        row = insert(self._held).values({**self._row(event), **later})
        await transaction.execute(
            row.on_conflict_do_update(constraint="inbox_held_pkey", set_=later)
        )
        await self._mark_holding(transaction, event)

    async def _mark_holding(self, transaction: AsyncConnection, event: Received) -> None:
        table = self._positions
        await transaction.execute(sa.update(table).where(self._of(table, event)).values(holds=True))

    def _row(self, event: Received) -> dict[str, Any]:
        return {
            **self._key(event),
            "version": event.version,
            "subject": event.subject,
            "headers": dict(event.headers),
            "data": event.data,
        }

    def _key(self, event: Received) -> dict[str, str]:
        return {
            "consumer": self._consumer,
            "aggregate_type": event.aggregate_type,
            "aggregate_id": event.aggregate_id,
        }

    def _of(self, table: sa.Table, event: Received) -> sa.ColumnElement[bool]:
        return sa.and_(*(table.c[name] == value for name, value in self._key(event).items()))


def _moves(table: sa.Table) -> tuple[sa.Executable, sa.Executable]:
    """Build how a position moves to its first event, and how to each next one."""
    free = table.c.stuck_event_id.is_(None)
    first = insert(table).on_conflict_do_update(
        constraint="inbox_pkey", set_={"version": 1}, where=(table.c.version == 0) & free
    )
    to = sa.bindparam("to", type_=table.c.version.type)
    of_event = (table.c[name] == sa.bindparam(f"of_{name}") for name in _KEY)
    following = (
        sa.update(table).where(*of_event, table.c.version == to - 1, free).values(version=to)
    )
    return first.returning(table.c.holds), following.returning(table.c.holds)


def _due(tables: ChassisTables, consumer: str) -> sa.Select[Any]:
    """Build, once, what every consumer asks again and again."""
    held, positions = tables.inbox_held, tables.inbox
    same = sa.and_(*(positions.c[name] == held.c[name] for name in _KEY))
    return (
        sa.select(held)
        .join(positions, sa.and_(same, positions.c.version + 1 == held.c.version))
        .where(
            held.c.consumer == consumer,
            held.c.retry_time <= sa.func.now(),
            positions.c.stuck_event_id.is_(None),
        )
        .order_by(held.c.retry_time)
        .limit(sa.bindparam("most", type_=sa.Integer))
    )


def channel(schema: str, consumer: str) -> str:
    """Name the channel that wakes a consumer for its held events."""
    return f"{schema}_inbox_{consumer}"


def _is_ours(header: str) -> bool:
    """Tell the event's own headers from those that were meant for the stream that carried it."""
    return header.startswith("ce-") or header in {"traceparent", "content-type"}
