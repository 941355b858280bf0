"""Who is in the channels of a job: how its hires come in and go."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from hireflow.messaging.v1 import channel_pb2, thread_pb2
from services.common.auth import Kind
from services.messaging.domain import (
    ChangeKind,
    Sender,
    SenderKind,
    Work,
)
from services.messaging.store import changes, threads
from services.messaging.store import channels as store
from services.messaging.store.tables import CONTRACT
from tests.integration.messaging.site import Site, site_of
from tests.integration.messaging.watching import Watcher, watching
from tests.integration.messaging.world import World, new_id
from tests.refusals import reason
from tests.waiting import until


async def test_a_channel_takes_in_who_is_hired_and_who_is_hired_later(site: Site) -> None:
    early = await site.hire()
    thread = await site.channel()
    assert (thread.kind, thread.name) == (thread_pb2.THREAD_KIND_CHANNEL, "Everyone")
    late = await site.hire()
    assert await site.members(thread.thread_id, size=1) == sorted(
        [early.trainer_id, late.trainer_id]
    )
    assert await site.members(thread.thread_id, site.trainer(late)) == await site.members(
        thread.thread_id
    )
    joined = ["thread.created", "thread.joined", "thread.joined"]
    assert await site.world.events(thread.thread_id) == joined
    await site.told(late)
    assert await site.world.events(thread.thread_id) == joined


async def test_without_the_setting_only_who_is_added_is_in_it(world: World) -> None:
    site = await site_of(world, adds_hires=False)
    thread, work = await site.channel(), await site.hire()
    assert await site.members(thread.thread_id) == []
    stranger = new_id("tr")
    told = await site.add(thread.thread_id, stranger, work.trainer_id)
    assert told == ["NOT_HIRED", ""]
    assert await site.add(thread.thread_id, work.trainer_id) == [""]
    assert await site.members(thread.thread_id) == [work.trainer_id]
    assert await world.events(thread.thread_id) == ["thread.created", "thread.joined"]


async def test_members_write_and_read_and_what_was_before_them_is_not_unread(site: Site) -> None:
    thread = await site.channel()
    await site.world.send(site.employer, thread.thread_id, "Before you came")
    work = await site.hire()
    trainer = site.trainer(work)
    seen = await site.world.get(trainer, thread.thread_id)
    assert (seen.message_count, seen.unread_count) == (1, 0)
    await site.world.send(site.employer, thread.thread_id, "Welcome")
    [listed] = (await site.world.threads(trainer)).threads
    assert (listed.thread_id, listed.unread_count, listed.name) == (thread.thread_id, 1, "Everyone")
    await site.world.send(trainer, thread.thread_id, "Thank you; mail me: a@example.com")
    read = (await site.world.messages(site.employer, thread.thread_id)).messages
    assert [each.text for each in read] == [
        "Thank you; mail me: a@example.com",
        "Welcome",
        "Before you came",
    ]


async def test_who_is_taken_out_reads_no_more_and_comes_back_only_when_added(site: Site) -> None:
    thread, work = await site.channel(), await site.hire()
    trainer = site.trainer(work)
    await site.remove(thread.thread_id, work.trainer_id, new_id("tr"))
    assert await reason(site.world.get(trainer, thread.thread_id)) == "NOT_FOUND"
    assert await reason(site.world.send(trainer, thread.thread_id, "Hello?")) == "NOT_FOUND"
    assert not (await site.world.threads(trainer)).threads
    await site.told(work)
    assert await site.members(thread.thread_id) == []
    assert await site.add(thread.thread_id, work.trainer_id) == [""]
    assert (await site.world.get(trainer, thread.thread_id)).name == "Everyone"
    happened = ["thread.created", "thread.joined", "thread.left", "thread.joined"]
    assert await site.world.events(thread.thread_id) == happened


async def test_who_is_taken_out_while_a_message_waits_writes_no_more(site: Site) -> None:
    thread, work = await site.channel(), await site.hire()
    await site.world.send(site.employer, thread.thread_id, "One")
    trainer = site.trainer(work)
    async with site.world.database.begin() as tx:
        # As far as taking somebody out goes before its commit.
        await threads.lock_thread(tx, thread.thread_id)
        await changes.record(
            tx,
            ChangeKind.LEFT,
            thread.thread_id,
            person=Sender(SenderKind.TRAINER, work.trainer_id),
        )
        assert await store.remove_members(tx, thread.thread_id, [work.trainer_id])
        holder = await tx.scalar(sa.select(sa.func.pg_backend_pid()))
        call = asyncio.create_task(site.world.send(trainer, thread.thread_id, "Two"))

        async def it_waits() -> bool:
            query = sa.text(
                "SELECT true FROM pg_stat_activity WHERE :pid = ANY (pg_blocking_pids(pid))"
            )
            async with site.world.database.read() as connection:
                return bool(await connection.scalar(query, {"pid": holder}))

        await until(it_waits)
    assert await reason(call) == "NOT_FOUND"


async def test_a_job_with_a_thousand_hires_gets_its_channel_in_one_call(site: Site) -> None:
    hired = sorted(f"tr-{number:04}" for number in range(1000))
    async with site.world.database.begin() as tx:
        work = {"job_id": site.job.job_id, "active": True}
        rows = [work | {"contract_id": new_id("c"), "trainer_id": each} for each in hired]
        await tx.execute(sa.insert(CONTRACT), rows)
    thread = await site.channel()
    assert await site.members(thread.thread_id, size=200) == hired
    happened = await site.world.events(thread.thread_id)
    assert happened == ["thread.created", *["thread.joined"] * len(hired)]
    seen = await site.world.get(site.world.by(Kind.TRAINER, caller=hired[-1]), thread.thread_id)
    assert list(seen.trainer_ids) == [hired[-1]]


async def test_a_repeat_neither_brings_back_nor_takes_out_again(site: Site) -> None:
    thread, work = await site.channel(), await site.hire()
    there, stranger = (thread.thread_id, work.trainer_id), new_id("tr")
    taken_out, taken_in = new_id("r"), new_id("r")
    await site.remove(*there, request_id=taken_out)
    assert await site.add(*there, stranger, request_id=taken_in) == ["", "NOT_HIRED"]
    await site.remove(*there, request_id=taken_out)
    assert await site.members(thread.thread_id) == [work.trainer_id]
    await site.remove(*there)
    assert await site.add(*there, stranger, request_id=taken_in) == ["", "NOT_HIRED"]
    assert await site.members(thread.thread_id) == []


async def test_a_hire_that_is_heard_of_late_joins_no_channel_before_there_was_one(
    site: Site,
) -> None:
    work = Work(new_id("c"), site.job.job_id, site.job.organisation_id, new_id("tr"), True)
    thread = await site.channel()
    await site.told(work, datetime.now(UTC) - timedelta(hours=1))
    request = channel_pb2.ListChannelMembersRequest(thread_id=thread.thread_id)
    page = await site.world.channels.ListChannelMembers(request, metadata=site.employer)
    assert [each.join_time for each in page.members] == [thread.create_time]


async def test_with_the_last_contract_on_the_job_a_trainer_leaves_its_channels(site: Site) -> None:
    thread, work = await site.channel(), await site.hire()
    second = await site.hire(work.trainer_id)
    await site.told(replace(work, active=False))
    assert await site.members(thread.thread_id) == [work.trainer_id]
    await site.told(replace(second, active=False))
    assert await site.members(thread.thread_id) == []


async def test_watchers_are_told_who_joins_and_leaves_and_who_leaves_watches_no_more(
    site: Site,
) -> None:
    thread, one = await site.channel(), await site.hire()
    stub = site.world.stub
    async with watching(stub, site.employer, thread.thread_id) as employer:
        leaving = Watcher(stub, site.trainer(one), thread.thread_id)
        listening = asyncio.create_task(leaving.listen())
        await asyncio.wait_for(leaving.arrived.wait(), 60)
        two = await site.hire()
        await site.remove(thread.thread_id, one.trainer_id)
        await employer.until(2)
        joined, left = employer.told
        assert (joined.joined.id, left.left.id) == (two.trainer_id, one.trainer_id)
        assert await reason(asyncio.wait_for(listening, 60)) == "NOT_FOUND"
        assert [each.joined.id for each in leaving.told] == [two.trainer_id]


async def test_a_hire_and_a_new_channel_at_the_same_time_do_not_miss_each_other(
    site: Site,
) -> None:
    works = [
        Work(new_id("c"), site.job.job_id, site.job.organisation_id, new_id("tr"), True)
        for _ in range(4)
    ]
    hiring = asyncio.gather(*(site.told(work) for work in works))
    made = await asyncio.gather(*(site.channel(f"Channel {number}") for number in range(2)))
    await hiring
    everyone = sorted(work.trainer_id for work in works)
    for thread in made:
        assert await site.members(thread.thread_id) == everyone
