"""From an outbox through the real stream into an inbox."""

import asyncio
from uuid import uuid4

import nats.js.errors
import pytest
import sqlalchemy as sa
from nats.aio.msg import Msg
from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.jobs.v1 import job_events_pb2
from services.common.bus import DEAD, EVENTS, Bus
from services.common.consumer import Consumer
from services.common.database import Database
from services.common.dead_letters import replay
from services.common.errors import Conflict, Exhausted, Unavailable
from services.common.inbox import Received, Subscription
from services.common.outbox import LARGEST_EVENT, Event, Relay
from services.common.pull import Pull
from services.common.republishing import Republisher, order_republishing
from tests.common.events import (
    NOW,
    TABLES,
    UPDATED,
    Hearing,
    consuming,
    heard,
    held,
    messages,
    record,
    send_all,
    stuck_event,
    until,
    until_heard,
)
from tests.common.toy import OUTBOX, updated


@pytest.fixture
def prefix() -> str:
    return f"t{uuid4().hex[:8]}-"


@pytest.fixture
async def relay(database: Database, bus: Bus) -> Relay:
    return Relay(database, bus, "toy")


async def test_events_arrive_once_and_in_order(
    database: Database, bus: Bus, relay: Relay, prefix: str
) -> None:
    await record(database, *(f"{prefix}{name}" for name in "abcabcab"))
    await send_all(relay)
    async with consuming(database, bus, Hearing(prefix), f"{prefix}plain"):
        every = [(name, version) for name in "abc" for version in (1, 2, 3)]
        await until_heard(database, prefix, every[:-1])
    for name in "abc":
        versions = [version for which, version in await heard(database, prefix) if which == name]
        assert versions == sorted(versions)


async def test_an_event_is_a_cloud_event_in_binary_mode(
    database: Database, bus: Bus, relay: Relay, prefix: str
) -> None:
    await record(database, f"{prefix}cloud")
    await send_all(relay)
    jetstream = await bus.jetstream()
    told = (await jetstream.get_last_msg(EVENTS, UPDATED)).headers or {}
    assert told["ce-specversion"] == "1.0"
    assert told["ce-type"] == UPDATED
    assert told["ce-source"] == "/hireflow/toy"
    assert told["ce-subject"] == f"{prefix}cloud"
    assert told["ce-aggregatetype"] == "job"
    assert told["ce-aggregateversion"] == "1"
    assert told["ce-dataschema"] == "hireflow.jobs.v1.JobUpdated"
    assert told["ce-time"] == "2026-11-01T00:00:00Z"
    assert told["content-type"] == "application/protobuf"
    assert told["ce-id"] == told["Nats-Msg-Id"]


async def test_what_the_stream_would_never_take_is_not_recorded_and_holds_nobody_back(
    database: Database, relay: Relay, prefix: str
) -> None:
    async def record_large(size: int) -> None:
        message = job_events_pb2.JobUpdated(changed_fields=["x" * size])
        async with database.begin() as tx:
            await OUTBOX.record(tx, Event(message, f"{prefix}large", NOW))

    with pytest.raises(Exhausted):
        await record_large(LARGEST_EVENT)
    await record_large(LARGEST_EVENT - 10)
    await send_all(relay)


async def test_two_writers_of_one_aggregate_never_share_a_version(
    database: Database, prefix: str
) -> None:
    results = await asyncio.gather(
        *(record(database, f"{prefix}raced") for _ in range(8)), return_exceptions=True
    )
    lost = [each for each in results if each is not None]
    assert all(isinstance(each, Conflict) for each in lost)
    outbox = TABLES.outbox
    async with database.read() as connection:
        found = await connection.execute(
            sa.select(outbox.c.version).where(outbox.c.aggregate_id == f"{prefix}raced")
        )
        assert sorted(found.scalars()) == list(range(1, 8 - len(lost) + 1))


async def test_a_relay_that_dies_between_publish_and_mark_has_no_double_effect(
    database: Database, bus: Bus, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(database, f"{prefix}a", f"{prefix}a", f"{prefix}b")
    published = asyncio.Event()

    async def die(*_: object) -> None:
        published.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(Relay, "_mark_sent", die)
        dying = asyncio.create_task(Relay(database, bus, "toy").send_batch())
        await published.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    await send_all(Relay(database, bus, "toy"))
    hearing = Hearing(prefix)
    async with consuming(database, bus, hearing, f"{prefix}died"):
        await until_heard(database, prefix, [("a", 1), ("a", 2), ("b", 1)])
    assert hearing.calls == 3


async def test_duplicates_and_disorder_on_the_stream_have_one_effect_in_order(
    database: Database, bus: Bus, prefix: str
) -> None:
    await record(database, *[f"{prefix}x"] * 5)
    events = await messages(database, bus, f"{prefix}x")
    jetstream = await bus.jetstream()
    async with consuming(database, bus, Hearing(prefix), f"{prefix}mixed"):
        for number in (4, 2, 4, 1, 0, 3, 0, 2):
            # Without a message id, so that the stream keeps each duplicate.
            event = events[number]
            await jetstream.publish(event.subject, event.data, headers=dict(event.headers))
        await until_heard(database, prefix, [("x", version) for version in range(1, 6)])
    assert await heard(database, prefix) == [("x", version) for version in range(1, 6)]
    assert await held(database, prefix) == 0


async def test_poison_goes_to_the_dead_letters_and_holds_its_own_aggregate_until_replayed(
    database: Database, bus: Bus, relay: Relay, prefix: str
) -> None:
    hearing, consumer = Hearing(prefix), f"{prefix}poison"
    hearing.poison = {(f"{prefix}p", 2)}
    await record(database, *(f"{prefix}{name}" for name in "ppqpq"))
    await send_all(relay)
    async with consuming(database, bus, hearing, consumer):

        async def is_stuck() -> bool:
            return await stuck_event(database, prefix) is not None

        await until(is_stuck)
        await until_heard(database, prefix, [("p", 1), ("q", 1), ("q", 2)])

        jetstream = await bus.jetstream()
        letter = await jetstream.get_last_msg(DEAD, f"dead.{consumer}.{UPDATED}")
        told = letter.headers or {}
        event_id = await stuck_event(database, prefix)
        assert told["ce-id"] == event_id
        assert told["hireflow-reason"] == "ValueError"
        assert told["hireflow-tries"] == "5"
        assert told["hireflow-consumer"] == consumer
        assert await held(database, prefix) == 2

        await record(database, f"{prefix}p", f"{prefix}q")
        await send_all(relay)
        await until_heard(database, prefix, [("p", 1), ("q", 1), ("q", 2), ("q", 3)])

        hearing.poison.clear()
        async with database.begin() as tx:
            assert await replay(tx, "toy", consumer, str(event_id))
        every = [("p", version) for version in range(1, 5)] + [("q", v) for v in range(1, 4)]
        await until_heard(database, prefix, every)
        assert await held(database, prefix) == 0
        async with database.begin() as tx:
            assert not await replay(tx, "toy", consumer, str(event_id))


async def test_a_handler_that_fails_once_is_tried_again_and_keeps_the_order(
    database: Database, bus: Bus, relay: Relay, prefix: str
) -> None:
    hearing = Hearing(prefix)
    hearing.poison = {(f"{prefix}s", 1)}
    await record(database, f"{prefix}s", f"{prefix}s")
    await send_all(relay)
    async with consuming(database, bus, hearing, f"{prefix}once"):

        async def tried() -> bool:
            return hearing.calls > 1

        await until(tried)
        hearing.poison.clear()
        await until_heard(database, prefix, [("s", 1), ("s", 2)])
    assert await heard(database, prefix) == [("s", 1), ("s", 2)]


async def test_an_outage_of_the_database_is_held_against_no_event(
    database: Database, bus: Bus, relay: Relay, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing, cuts = Hearing(prefix), 0
    hear = hearing.hear

    async def hear_with_cuts(tx: AsyncConnection, event: Received) -> None:
        nonlocal cuts
        if event.aggregate_id.startswith(prefix) and cuts < 8:
            cuts += 1
            await tx.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
        await hear(tx, event)

    monkeypatch.setattr(hearing, "hear", hear_with_cuts)
    await record(database, f"{prefix}o", f"{prefix}o")
    await send_all(relay)
    async with consuming(database, bus, hearing, f"{prefix}outage"):
        await until_heard(database, prefix, [("o", 1), ("o", 2)])
    assert cuts == 8
    assert await stuck_event(database, prefix) is None


async def test_a_message_that_is_no_event_is_buried_and_the_rest_go_on(
    database: Database, bus: Bus, relay: Relay, prefix: str
) -> None:
    jetstream = await bus.jetstream()
    await jetstream.publish(UPDATED, b"junk", headers={"ce-id": f"{prefix}junk"})
    await record(database, f"{prefix}after")
    await send_all(relay)
    consumer = f"{prefix}junk"
    async with consuming(database, bus, Hearing(prefix), consumer):
        await until_heard(database, prefix, [("after", 1)])

        async def is_buried() -> bool:
            try:
                letter = await jetstream.get_last_msg(DEAD, f"dead.{consumer}.{UPDATED}")
            except nats.js.errors.NotFoundError:
                return False
            told = letter.headers or {}
            return bool(told["hireflow-reason"] == "Unreadable")

        await until(is_buried)


async def test_a_republished_history_changes_nothing_for_who_heard_it(
    database: Database, bus: Bus, relay: Relay, prefix: str
) -> None:
    hearing = Hearing(prefix)
    await record(database, f"{prefix}r")
    await send_all(relay)
    async with consuming(database, bus, hearing, f"{prefix}again"):
        await until_heard(database, prefix, [("r", 1)])
        republisher = Republisher(database, bus, "toy")
        await republisher.notice_stream()
        async with database.begin() as tx:
            assert (await order_republishing(tx, "toy", 0, None)).first_position > 0
        while await republisher.send_batch():
            pass
        await record(database, f"{prefix}r")
        await send_all(relay)
        await until_heard(database, prefix, [("r", 1), ("r", 2)])
    assert hearing.calls == 2


async def test_two_workers_of_one_consumer_share_the_work_without_doing_it_twice(
    database: Database, bus: Bus, relay: Relay, prefix: str
) -> None:
    hearing, name = Hearing(prefix), f"{prefix}pair"
    names = [f"{prefix}{number % 7}" for number in range(70)]
    async with consuming(database, bus, hearing, name) as subscription:
        second = asyncio.create_task(Consumer(database, bus, "toy", subscription).run())
        await record(database, *names)
        await send_all(relay)
        every = [(str(number), version) for number in range(7) for version in range(1, 11)]
        await until_heard(database, prefix, every)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
    for number in range(7):
        told = [version for name, version in await heard(database, prefix) if name == str(number)]
        assert told == list(range(1, 11))


async def test_a_failing_unit_of_work_wakes_no_one_and_a_commit_wakes_at_once(
    database: Database,
) -> None:
    async with database.listen("toy_outbox") as signal:
        await signal.wait(0.2)

        async def fail() -> None:
            async with database.begin() as tx:
                await OUTBOX.record(tx, updated("rolled-back", NOW))
                raise Unavailable("DEPENDENCY_UNAVAILABLE", "on purpose")

        with pytest.raises(Unavailable):
            await fail()
        assert not await signal.wait(0.1)
        await record(database, f"woken-{uuid4()}")
        assert await signal.wait(5)


async def test_a_consumer_ends_when_told_to_though_the_client_loses_the_cancellation(
    database: Database, bus: Bus, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, lost = asyncio.Event(), asyncio.Event()
    real = Pull.next_batch

    async def lose(self: Pull) -> list[Msg]:
        waits.set()
        try:
            return await real(self)
        except asyncio.CancelledError:
            lost.set()
            return []

    monkeypatch.setattr(Pull, "next_batch", lose)
    name = f"{prefix}told"
    subscription = Subscription(name, ("hireflow.jobs.v1.job.*",), {})
    consuming = asyncio.create_task(Consumer(database, bus, "toy", subscription).run())
    await waits.wait()
    consuming.cancel()
    await asyncio.wait([consuming], timeout=30)
    assert lost.is_set()
    assert consuming.cancelled()
    await (await bus.jetstream()).delete_consumer(EVENTS, name)
