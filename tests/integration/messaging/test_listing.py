"""Lists of threads and messages, page by page, while people go on writing."""

from datetime import UTC, datetime, timedelta

import grpc
import pytest
import sqlalchemy as sa

from hireflow.messaging.v1 import thread_pb2
from services.common.auth import Kind
from services.common.paging import Cursor
from services.messaging.domain import Sender, SenderKind, ThreadKind
from services.messaging.store import listing
from services.messaging.store.listing import LOOKED_AT, Wanted
from services.messaging.store.tables import PARTICIPANT, THREAD
from tests.integration.messaging.world import Metadata, World, new_id, rows_read
from tests.refusals import refusal


def _ids(page: thread_pb2.ListThreadsResponse) -> list[str]:
    return [thread.thread_id for thread in page.threads]


async def _proposal_threads(world: World, organisation_id: str, count: int) -> list[str]:
    """Open as many threads with as many trainers; the last opened is the last here."""
    return [
        (await world.open_proposal(await world.parties(organisation_id))).thread_id
        for _ in range(count)
    ]


@pytest.fixture
def organisation_id() -> str:
    return new_id("org")


@pytest.fixture
def employer(world: World, organisation_id: str) -> Metadata:
    return world.by(Kind.EMPLOYER, organisation_id)


async def test_threads_are_listed_by_their_last_message_and_pages_show_each_once(
    world: World, employer: Metadata, organisation_id: str
) -> None:
    opened = await _proposal_threads(world, organisation_id, 7)
    await world.send(employer, opened[2], "Hello")
    order = [opened[2], *(each for each in opened[::-1] if each != opened[2])]
    seen: list[str] = []
    token = ""
    while True:
        page = await world.threads(employer, 3, token)
        seen += _ids(page)
        await _proposal_threads(world, organisation_id, 1)
        token = page.next_page_token
        if not token:
            break
    assert seen == order


async def test_a_trainer_lists_the_threads_of_all_organisations_it_is_in(world: World) -> None:
    trainer_id = new_id("tr")
    parties = [await world.parties(trainer_id=trainer_id) for _ in range(3)]
    opened = [(await world.open_proposal(each)).thread_id for each in parties]
    await world.send(parties[0].employer, opened[0], "Hello")
    first = await world.threads(parties[0].trainer, 2)
    second = await world.threads(parties[0].trainer, 2, first.next_page_token)
    assert [*_ids(first), *_ids(second)] == [opened[0], opened[2], opened[1]]
    assert second.next_page_token == ""


async def test_lists_are_narrowed_by_job_and_kind(world: World, organisation_id: str) -> None:
    mine, other = await world.parties(organisation_id), await world.parties(organisation_id)
    before, job = await world.open_proposal(mine), await world.open_job(mine.job_thread())
    elsewhere = await world.open_job(other.job_thread())
    job_id, kind = mine.proposal.job_id, thread_pb2.THREAD_KIND_JOB
    for caller in (mine.employer, mine.trainer):
        assert _ids(await world.threads(caller, job_id=job_id)) == [job.thread_id, before.thread_id]
        assert _ids(await world.threads(caller, job_id=job_id, kind=kind)) == [job.thread_id]
    assert _ids(await world.threads(mine.employer, kind=kind)) == [
        elsewhere.thread_id,
        job.thread_id,
    ]
    assert _ids(await world.threads(mine.trainer, kind=kind)) == [job.thread_id]
    assert not _ids(await world.threads(mine.employer, kind=thread_pb2.THREAD_KIND_CHANNEL))


async def test_messages_are_listed_newest_first_while_more_are_written(world: World) -> None:
    parties = await world.parties()
    thread = await world.open_job(parties.job_thread())
    for number in range(2, 8):
        await world.send(parties.employer, thread.thread_id, f"Message {number}")
    seen: list[int] = []
    token = ""
    while True:
        page = await world.messages(parties.trainer, thread.thread_id, 3, token)
        seen += [message.sequence for message in page.messages]
        await world.send(parties.employer, thread.thread_id, "One more")
        token = page.next_page_token
        if not token:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_a_page_token_is_bound_to_its_caller_and_list(
    world: World, employer: Metadata, organisation_id: str
) -> None:
    first, second = await _proposal_threads(world, organisation_id, 2)
    for thread_id in (first, second):
        for text in ("One", "Two"):
            await world.send(employer, thread_id, text)
    colleague = world.by(Kind.EMPLOYER, organisation_id)
    of_threads = (await world.threads(employer, 1)).next_page_token
    of_messages = (await world.messages(employer, first, 1)).next_page_token
    assert of_threads
    assert of_messages
    for call in (
        world.threads(colleague, 1, of_threads),
        world.threads(employer, 1, of_threads, kind=thread_pb2.THREAD_KIND_JOB),
        world.threads(employer, 1, of_threads, job_id="job-1"),
        world.threads(employer, 1, "made-up"),
        world.threads(employer, -1),
        world.messages(colleague, first, 1, of_messages),
        world.messages(employer, second, 1, of_messages),
        world.messages(employer, first, 1, of_threads),
        world.messages(employer, first, -1),
    ):
        assert (await refusal(call)).code is grpc.StatusCode.INVALID_ARGUMENT


async def test_nobody_lists_another_organisation(
    world: World, employer: Metadata, organisation_id: str
) -> None:
    await _proposal_threads(world, organisation_id, 1)
    error = await refusal(world.threads(employer, organisation_id=new_id("org")))
    assert error.code is grpc.StatusCode.NOT_FOUND
    trainer = world.by(Kind.TRAINER)
    error = await refusal(world.threads(trainer, organisation_id=organisation_id))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in error.violations] == ["organisation_id"]


async def test_every_bad_filter_is_named_in_one_answer(world: World) -> None:
    error = await refusal(world.threads(world.by(Kind.OPERATOR), job_id="x" * 65, kind=77))
    assert [violation.field for violation in error.violations] == [
        "organisation_id",
        "job_id",
        "kind",
    ]


async def test_a_page_reads_no_more_rows_in_a_crowd(world: World, organisation_id: str) -> None:
    trainer_id, count = new_id("tr"), 3000
    times = [datetime.now(UTC) + timedelta(seconds=number) for number in range(count)]
    rows = [
        {
            "thread_id": new_id("t"),
            "kind": ThreadKind.PROPOSAL if number % 50 else ThreadKind.CHANNEL,
            "organisation_id": organisation_id,
            "job_id": "job-1",
            "proposal_id": new_id("p") if number % 50 else None,
            "message_count": 1,
            "create_time": time,
            "last_message_time": time,
        }
        for number, time in enumerate(times)
    ]
    shared = ("thread_id", "kind", "job_id", "last_message_time")
    async with world.database.begin() as tx:
        await tx.execute(sa.insert(THREAD), rows)
        in_it = [{**{name: row[name] for name in shared}, "trainer_id": trainer_id} for row in rows]
        await tx.execute(sa.insert(PARTICIPANT), in_it)
    async with world.database.begin() as tx:
        for table in (THREAD, PARTICIPANT):
            await tx.execute(sa.text(f"ANALYZE {table.fullname}"))
    cursor = Cursor.read(10, "", "crowd")
    reader = Sender(SenderKind.TRAINER, trainer_id)
    for job_id, unread_only in (("", False), ("job-1", False), ("", True), ("job-1", True)):
        wanted = Wanted(reader, job_id, frozenset(ThreadKind), unread_only)
        async with world.database.begin() as tx:
            before = await rows_read(tx)
            page = await listing.list_trainer_threads(tx, trainer_id, wanted, cursor)
            same = await listing.list_organisation_threads(tx, organisation_id, wanted, cursor)
            read = await rows_read(tx) - before
        newest = [row["thread_id"] for row in rows[::-1][:10]]
        assert [each.thread_id for each in page.items] == newest
        assert [each.thread_id for each in same.items] == newest
        assert read < (LOOKED_AT * 10 if unread_only else 500)
