"""Filling a stream from the outbox again: by itself when it was lost, or because an operator says.

The server tells when a stream was made; each schema remembers it of the stream it fills. A stream
of the same name that was made at another time is a new one and lacks what the old one had, so all
of the outbox is sent to it once more. Consumers skip what they have applied.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import nats.errors
import sqlalchemy as sa
from nats.js import JetStreamContext
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.bus import EVENTS, Bus, source_of
from services.common.database import Database, notify
from services.common.ending import end_if_told
from services.common.errors import Conflict, Unavailable
from services.common.listening import Signal
from services.common.outbox import BATCH, publish
from services.common.stop_points import stop_point
from services.common.tables import chassis_tables
from services.common.telemetry import get_logger

# An order and a new stream are told; only what one left who died over it is looked for.
_POLL = 10.0
_LOOK = 1.0
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Republished:
    """What an order will send again: outbox positions and the first event's time; zeros if nothing.

    What was pruned is not among it.
    """

    first_position: int
    last_position: int
    first_time: datetime | None


class Republisher:
    """Sends a schema's events to the stream again. Any number may run: one does the work."""

    def __init__(self, database: Database, bus: Bus, schema: str) -> None:
        self._database = database
        self._bus = bus
        self._schema = schema
        tables = chassis_tables(sa.MetaData(schema=schema))
        self._outbox, self._streams = tables.outbox, tables.outbox_stream
        skipped = sa.exists().where(self._outbox.c.id <= self._streams.c.resend_after)
        pruned = sa.exists().select_from(tables.outbox_pruned)
        self._from_the_first = sa.not_(sa.or_(skipped, pruned)).label("from_the_first")
        self._noticed: datetime | None = None
        self._jetstream: JetStreamContext | None = None

    async def run(self) -> None:
        """Look for a stream that is new and for orders, and carry them out, until cancelled."""
        async with self._database.listen(_channel(self._schema)) as signal:
            while True:
                end_if_told()
                try:
                    await self.notice_stream()
                    while await self.send_batch():
                        pass
                except (Unavailable, Conflict, nats.errors.Error, OSError, TimeoutError) as error:
                    _log.warning("republishing waits", schema=self._schema, error=repr(error))
                    await asyncio.sleep(self._bus.retry_pause)
                else:
                    await self._until_told(signal)

    async def _until_told(self, signal: Signal) -> None:
        """Wait for an order, or until the readiness check has seen a new stream."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL):
                while not await signal.wait(_LOOK):
                    if self._bus.stream_create_time != self._noticed:
                        return

    async def notice_stream(self) -> None:
        """Compare the stream with the one that was filled last; order everything if it is new.

        Raises:
            Unavailable: the database does not answer.

        """
        present = self._bus.stream_create_time
        if present is None or present == self._noticed:
            return
        table = self._streams
        met = insert(table).values(stream=EVENTS, create_time=present)
        is_new = table.c.create_time != met.excluded.create_time
        async with self._database.begin() as transaction:
            changed = await transaction.execute(
                met.on_conflict_do_update(
                    constraint="outbox_stream_pkey",
                    set_={
                        "create_time": met.excluded.create_time,
                        "resend_after": 0,
                        "resend_order": "",
                    },
                    where=is_new,
                ).returning(table.c.resend_after)
            )
            row = changed.one_or_none()
        self._noticed = present
        if row is not None and row.resend_after is not None:
            _log.warning("the stream was lost: all events are sent again", schema=self._schema)

    async def send_batch(self) -> int:
        """Publish the next 500 events of an order; answer how many.

        Also those that the relay has not marked as sent: it may be about to, for the stream that
        was lost. A crash before the commit publishes the batch again.

        Raises:
            Unavailable: the database does not answer.
            TimeoutError: not every event was acknowledged; the batch is sent again.

        """
        # A context of its own, see `publish`.
        jetstream = self._jetstream = self._jetstream or await self._bus.jetstream()
        streams, outbox = self._streams, self._outbox
        async with self._database.begin() as transaction:
            ordered = await transaction.execute(
                sa.select(streams.c.resend_after, streams.c.resend_order, self._from_the_first)
                .where(streams.c.stream == EVENTS, streams.c.resend_after.is_not(None))
                .with_for_update(skip_locked=True)
            )
            order = ordered.one_or_none()
            if order is None:
                return 0
            found = await transaction.execute(
                sa.select(outbox)
                .where(outbox.c.id > order.resend_after)
                .order_by(outbox.c.id)
                .limit(BATCH)
            )
            rows = found.all()
            sent = []
            if rows:
                before = await self._bus.last_sequence() if order.from_the_first else 0
                sent = await publish(jetstream, self._schema, rows, order.resend_order)
            if len(sent) < len(rows):
                raise TimeoutError(f"{len(rows) - len(sent)} events were not acknowledged")
            if rows and order.from_the_first:
                await self._bus.note_filled(source_of(rows[0].type), before + 1)
            await stop_point("republisher.published", self._schema)
            goes_on = len(rows) == BATCH
            await transaction.execute(
                sa.update(streams)
                .where(streams.c.stream == EVENTS)
                .values(resend_after=rows[-1].id if goes_on else None)
            )
        if not goes_on:
            _log.info("events were sent again", schema=self._schema)
        return len(rows)


async def order_republishing(
    transaction: AsyncConnection, schema: str, after_position: int, since: datetime | None
) -> Republished:
    """Have the events after an outbox position sent again, from the first that is not older.

    Also what the stream still has: it forgets an event that was purged and not, for its duplicate
    window, that it had it. An order that is under way goes on, from the earlier place of the two.
    """
    tables = chassis_tables(sa.MetaData(schema=schema))
    outbox, streams = tables.outbox, tables.outbox_stream
    recent = outbox.c.time >= since if since else sa.true()
    # By the primary key: without an index on the time it passes over what is older, once.
    found = await transaction.execute(
        sa.select(outbox.c.id, outbox.c.time)
        .where(outbox.c.id > after_position, recent)
        .order_by(outbox.c.id)
        .limit(1)
    )
    first = found.one_or_none()
    if first is None:
        return Republished(0, 0, None)
    last = (await transaction.execute(sa.select(sa.func.max(outbox.c.id)))).scalar_one()
    await transaction.execute(
        sa.update(streams)
        .where(streams.c.stream == EVENTS)
        .values(
            resend_after=sa.func.least(streams.c.resend_after, first.id - 1),
            resend_order=sa.cast(sa.func.uuidv7(), sa.Text),
        )
    )
    await notify(transaction, _channel(schema))
    return Republished(first.id, last, first.time)


def _channel(schema: str) -> str:
    return f"{schema}_republish"
