"""Channels: groups on a job, made, listed, written in and read."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import grpc.aio
import pytest

from hireflow.messaging.v1 import channel_pb2
from services.common.auth import Kind
from services.common.paging import Cursor
from services.common.remote_errors import error_of
from services.messaging.domain import (
    Content,
    Sender,
    SenderKind,
    ThreadKind,
)
from services.messaging.store import listing, threads
from services.messaging.store.listing import Wanted
from services.messaging.use_cases import channels
from services.messaging.use_cases.writing import save_message
from tests.integration.messaging.site import Site
from tests.integration.messaging.world import new_id, rows_read, rows_written
from tests.refusals import reason, refusal


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
            await save_message(tx, *seen.write(message_id, sender, Content("x"), now))
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


async def test_a_job_has_a_bounded_number_of_channels(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "CHANNELS_LIMIT", 2)
    first = await site.channel("One", "request-1")
    tried = (site.channel(), site.channel(), site.channel())
    made = await asyncio.gather(*tried, return_exceptions=True)
    refused = [each for each in made if isinstance(each, grpc.aio.AioRpcError)]
    assert [error_of(each).reason for each in refused] == ["LIMIT_REACHED"] * 2
    assert await site.channel("One", "request-1") == first


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
