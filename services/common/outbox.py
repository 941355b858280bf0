"""The transactional outbox: an event leaves if, and only if, its unit of work committed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import nats.errors
import sqlalchemy as sa
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from nats.js import JetStreamContext
from nats.js.api import PubAck
from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.common.v1.event_options_pb2 import EventOptions, event
from services.common.bus import EVENTS, Bus
from services.common.database import Database, notify
from services.common.ending import end_if_told
from services.common.errors import Conflict, Exhausted, Unavailable
from services.common.stop_points import stop_point
from services.common.tables import ChassisTables, chassis_tables
from services.common.telemetry import current_traceparent, get_logger

BATCH = 500
# The server takes 1 MiB with the headers, and hangs up on whoever sends more.
LARGEST_EVENT = 1_000_000
_POLL = 2.0
_ACK_TIMEOUT = 5.0
_LONGEST_BACKOFF = 10.0
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one aggregate.

    Attributes:
        message: the event; its type and aggregate are options of the message's proto.
        aggregate_id: which aggregate.
        time: when it happened.

    """

    message: Message
    aggregate_id: str
    time: datetime


def event_type(message: type[Message] | Message) -> str:
    """Give the CloudEvents type of an event message, which is its NATS subject too.

    Raises:
        TypeError: the message is no event: its proto lacks the option.

    """
    return _options(message.DESCRIPTOR).type


class Outbox:
    """The outbox of a schema."""

    def __init__(self, schema: str) -> None:
        self._insertion = _insertion(chassis_tables(sa.MetaData(schema=schema)))
        self._channel = _channel(schema)

    async def record(self, transaction: AsyncConnection, *events: Event) -> None:
        """Record events in the unit of work whose facts they tell.

        Each gets the next version of its aggregate. Lock the aggregate's row first: of two
        writers at once, the unique version lets one through and the other ends in Conflict.

        Raises:
            Exhausted: LIMIT_REACHED, an event is larger than the stream takes.

        """
        traceparent = current_traceparent()
        rows = [_values(event) | {"traceparent": traceparent} for event in events]
        if rows:
            # All in one round trip; of one aggregate each sees the version before.
            await transaction.execute(self._insertion, rows)
            await notify(transaction, self._channel)


def _insertion(tables: ChassisTables) -> sa.Insert:
    of_type, of_id = sa.bindparam("of_type", type_=sa.Text), sa.bindparam("of_id", type_=sa.Text)
    table, gone = tables.outbox, tables.outbox_pruned
    last = sa.select(sa.func.max(table.c.version)).where(
        table.c.aggregate_type == of_type, table.c.aggregate_id == of_id
    )
    pruned = sa.select(gone.c.version).where(
        gone.c.aggregate_type == of_type, gone.c.aggregate_id == of_id
    )
    # One statement: a pruning meanwhile is seen as a whole or not at all.
    return sa.insert(table).values(
        aggregate_type=of_type,
        aggregate_id=of_id,
        version=sa.func.greatest(last.scalar_subquery(), pruned.scalar_subquery(), 0) + 1,
    )


class Relay:
    """Sends a schema's events to the stream. Any number may run: each row is claimed by one."""

    def __init__(self, database: Database, bus: Bus, schema: str) -> None:
        self._database = database
        self._bus = bus
        self._schema = schema
        table = chassis_tables(sa.MetaData(schema=schema)).outbox
        self._unsent = (
            sa.select(table)
            .where(table.c.sent_at.is_(None))
            .order_by(table.c.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        sent = sa.bindparam("sent", type_=sa.ARRAY(sa.BigInteger))
        self._marking = (
            sa.update(table).where(table.c.id == sa.func.any(sent)).values(sent_at=sa.func.now())
        )
        self._jetstream: JetStreamContext | None = None

    async def run(self) -> None:
        """Send what is recorded, as soon as it commits, until cancelled."""
        backoff = 0.0
        async with self._database.listen(_channel(self._schema)) as signal:
            while True:
                end_if_told()
                try:
                    sent = await self.send_batch()
                except (Unavailable, Conflict, nats.errors.Error, OSError, TimeoutError) as error:
                    backoff = min(_LONGEST_BACKOFF, backoff * 2 or 0.2)
                    _log.warning("events wait", schema=self._schema, error=repr(error))
                    await asyncio.sleep(backoff)
                else:
                    backoff = 0.0
                    if not sent:
                        await signal.wait(_POLL)

    async def send_batch(self) -> int:
        """Publish up to 500 unsent events and mark those that the stream acknowledged.

        A crash in between publishes them again, under the same ids and versions: the stream's
        duplicate window and the consumers' inboxes see to it that the effect is one.

        Raises:
            Unavailable: the database does not answer.
            TimeoutError: none of the events that were sent was acknowledged.

        """
        # A context of its own: acknowledgements come to the context that published.
        jetstream = self._jetstream = self._jetstream or await self._bus.jetstream()
        async with self._database.begin() as transaction:
            rows = (await transaction.execute(self._unsent)).all()
            if not rows:
                return 0
            sent = await publish(jetstream, self._schema, rows)
            await stop_point("relay.published", self._schema)
            await self._mark_sent(transaction, sent)
        return len(sent)

    async def _mark_sent(self, transaction: AsyncConnection, ids: Sequence[int]) -> None:
        await transaction.execute(self._marking, {"sent": ids})


async def publish(
    jetstream: JetStreamContext, schema: str, rows: Sequence[sa.Row[Any]], order: str = ""
) -> list[int]:
    """Publish rows of an outbox in their order; answer the ids of those that were acknowledged.

    The context must be the caller's own: acknowledgements come to the context that published.
    Within its duplicate window the stream takes a row once, and once more for each `order`.

    Raises:
        TimeoutError: none of the rows that were sent was acknowledged.

    """
    pending: dict[int, asyncio.Future[PubAck]] = {}
    try:
        for row in rows:
            headers = cloud_event(schema, row) | {"Nats-Msg-Id": f"{row.event_id}{order}"}
            pending[row.id] = await jetstream.publish_async(
                row.type, row.data, stream=EVENTS, headers=headers, wait_stall=_ACK_TIMEOUT
            )
        if pending:
            await asyncio.wait(pending.values(), timeout=_ACK_TIMEOUT)
        errors = {row: error for row, ack in pending.items() if (error := _failure(ack))}
        if first := next(iter(errors.values()), None):
            _log.warning("events not stored", schema=schema, rows=[*errors], error=repr(first))
        if pending and len(errors) == len(pending):
            raise TimeoutError(f"{len(errors)} events were not acknowledged")
        return [row for row in pending if row not in errors]
    finally:
        # Frees the places in flight of those that were never answered.
        for future in pending.values():
            future.cancel()


def cloud_event(schema: str, row: sa.Row[Any]) -> dict[str, str]:
    """Give the headers of CloudEvents 1.0, binary mode: every attribute is one."""
    headers = {
        "content-type": "application/protobuf",
        "ce-specversion": "1.0",
        "ce-id": str(row.event_id),
        "ce-source": f"/hireflow/{schema}",
        "ce-type": row.type,
        "ce-subject": row.aggregate_id,
        "ce-time": row.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "ce-dataschema": row.data_schema,
        "ce-aggregatetype": row.aggregate_type,
        "ce-aggregateversion": str(row.version),
    }
    if row.traceparent:
        headers |= {"ce-traceparent": row.traceparent, "traceparent": row.traceparent}
    return headers


def _failure(ack: "asyncio.Future[PubAck]") -> BaseException | None:
    if not ack.done() or ack.cancelled():
        return TimeoutError()
    return ack.exception()


def _channel(schema: str) -> str:
    return f"{schema}_outbox"


def _values(event: Event) -> dict[str, Any]:
    data = event.message.SerializeToString(deterministic=True)
    if len(data) > LARGEST_EVENT:
        message = f"what its event must tell is {len(data)} bytes and may be {LARGEST_EVENT}"
        raise Exhausted("LIMIT_REACHED", f"{message}: shorten it")
    return {
        "of_type": _options(event.message.DESCRIPTOR).aggregate,
        "of_id": event.aggregate_id,
        "type": event_type(event.message),
        "data": data,
        "data_schema": event.message.DESCRIPTOR.full_name,
        "time": event.time,
    }


@cache
def _options(descriptor: Descriptor) -> EventOptions:
    options = descriptor.GetOptions()
    if not options.HasExtension(event):
        raise TypeError(f"{descriptor.full_name} is no event: its proto lacks the event option")
    return options.Extensions[event]
