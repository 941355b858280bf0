"""The outbox: rows per second beside plain publishing, and commit to effect in a consumer."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import TypeAlias

import sqlalchemy as sa
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.results import Measure
from deploy.local.stack import Stack
from hireflow.proposals.v1 import screening_events_pb2
from services.common.bus import EVENTS, Bus
from services.common.consumer import Consumer
from services.common.database import Database
from services.common.inbox import Received, Subscription
from services.common.outbox import Event, Outbox, Relay, event_type
from services.common.settings import Settings

Screened: TypeAlias = (
    screening_events_pb2.ScreeningStarted | screening_events_pb2.ScreeningCompleted
)

# The schema of a service that is stopped meanwhile: its tables, its relay, no other traffic.
SCHEMA = "jobs"
# No service hears them: what is measured shares the machine with nobody's work on it.
_RELAYED, _TIMED = screening_events_pb2.ScreeningStarted, screening_events_pb2.ScreeningCompleted
_PLAIN = "hireflow.benchmarks.v1.nothing.happened"


def _event(kind: type[Screened], screening_id: str) -> Event:
    facts = screening_events_pb2.ScreeningFacts(
        screening_id=screening_id,
        job_id=str(uuid.uuid4()),
        organisation_id="org-1",
        trainer_id="trainer-1",
        plan_version=3,
    )
    return Event(kind(screening=facts), screening_id, datetime.now(UTC))


async def measure(console: Console, stack: Stack, runs: int, share: float) -> list[Measure]:
    """Measure the relay, plain publishing and the way from commit to effect, run by run."""
    told = {
        name.removeprefix("HIREFLOW_").lower(): value
        for name, value in stack.environment(SCHEMA).items()
        if name.startswith("HIREFLOW_")
    }
    settings = Settings.model_validate(told)
    await stack.stop(SCHEMA)
    relayed, published, p50s, p99s = [], [], [], []
    rows = max(500, int(20_000 * share))
    try:
        async with AsyncExitStack() as resources:
            database = await resources.enter_async_context(Database.open(settings, "benchmark"))
            bus = await resources.enter_async_context(Bus.open(settings, "benchmark"))
            for run in range(runs):
                console.print(f"  run {run + 1}: {rows} events")
                published.append(rows / await _publish_plainly(bus, rows))
                relayed.append(rows / await _relay(database, bus, rows))
                delays = sorted(await _commit_to_effect(database, bus, max(50, int(500 * share))))
                p50s.append(median(delays) * 1000)
                p99s.append(delays[int(len(delays) * 0.99)] * 1000)
    finally:
        await stack.start(SCHEMA)
    return [
        Measure(
            "outbox rows relayed per second",
            median(relayed),
            median(published),
            "pipelined publishes per second",
            wanted=">= 0.7",
        ),
        Measure("commit to effect, p50 ms", median(p50s), wanted="<= 3"),
        Measure("commit to effect, p99 ms", median(p99s)),
    ]


async def _publish_plainly(bus: Bus, count: int) -> float:
    """Publish as many messages of the same size, pipelined as the relay does; the seconds."""
    jetstream = await bus.jetstream()
    data = _event(_RELAYED, str(uuid.uuid4())).message.SerializeToString()
    # As many bytes of headers as an event has.
    headers = {"ce-filler": "x" * 330}
    began = perf_counter()
    pending = []
    for _ in range(count):
        future = await jetstream.publish_async(
            _PLAIN,
            data,
            stream=EVENTS,
            headers={**headers, "Nats-Msg-Id": str(uuid.uuid4())},
            wait_stall=5,
        )
        pending.append(future)
    await asyncio.gather(*pending)
    return perf_counter() - began


async def _relay(database: Database, bus: Bus, count: int) -> float:
    """Record events of as many aggregates, then relay them all; the seconds of the relay."""
    outbox = Outbox(SCHEMA)
    for _ in range(count // 500):
        async with database.begin() as transaction:
            await outbox.record(
                transaction, *(_event(_RELAYED, str(uuid.uuid4())) for _ in range(500))
            )
    relay = Relay(database, bus, SCHEMA)
    began = perf_counter()
    sent = 0
    while sent < count // 500 * 500:
        sent += await relay.send_batch()
    return perf_counter() - began


async def _commit_to_effect(database: Database, bus: Bus, count: int) -> list[float]:
    """Seconds from the commit of an event until a consumer's effect committed, one at a time."""
    arrived: asyncio.Queue[float] = asyncio.Queue()
    ours = f"bench-{uuid.uuid4().hex}"

    async def handle(transaction: AsyncConnection, event: Received) -> None:
        if event.aggregate_id.startswith(ours):
            await transaction.execute(sa.text("SELECT 1"))
            arrived.put_nowait(perf_counter())

    heard = event_type(_TIMED)
    subscription = Subscription(ours, (heard,), {heard: handle})
    tasks = [
        asyncio.create_task(Consumer(database, bus, SCHEMA, subscription).run()),
        asyncio.create_task(Relay(database, bus, SCHEMA).run()),
    ]
    outbox = Outbox(SCHEMA)
    delays = []
    try:
        for number in range(count + 20):
            async with database.begin() as transaction:
                await outbox.record(transaction, _event(_TIMED, f"{ours}-{number}"))
            committed = perf_counter()
            async with asyncio.timeout(120):
                at = await arrived.get()
            if number >= 20:  # the first ones wait for the consumer to read the stream so far
                delays.append(at - committed)
            await asyncio.sleep(0.01)  # a modest rate
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return delays
