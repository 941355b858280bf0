"""Messages: in a line without gaps, once each, and without contact details before the hire."""

import asyncio

import grpc
import pytest
import sqlalchemy as sa

from hireflow.messaging.v1 import thread_pb2
from services.common.contact_details import REMOVED
from services.messaging.store.tables import MESSAGE
from tests.integration.messaging.world import Parties, World, new_id
from tests.refusals import refusal


async def _texts(world: World, thread_id: str) -> list[tuple[int, str]]:
    query = sa.select(MESSAGE.c.sequence, MESSAGE.c.text).where(MESSAGE.c.thread_id == thread_id)
    async with world.database.read() as connection:
        rows = await connection.execute(query.order_by(MESSAGE.c.sequence))
        return [(row.sequence, row.text) for row in rows]


async def test_fifty_messages_at_once_stand_in_a_line_without_a_gap(
    world: World, parties: Parties
) -> None:
    thread = await world.open_job(parties.job_thread())
    writers = [parties.employer, parties.trainer] * 25
    sent = await asyncio.gather(
        *(
            world.send(writer, thread.thread_id, f"Message {number}")
            for number, writer in enumerate(writers)
        )
    )
    assert sorted(message.sequence for message in sent) == list(range(2, 52))
    kept = await _texts(world, thread.thread_id)
    assert [sequence for sequence, _ in kept] == list(range(1, 52))
    assert dict(kept[1:]) == {message.sequence: message.text for message in sent}
    after = await world.get(parties.employer, thread.thread_id)
    assert after.message_count == 51
    listed = (await world.messages(parties.employer, thread.thread_id)).messages
    assert after.last_message_time == listed[0].create_time
    times = [message.create_time.ToNanoseconds() for message in listed]
    assert times == sorted(times, reverse=True)
    assert await world.events(thread.thread_id) == ["thread.created", *["message.sent"] * 51]


async def test_fifty_equal_calls_write_one_message_and_get_one_answer(
    world: World, parties: Parties
) -> None:
    thread = await world.open_proposal(parties)
    request = thread_pb2.SendMessageRequest(
        request_id=new_id("r"), thread_id=thread.thread_id, text="Write to ann@example.com"
    )
    answers = await asyncio.gather(
        *(world.stub.SendMessage(request, metadata=parties.employer) for _ in range(50))
    )
    assert all(answer == answers[0] for answer in answers)
    assert await _texts(world, thread.thread_id) == [(1, f"Write to {REMOVED}")]
    assert await world.events(thread.thread_id) == ["thread.created", "message.sent"]


async def test_one_text_under_two_requests_is_two_messages(world: World, parties: Parties) -> None:
    thread = await world.open_job(parties.job_thread())
    first = await world.send(parties.employer, thread.thread_id, "Ping")
    second = await world.send(parties.employer, thread.thread_id, "Ping")
    assert (first.sequence, second.sequence) == (2, 3)
    assert first.message_id != second.message_id


async def test_a_request_id_is_good_for_one_text(world: World, parties: Parties) -> None:
    thread, request_id = await world.open_job(parties.job_thread()), new_id("r")
    await world.send(parties.employer, thread.thread_id, "One", request_id)
    error = await refusal(world.send(parties.employer, thread.thread_id, "Two", request_id))
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")


async def test_a_refused_message_leaves_nothing_and_may_come_again(
    world: World, parties: Parties
) -> None:
    thread, request_id = await world.open_proposal(parties), new_id("r")
    await refusal(world.send(parties.trainer, thread.thread_id, "First", request_id))
    assert await world.events(thread.thread_id) == ["thread.created"]
    assert await world.get(parties.employer, thread.thread_id) == thread
    await world.send(parties.employer, thread.thread_id, "Hello")
    message = await world.send(parties.trainer, thread.thread_id, "First", request_id)
    assert message.sequence == 2


async def test_contact_details_are_removed_in_a_proposal_thread_alone(
    world: World, parties: Parties
) -> None:
    text = "Call +1 (555) 010-9999 or see https://example.com/cv"
    before = await world.open_proposal(parties)
    await world.send(parties.employer, before.thread_id, "Who are you?")
    message = await world.send(parties.trainer, before.thread_id, text)
    assert message.text == f"Call {REMOVED} or see {REMOVED}"
    after = await world.open_job(parties.job_thread())
    assert (await world.send(parties.trainer, after.thread_id, text)).text == text


async def test_a_message_keeps_its_markdown_and_its_script(world: World, parties: Parties) -> None:
    thread = await world.open_job(parties.job_thread())
    text = "# Übersicht\n\n- **日本語** 🎈\n\tend "
    await world.send(parties.employer, thread.thread_id, text)
    listed = (await world.messages(parties.trainer, thread.thread_id)).messages
    assert listed[0].text == text


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", ["request_id", "thread_id", "text"]),
        (" \n ", ["request_id", "thread_id", "text"]),
        ("x" * 10_001, ["request_id", "thread_id", "text"]),
        ("a\x00b", ["request_id", "thread_id", "text"]),
        ("fine", ["request_id", "thread_id"]),
    ],
)
async def test_every_bad_field_of_a_message_is_named_in_one_answer(
    text: str, fields: list[str], world: World, parties: Parties
) -> None:
    request = thread_pb2.SendMessageRequest(text=text)
    error = await refusal(world.stub.SendMessage(request, metadata=parties.employer))
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS")
    assert [violation.field for violation in error.violations] == fields
