"""The consumer's loop: fetch from the stream, apply through the inbox, acknowledge."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.bus import DEAD, EVENTS, Bus
from services.common.database import Database
from services.common.ending import end_if_told
from services.common.errors import Conflict, Unavailable
from services.common.inbox import Inbox, Received, Subscription, Unreadable, channel
from services.common.listening import Signal
from services.common.metrics import METER
from services.common.pull import BATCH, Pull, Silence
from services.common.stop_points import stop_point
from services.common.telemetry import continued, get_logger

_POLL = 2.0
_LOST = (Unavailable, Conflict, nats.errors.Error, OSError, TimeoutError, Silence)
_DEAD_LETTERS = METER.create_counter(
    "hireflow.consumer.dead_letters",
    unit="{event}",
    description="Events copied to the dead letters; one more after a crash in between.",
)
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Letter:
    subject: str
    headers: Mapping[str, str]
    data: bytes
    identity: str


class Consumer:
    """Consumes one subscription into one schema. Any number may run: they share the work."""

    def __init__(
        self, database: Database, bus: Bus, schema: str, subscription: Subscription
    ) -> None:
        self._database = database
        self._bus = bus
        self._subscription = subscription
        self._inbox = Inbox(schema, subscription.consumer)
        self._channel = channel(schema, subscription.consumer)
        self._wake = Signal()
        self._log = _log.bind(consumer=subscription.consumer)

    async def run(self) -> None:
        """Consume until cancelled, through every loss of the database and the stream."""
        # From the start, so that the first one is a rise.
        _DEAD_LETTERS.add(0, {"hireflow.consumer": self._subscription.consumer})
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consume_for_ever())
            tasks.create_task(self._resume_for_ever())

    async def _consume_for_ever(self) -> None:
        while True:
            end_if_told()
            try:
                await self._consume()
            except _LOST as error:
                self._log.warning("events not reached", error=repr(error))
            await asyncio.sleep(self._bus.retry_pause)

    async def _consume(self) -> None:
        jetstream = await self._bus.jetstream()
        name = self._subscription.consumer
        # Created by hand, at every start: a durable's configuration may have changed.
        config = ConsumerConfig(
            durable_name=name,
            name=name,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self._bus.ack_wait,
            max_deliver=-1,
            filter_subjects=list(self._subscription.subjects),
        )
        await jetstream.add_consumer(EVENTS, config)
        async with Pull.bind(self._bus.client, EVENTS, name, self._bus.heartbeat) as pull:
            while True:
                end_if_told()
                await self._take(jetstream, await pull.next_batch())

    async def _take(self, jetstream: JetStreamContext, batch: list[Msg]) -> None:
        """Apply a batch in one transaction; if any of it fails, one by one."""
        waiting = list(batch)
        try:
            if await self._take_together(batch):
                await stop_point("consumer.applied", self._subscription.consumer)
                for message in batch:
                    await message.ack()
                return
            while waiting:
                await self._take_one(jetstream, waiting[0])
                del waiting[0]
        except _LOST:
            # Nothing is known against these events: they come again, and no try is counted.
            for message in waiting:
                with suppress(*_LOST):
                    await message.nak(delay=self._bus.retry_pause)
            raise

    async def _take_together(self, batch: list[Msg]) -> bool:
        more = False
        try:
            # By aggregate: two workers lock in one order, so that neither waits for the other.
            events = sorted(map(_read, batch), key=_order)
            async with self._database.begin() as transaction:
                for event in events:
                    more |= await self._apply(transaction, event)
        except Exception:  # noqa: BLE001 - told when each is tried by itself
            return False
        if more:
            self._wake.set()
        return True

    async def _take_one(self, jetstream: JetStreamContext, message: Msg) -> None:
        try:
            event = _read(message)
        except Unreadable as error:
            identity = f"{message.metadata.stream}:{message.metadata.sequence.stream}"
            letter = _Letter(message.subject, message.headers or {}, message.data, identity)
            await self._bury(jetstream, letter, error)
            await message.term()
            return
        await self._settle(jetstream, event)
        await stop_point("consumer.applied", self._subscription.consumer)
        await message.ack()

    async def _settle(self, jetstream: JetStreamContext, event: Received) -> None:
        """Apply an event, or hold it for its turn or for another try, or bury it."""
        try:
            async with self._database.begin() as transaction:
                more = await self._apply(transaction, event)
        except Unavailable as error:
            await self._postpone(event, error)
        except Exception as error:  # noqa: BLE001 - a handler may raise anything; it is counted
            await self._fail(jetstream, event, error)
        else:
            if more:
                self._wake.set()

    async def _apply(self, transaction: AsyncConnection, event: Received) -> bool:
        """Apply the event if it is the next, otherwise hold it; answer whether more may be due."""
        while (holds := await self._inbox.advance(transaction, event)) is None:
            if await self._inbox.hold(transaction, event):
                return False
        handler = self._subscription.handlers.get(event.type)
        if handler is not None:
            with continued(event.traceparent, f"consume {event.type}"):
                await handler(transaction, event)
        if holds:
            await self._inbox.drop(transaction, event)
        return holds

    async def _postpone(self, event: Received, error: Unavailable) -> None:
        """Hold an event that met an outage of ours, or a lock: that is no failure of the event.

        If the outage lasts this raises, too, and the stream delivers again.
        """
        delay = self._subscription.retry_delays[0]
        async with self._database.begin() as transaction:
            await self._inbox.postpone(transaction, event, delay)
        self._log.warning("event postponed", event_id=event.id, type=event.type, error=repr(error))
        asyncio.get_running_loop().call_later(delay, self._wake.set)

    async def _fail(self, jetstream: JetStreamContext, event: Received, error: Exception) -> None:
        delays = self._subscription.retry_delays
        async with self._database.begin() as transaction:
            tries = await self._inbox.count_failure(transaction, event, delays)
        self._log.warning(
            "event failed", event_id=event.id, type=event.type, tries=tries, exc_info=error
        )
        if 0 < tries <= len(delays):
            asyncio.get_running_loop().call_later(delays[tries - 1], self._wake.set)
            return
        if tries:
            headers = {**event.headers, "hireflow-tries": str(tries)}
            letter = _Letter(event.subject, headers, event.data, event.id)
            await self._bury(jetstream, letter, error)
            async with self._database.begin() as transaction:
                await self._inbox.stick(transaction, event, _reason(error))
            self._log.error("aggregate stuck", event_id=event.id, aggregate=event.aggregate_id)

    async def _bury(self, jetstream: JetStreamContext, letter: "_Letter", error: Exception) -> None:
        """Copy to the dead letters."""
        consumer = self._subscription.consumer
        kept = {name: told for name, told in letter.headers.items() if name[:5] != "Nats-"}
        headers = {
            **kept,
            "Nats-Msg-Id": f"{consumer}:{letter.identity}",
            "hireflow-consumer": consumer,
            "hireflow-reason": _reason(error),
        }
        subject = f"dead.{consumer}.{letter.subject}"
        await jetstream.publish(subject, letter.data, stream=DEAD, headers=headers)
        _DEAD_LETTERS.add(1, {"hireflow.consumer": consumer})

    async def _resume_for_ever(self) -> None:
        """Apply held events when their turn or their next try has come."""
        async with self._database.listen(self._channel) as self._wake:
            while True:
                end_if_told()
                try:
                    while await self._resume():
                        pass
                except _LOST as error:
                    self._log.warning("held events wait", error=repr(error))
                    await asyncio.sleep(self._bus.retry_pause)
                await self._wake.wait(_POLL)

    async def _resume(self) -> bool:
        async with self._database.read() as connection:
            due = await self._inbox.due(connection, BATCH)
        if due:
            jetstream = await self._bus.jetstream()
            for event in due:
                await self._settle(jetstream, event)
        return bool(due)


def _read(message: Msg) -> Received:
    return Received.read(message.subject, message.headers or {}, message.data)


def _reason(error: Exception) -> str:
    """Name the error; its text may be of people."""
    return str(getattr(error, "reason", type(error).__name__))


def _order(event: Received) -> tuple[str, str, int]:
    return event.aggregate_type, event.aggregate_id, event.version
