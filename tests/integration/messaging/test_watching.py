"""WatchThread: what commits is told in order and once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import grpc.aio
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.messaging.v1 import thread_pb2
from services.common.auth import Kind, Principal
from services.common.database import Database
from services.common.errors import Exhausted, Unavailable
from services.common.settings import Settings
from services.messaging.use_cases import feeds
from services.messaging.use_cases.feeds import Feeds
from tests.integration.messaging.watching import Watcher, watching
from tests.integration.messaging.world import Metadata, Parties, World, new_id
from tests.refusals import refusal

ANN, BOB = Principal(Kind.TRAINER, "ann"), Principal(Kind.TRAINER, "bob")


async def _change(
    world: World, caller: Metadata, message: thread_pb2.Message, text: str = ""
) -> None:
    """Reword a message, or take it back."""
    of = {
        "request_id": new_id("r"),
        "thread_id": message.thread_id,
        "message_id": message.message_id,
    }
    if text:
        edit = thread_pb2.EditMessageRequest(**of, text=text)
        await world.stub.EditMessage(edit, metadata=caller)
    else:
        await world.stub.DeleteMessage(thread_pb2.DeleteMessageRequest(**of), metadata=caller)


async def test_a_watcher_is_told_everything_in_order_and_each_token_resumes_after_its_answer(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    async with watching(world.stub, parties.trainer, thread_id) as watcher:
        begun = watcher.token
        sent = await world.send(parties.employer, thread_id, "One")
        await world.read(parties.trainer, thread_id, 2)
        await world.read(parties.trainer, thread_id, 1)
        await _change(world, parties.employer, sent, "Two")
        await world.send(parties.trainer, thread_id, "Three")
        await _change(world, parties.employer, sent)
        expected = [("sent", 2), ("read", 2), ("edited", 2), ("sent", 3), ("deleted", 2)]
        assert await watcher.until(5) == expected
        assert watcher.told[1].read.reader.id == parties.proposal.trainer_id
        assert watcher.told[2].edited.text in {"Two", ""}
        assert watcher.told[4].deleted.HasField("delete_time")
    tokens = [begun, *(each.resume_token for each in watcher.told)]
    assert len(set(tokens)) == 6
    for place, token in enumerate(tokens):
        async with watching(world.stub, parties.trainer, thread_id, token) as again:
            await world.send(parties.employer, thread_id, "More")
            left = len(expected[place:])
            heard = await again.until(left + place + 1)
        assert heard == [*expected[place:], *(("sent", 4 + more) for more in range(place + 1))]


async def test_who_resumes_is_not_told_what_was_taken_back_or_reworded_since(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    async with watching(world.stub, parties.employer, thread_id) as first:
        begun = first.token
        deleted = await world.send(parties.employer, thread_id, "A secret")
        edited = await world.send(parties.employer, thread_id, "A mistake")
        await first.until(2)  # so the process has read both as they were
        await _change(world, parties.employer, deleted)
        await _change(world, parties.employer, edited, "Mended")
        await first.until(4)
        async with watching(world.stub, parties.employer, thread_id, begun) as second:
            assert await second.until(4) == first.heard
    assert [each.sent.text for each in first.told[:2]] == ["A secret", "A mistake"]
    assert [each.sent.text for each in second.told[:2]] == ["", "Mended"]


async def test_a_stream_without_a_token_begins_now_and_misses_nothing_after_its_first_answer(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    await world.send(parties.employer, thread_id, "Before")
    async with watching(world.stub, parties.employer, thread_id) as watcher:
        await asyncio.gather(*(world.send(parties.trainer, thread_id, "x") for _ in range(20)))
        heard = await watcher.until(20)
    assert heard == [("sent", sequence) for sequence in range(3, 23)]


async def test_who_comes_while_a_change_is_being_read_waits_for_it(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    reads, let_go = asyncio.Semaphore(0), asyncio.Event()
    let_go.set()

    class SlowFeeds(Feeds):
        @asynccontextmanager
        async def read(self) -> AsyncIterator[AsyncConnection]:
            async with super().read() as connection:
                yield connection
                reads.release()
                await let_go.wait()  # a connection that takes long to be given back

    async with SlowFeeds(world.database).watching(thread_id, ANN) as feed:
        await reads.acquire()  # where the thread stands
        await world.send(parties.employer, thread_id, "One")
        [one] = await asyncio.wait_for(feed.after(1), 60)
        await reads.acquire()  # the first change
        await reads.acquire()  # and nothing behind it
        let_go.clear()
        await world.send(parties.employer, thread_id, "Two")
        await reads.acquire()
        coming = asyncio.create_task(feed.after(one.number))
        await asyncio.sleep(0)  # until it has looked
        assert not coming.done()
        let_go.set()
        assert [change.number for change in await asyncio.wait_for(coming, 60)] == [3]


async def test_a_token_is_good_for_its_caller_and_thread(world: World, parties: Parties) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    other = (await world.open_job(parties.job_thread())).thread_id
    async with watching(world.stub, parties.employer, thread_id) as watcher:
        token = watcher.token
    for caller, watched, used in (
        (parties.trainer, thread_id, token),
        (parties.employer, other, token),
        (parties.employer, thread_id, "made-up"),
    ):
        stream = Watcher(world.stub, caller, watched, token=used)
        assert (await refusal(stream.listen())).code is grpc.StatusCode.INVALID_ARGUMENT
    for stranger in (world.by(Kind.TRAINER), world.by(Kind.EMPLOYER, new_id("org"))):
        stream = Watcher(world.stub, stranger, thread_id)
        assert (await refusal(stream.listen())).code is grpc.StatusCode.NOT_FOUND


async def test_who_is_far_behind_reads_alone_and_misses_nothing(
    world: World, parties: Parties, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_TAIL", 4)
    monkeypatch.setattr(feeds, "_BATCH", 3)
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    async with watching(world.stub, parties.trainer, thread_id) as prompt:
        begun = prompt.token
        for _ in range(15):
            await world.send(parties.employer, thread_id, "x")
        expected = [("sent", sequence) for sequence in range(2, 17)]
        assert await prompt.until(15) == expected
        async with watching(world.stub, parties.trainer, thread_id, begun) as late:
            assert await late.until(15) == expected
            await world.send(parties.employer, thread_id, "x")
            for watcher in (prompt, late):
                assert await watcher.until(16) == [*expected, ("sent", 17)]


async def test_who_reads_nothing_of_a_stream_holds_nobody_back(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    request = thread_pb2.WatchThreadRequest(thread_id=thread_id)
    stuck = world.stub.WatchThread(request, metadata=parties.trainer)
    assert isinstance(await stuck.read(), thread_pb2.WatchThreadResponse)
    async with watching(world.stub, parties.trainer, thread_id) as prompt:
        # More than a stream's window of flow control takes: its server side stands still.
        for _ in range(30):
            await world.send(parties.employer, thread_id, "x" * 10_000)
        await prompt.until(30)
    heard: list[int] = []
    while len(heard) < 30:
        told = await stuck.read()
        assert isinstance(told, thread_pb2.WatchThreadResponse)
        heard.append(told.sent.sequence)
    assert heard == list(range(2, 32))
    stuck.cancel()


async def test_a_process_takes_a_bounded_number_of_watchers_in_all_and_of_each_caller(
    settings: Settings,
) -> None:
    async with Database.open(settings, "feeds") as database:
        few = Feeds(database, limit=3, caller_limit=2)
        for taken, one_more in (((ANN, ANN), ANN), ((ANN, ANN, BOB), BOB)):
            async with AsyncExitStack() as watchers:
                for caller in taken:
                    await watchers.enter_async_context(few.watching("t-1", caller))
                with pytest.raises(Exhausted) as refused:
                    await watchers.enter_async_context(few.watching("t-2", one_more))
                assert refused.value.reason == "LIMIT_REACHED"


async def test_a_feed_that_a_defect_ends_says_so_and_whoever_comes_next_has_another(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id

    class DefectiveFeeds(Feeds):
        mended = False

        @asynccontextmanager
        async def read(self) -> AsyncIterator[AsyncConnection]:
            if not self.mended:
                raise ValueError("a defect")
            async with super().read() as connection:
                yield connection

    feeds = DefectiveFeeds(world.database)
    async with feeds.watching(thread_id, BOB) as broken:
        with pytest.raises(Unavailable):
            await asyncio.wait_for(broken.after(0), 60)
        feeds.mended = True
        async with feeds.watching(thread_id, ANN) as feed:
            [welcome] = await asyncio.wait_for(feed.after(0), 60)
            assert welcome.number == 1
