"""What each person has read: marks of their own, unread counts, and the inbox made of them."""

import asyncio
from dataclasses import replace

import grpc
import pytest

from hireflow.common.v1 import actor_pb2
from hireflow.messaging.v1 import thread_pb2
from services.common import paging
from services.common.auth import Kind
from services.messaging.domain import Sender, SenderKind
from services.messaging.store import listing, marks, messages, threads
from tests.integration.messaging.world import Metadata, Parties, World, new_id, rows_read
from tests.refusals import refusal

OLDEST_FIRST = thread_pb2.MESSAGE_ORDER_OLDEST_FIRST


async def _unread(world: World, caller: Metadata, thread_id: str) -> int:
    return (await world.get(caller, thread_id)).unread_count


async def _inbox(world: World, caller: Metadata, size: int) -> list[str]:
    """The unread threads of all pages; no page is asked for more than 100 times."""
    seen: list[str] = []
    token = ""
    for _ in range(100):
        page = await world.threads(caller, size, token, unread_only=True)
        assert len(page.threads) <= size
        assert all(thread.unread_count > 0 for thread in page.threads)
        seen += [thread.thread_id for thread in page.threads]
        token = page.next_page_token
        if not token:
            return seen
    raise AssertionError("the list does not end")


async def test_everybody_has_marks_of_their_own_and_own_messages_count_as_read(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    colleague = world.by(Kind.EMPLOYER, parties.proposal.organisation_id)
    people = (parties.employer, colleague, parties.trainer)
    assert [await _unread(world, each, thread_id) for each in people] == [1, 1, 1]
    await world.send(parties.employer, thread_id, "One")
    assert [await _unread(world, each, thread_id) for each in people] == [1, 2, 2]
    assert await world.read(parties.trainer, thread_id, 2) == 0
    await world.send(parties.trainer, thread_id, "Two")
    assert [await _unread(world, each, thread_id) for each in people] == [2, 3, 0]
    assert await world.read(parties.employer, thread_id, 1) == 1
    assert await world.read(parties.employer, thread_id, 3) == 0
    assert [await _unread(world, each, thread_id) for each in people] == [0, 3, 0]
    listed = (await world.threads(colleague)).threads
    assert [thread.unread_count for thread in listed] == [3]
    assert await _unread(world, world.by(Kind.OPERATOR), thread_id) == 0


async def test_a_mark_never_moves_back(world: World, parties: Parties) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    for text in ("One", "Two", "Three"):
        await world.send(parties.employer, thread_id, text)
    assert await world.read(parties.trainer, thread_id, 3) == 1
    assert await world.read(parties.trainer, thread_id, 1) == 1
    assert await world.read(parties.trainer, thread_id, 3) == 1
    late = [world.read(parties.trainer, thread_id, sequence) for sequence in (4, 2, 1, 3, 4)]
    await asyncio.gather(*late)
    assert await _unread(world, parties.trainer, thread_id) == 0


async def test_a_repeat_waits_for_nobody_and_what_is_newly_read_is_counted_alone(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    await world.read(parties.trainer, thread_id, 1)
    await world.send(parties.trainer, thread_id, "The first of very many")
    person = Sender(SenderKind.TRAINER, parties.proposal.trainer_id)
    async with world.database.begin() as tx:
        await threads.lock_thread(tx, thread_id)  # as somebody does who writes there
        assert await world.read(parties.trainer, thread_id, 1) == 0
    async with world.database.begin() as tx:
        first = await messages.get_message(tx, thread_id, 2)
        for sequence in range(3, 500):
            again = replace(first, sequence=sequence, message_id=new_id("m"))
            await messages.insert_message(tx, again)
        before = await rows_read(tx)
        assert await marks.count_own(tx, thread_id, person, 489, 494) == 5
        assert await rows_read(tx) - before < 10


async def test_writing_and_reading_at_once_counts_every_message_once(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    await world.send(parties.trainer, thread_id, "Unread by the employer")
    calls = [world.send(parties.employer, thread_id, f"Own {number}") for number in range(10)]
    calls += [world.send(parties.trainer, thread_id, f"Other {number}") for number in range(10)]
    reads = [world.read(parties.employer, thread_id, 1) for _ in range(5)]
    await asyncio.gather(*calls, *reads)
    assert await _unread(world, parties.employer, thread_id) == 11
    listed = (await world.messages(parties.employer, thread_id)).messages
    employer, half = actor_pb2.ACTOR_KIND_EMPLOYER, 12
    after = sum(each.sequence > half and each.sender.kind != employer for each in listed)
    assert await world.read(parties.employer, thread_id, half) == after


async def test_a_mark_is_at_a_message_of_a_thread_that_the_reader_is_in(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    error = await refusal(world.read(parties.trainer, thread_id, 2))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in error.violations] == ["sequence"]
    error = await refusal(world.read(parties.trainer, "", 0))
    assert [violation.field for violation in error.violations] == ["thread_id", "sequence"]
    for stranger in (world.by(Kind.TRAINER), world.by(Kind.EMPLOYER, new_id("org"))):
        error = await refusal(world.read(stranger, thread_id, 1))
        assert error.code is grpc.StatusCode.NOT_FOUND


async def test_the_inbox_shows_what_each_has_not_read(world: World) -> None:
    organisation_id, trainer_id = new_id("org"), new_id("tr")
    parties = [await world.parties(organisation_id, trainer_id) for _ in range(3)]
    opened = [(await world.open_proposal(each)).thread_id for each in parties]
    employer, trainer = parties[0].employer, parties[0].trainer
    await world.send(employer, opened[0], "Hello")
    await world.send(employer, opened[2], "Hello")
    assert await _inbox(world, trainer, 1) == [opened[2], opened[0]]
    assert await _inbox(world, employer, 1) == []
    await world.read(trainer, opened[2], 1)
    await world.send(trainer, opened[2], "Yes?")
    assert await _inbox(world, trainer, 5) == [opened[0]]
    assert await _inbox(world, employer, 5) == [opened[2]]


async def test_unread_threads_are_found_behind_many_that_are_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LOOKED_AT", 3)
    organisation_id, trainer_id = new_id("org"), new_id("tr")
    parties = [await world.parties(organisation_id, trainer_id) for _ in range(12)]
    opened = [(await world.open_job(each.job_thread())).thread_id for each in parties]
    # The fourth of the list, one more than a page looks at, and others behind it.
    unread = {opened[0], opened[1], opened[8]}
    for thread_id in opened:
        if thread_id not in unread:
            await world.read(parties[0].trainer, thread_id, 1)
    for size in (1, 2, 50):
        expected = [opened[8], opened[1], opened[0]]
        assert await _inbox(world, parties[0].trainer, size) == expected
    first = await world.threads(parties[0].trainer, 50, unread_only=True)
    assert (list(first.threads), bool(first.next_page_token)) == ([], True)


async def test_an_operator_has_no_inbox(world: World) -> None:
    error = await refusal(
        world.threads(world.by(Kind.OPERATOR), organisation_id="org-1", unread_only=True)
    )
    assert [violation.field for violation in error.violations] == ["unread_only"]


async def test_messages_are_paged_both_ways_from_any_message(
    world: World, parties: Parties
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    for number in range(2, 10):
        await world.send(parties.employer, thread_id, f"Message {number}")

    async def listed(**how: int) -> list[int]:
        seen: list[int] = []
        token = ""
        while True:
            page = await world.messages(parties.trainer, thread_id, 2, token, **how)
            seen += [message.sequence for message in page.messages]
            token = page.next_page_token
            if not token:
                return seen

    assert await listed() == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert await listed(order=OLDEST_FIRST) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert await listed(from_sequence=5) == [5, 4, 3, 2, 1]
    assert await listed(from_sequence=5, order=OLDEST_FIRST) == [5, 6, 7, 8, 9]
    assert await listed(from_sequence=99, order=OLDEST_FIRST) == []
    newest = await world.messages(parties.trainer, thread_id, 2)
    other = world.messages(
        parties.trainer, thread_id, 2, newest.next_page_token, order=OLDEST_FIRST
    )
    assert (await refusal(other)).code is grpc.StatusCode.INVALID_ARGUMENT
    error = await refusal(world.messages(parties.trainer, "", order=9, from_sequence=-1))
    assert [violation.field for violation in error.violations] == [
        "thread_id",
        "order",
        "from_sequence",
    ]


async def test_a_page_ends_before_it_is_too_large_for_its_reader(
    world: World, parties: Parties, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    for text in ("short", "x" * 600, "y" * 2000, "z" * 600):
        await world.send(parties.employer, thread_id, text)
    monkeypatch.setattr(paging, "_HEAVIEST_PAGE", 1000)
    shown: list[list[int]] = []
    token = ""
    while not shown or token:
        page = await world.messages(parties.trainer, thread_id, 4, token, order=OLDEST_FIRST)
        shown.append([message.sequence for message in page.messages])
        token = page.next_page_token
    # The second page has one message, which is too large for any.
    assert shown == [[1, 2, 3], [4], [5]]
