"""Channels: groups on a job, and how its hires come in and go."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from hireflow.messaging.v1 import channel_pb2, thread_pb2
from services.common.auth import Kind
from services.common.paging import Cursor
from services.messaging.domain import (
    ChangeKind,
    Content,
    Job,
    Sender,
    SenderKind,
    ThreadKind,
    Work,
)
from services.messaging.store import changes, listing, threads
from services.messaging.store import channels as store
from services.messaging.store.listing import Wanted
from services.messaging.store.tables import CONTRACT
from services.messaging.use_cases import channels
from services.messaging.use_cases.writing import append
from tests.integration.messaging.watching import Watcher, watching
from tests.integration.messaging.world import Metadata, World, new_id, rows_read, rows_written
from tests.refusals import reason, refusal
from tests.waiting import until


@dataclass(frozen=True)
class Site:
    """A job, and who works on it, as its events told messaging."""

    world: World
    job: Job
    employer: Metadata

    async def hire(self, trainer_id: str = "") -> Work:
        """A contract becomes active."""
        work = Work(
            new_id("c"), self.job.job_id, self.job.organisation_id, trainer_id or new_id("tr"), True
        )
        await self.told(replace(work, active=False))
        await self.told(work)
        return work

    async def told(self, work: Work) -> None:
        """An event of a contract arrives."""
        async with self.world.database.begin() as tx:
            await channels.learn_work(tx, work, datetime.now(UTC))

    async def channel(self, name: str = "Everyone", request_id: str = "") -> thread_pb2.Thread:
        request = channel_pb2.CreateChannelRequest(
            request_id=request_id or new_id("r"), job_id=self.job.job_id, name=name
        )
        answer = await self.world.channels.CreateChannel(request, metadata=self.employer)
        return answer.thread

    async def add(self, thread_id: str, *trainer_ids: str) -> list[str]:
        """The reasons why each is not in it."""
        request = channel_pb2.AddChannelMembersRequest(
            request_id=new_id("r"), thread_id=thread_id, trainer_ids=trainer_ids
        )
        answer = await self.world.channels.AddChannelMembers(request, metadata=self.employer)
        assert [each.trainer_id for each in answer.results] == [*trainer_ids]
        return [each.error_reason for each in answer.results]

    async def remove(self, thread_id: str, *trainer_ids: str) -> None:
        request = channel_pb2.RemoveChannelMembersRequest(
            request_id=new_id("r"), thread_id=thread_id, trainer_ids=trainer_ids
        )
        await self.world.channels.RemoveChannelMembers(request, metadata=self.employer)

    async def members(
        self, thread_id: str, caller: Metadata | None = None, size: int = 0
    ) -> list[str]:
        """Everyone in it, page by page."""
        request = channel_pb2.ListChannelMembersRequest(page_size=size, thread_id=thread_id)
        found: list[str] = []
        while True:
            page = await self.world.channels.ListChannelMembers(
                request, metadata=caller or self.employer
            )
            found += [each.trainer_id for each in page.members]
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    def trainer(self, work: Work) -> Metadata:
        return self.world.by(Kind.TRAINER, caller=work.trainer_id)


async def _site(world: World, *, adds_hires: bool) -> Site:
    job = Job(new_id("job"), new_id("org"), adds_hires)
    async with world.database.begin() as tx:
        await channels.learn_job(tx, job)
    return Site(world, job, world.by(Kind.EMPLOYER, job.organisation_id))


@pytest.fixture
async def site(world: World) -> Site:
    """A job whose hires join its channels by themselves."""
    return await _site(world, adds_hires=True)


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
    site = await _site(world, adds_hires=False)
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


async def test_who_reads_in_a_channel_waits_for_nobody_who_writes_there(site: Site) -> None:
    thread, work = await site.channel(), await site.hire()
    world, thread_id, trainer = site.world, thread.thread_id, site.trainer(work)
    await world.send(site.employer, thread_id, "One")
    async with world.database.begin() as tx:
        await threads.lock_thread(tx, thread_id)
        assert await world.read(trainer, thread_id, 1) == 0
    own = [world.send(trainer, thread_id, "Own") for _ in range(10)]
    others = [world.send(site.employer, thread_id, "Other") for _ in range(10)]
    writing = asyncio.gather(*own, *others)
    while not writing.done():
        count = (await world.get(trainer, thread_id)).message_count
        assert await world.read(trainer, thread_id, count) >= 0
    await writing
    assert await world.read(trainer, thread_id, 21) == 0


async def test_a_message_and_the_lists_of_threads_cost_the_same_however_many_are_in_a_channel(
    site: Site,
) -> None:
    thread, work = await site.channel(), await site.hire()
    trainer = site.trainer(work)
    sender = Sender(SenderKind.TRAINER, work.trainer_id)

    async def cost() -> tuple[int, int]:
        """How many rows a message writes, and how many the lists that show it read."""
        async with site.world.database.begin() as tx:
            seen, message_id = await threads.get_thread(tx, thread.thread_id), new_id("m")
            before = await rows_written(tx), await rows_read(tx)
            now = datetime.now(UTC)
            await append(tx, seen, sender, Content("x"), message_id=message_id, now=now)
            wanted = Wanted(sender, "", frozenset(ThreadKind))
            cursor = Cursor.read(10, "", "cost")
            organisation_id = site.job.organisation_id
            await listing.list_trainer_threads(tx, work.trainer_id, wanted, cursor)
            await listing.list_organisation_threads(tx, organisation_id, wanted, cursor)
            return await rows_written(tx) - before[0], await rows_read(tx) - before[1]

    await cost()
    alone = await cost()
    for _ in range(3):
        await site.hire()
    assert len(await site.members(thread.thread_id)) == 4
    assert await cost() == alone
    [listed] = (await site.world.threads(site.employer)).threads
    [own] = (await site.world.threads(trainer)).threads
    assert (list(listed.trainer_ids), list(own.trainer_ids)) == ([], [work.trainer_id])


async def test_a_trainers_channels_are_among_its_threads_by_their_last_message(site: Site) -> None:
    work, world = await site.hire(), site.world
    parties = await world.parties(site.job.organisation_id, work.trainer_id)
    opened = [
        (await site.channel("One")).thread_id,
        (await world.open_proposal(parties)).thread_id,
        (await site.channel("Two")).thread_id,
    ]
    await world.send(site.employer, opened[0], "The latest")
    expected = [opened[0], opened[2], opened[1]]
    for size in (1, 2, 3):
        listed: list[str] = []
        token = ""
        while len(listed) < len(expected):
            page = await world.threads(site.trainer(work), size, token)
            listed += [each.thread_id for each in page.threads]
            token = page.next_page_token
        assert (listed, token) == (expected, "")
    of_job = await world.threads(site.trainer(work), job_id=site.job.job_id)
    assert [each.thread_id for each in of_job.threads] == [opened[0], opened[2]]


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


async def test_the_same_request_makes_one_channel_and_a_name_can_be_changed(site: Site) -> None:
    request_id = new_id("r")
    first = await site.channel("Annotators", request_id)
    assert await site.channel("Annotators", request_id) == first
    rename = channel_pb2.RenameChannelRequest(
        request_id=new_id("r"), thread_id=first.thread_id, name="Raters"
    )
    for _ in range(2):
        renamed = await site.world.channels.RenameChannel(rename, metadata=site.employer)
        assert renamed.thread.name == "Raters"
    assert await site.world.events(first.thread_id) == ["thread.created", "thread.renamed"]


async def test_a_channel_is_its_organisations_and_other_threads_are_no_channels(
    site: Site,
) -> None:
    thread, work = await site.channel(), await site.hire()
    other = replace(site, employer=site.world.by(Kind.EMPLOYER, new_id("org")))
    assert await reason(other.channel()) == "NOT_FOUND"
    assert await reason(other.add(thread.thread_id, work.trainer_id)) == "NOT_FOUND"
    assert await reason(other.remove(thread.thread_id, work.trainer_id)) == "NOT_FOUND"
    assert await reason(other.members(thread.thread_id)) == "NOT_FOUND"
    stranger = site.world.by(Kind.TRAINER)
    assert await reason(site.members(thread.thread_id, stranger)) == "NOT_FOUND"
    parties = await site.world.parties(site.job.organisation_id)
    questions = await site.world.open_proposal(parties)
    assert await reason(site.members(questions.thread_id)) == "NOT_FOUND"
    assert await reason(site.add(questions.thread_id, work.trainer_id)) == "NOT_FOUND"


async def test_all_that_is_wrong_with_a_request_is_told_at_once(site: Site) -> None:
    request = channel_pb2.AddChannelMembersRequest(trainer_ids=["tr-1", "", "tr-1"])
    told = await refusal(site.world.channels.AddChannelMembers(request, metadata=site.employer))
    assert {each.field for each in told.violations} == {
        "request_id",
        "thread_id",
        "trainer_ids[1]",
        "trainer_ids[2]",
    }
    nameless = channel_pb2.CreateChannelRequest(name="a\nb")
    told = await refusal(site.world.channels.CreateChannel(nameless, metadata=site.employer))
    assert {each.field for each in told.violations} == {"request_id", "job_id", "name"}
