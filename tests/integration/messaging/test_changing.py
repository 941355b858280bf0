"""Messages that their authors reword and take back, and the trace that stays of it."""

import asyncio

import grpc
import pytest

from hireflow.messaging.v1 import thread_pb2
from services.common.auth import Kind
from services.common.contact_details import REMOVED
from tests.integration.messaging.world import Metadata, Parties, World, new_id
from tests.refusals import reason, refusal

FILE = thread_pb2.Attachment(
    name="guidelines.pdf",
    media_type="application/pdf",
    size_bytes=1024,
    sha256="0" * 64,
    address="https://files.example.com/guidelines.pdf",
)


def _edit(
    message: thread_pb2.Message, text: str, request_id: str = ""
) -> thread_pb2.EditMessageRequest:
    return thread_pb2.EditMessageRequest(
        request_id=request_id or new_id("r"),
        thread_id=message.thread_id,
        message_id=message.message_id,
        text=text,
    )


def _delete(message: thread_pb2.Message) -> thread_pb2.DeleteMessageRequest:
    return thread_pb2.DeleteMessageRequest(
        request_id=new_id("r"), thread_id=message.thread_id, message_id=message.message_id
    )


async def _versions(
    world: World, caller: Metadata, message: thread_pb2.Message
) -> list[tuple[int, str]]:
    request = thread_pb2.ListMessageVersionsRequest(
        page_size=1, thread_id=message.thread_id, message_id=message.message_id
    )
    seen: list[tuple[int, str]] = []
    while True:
        page = await world.stub.ListMessageVersions(request, metadata=caller)
        seen += [(version.number, version.text) for version in page.versions]
        if not page.next_page_token:
            return seen
        request.page_token = page.next_page_token


async def test_a_message_brings_files_by_reference(world: World, parties: Parties) -> None:
    thread = await world.open_job(parties.job_thread())
    request = thread_pb2.SendMessageRequest(
        request_id=new_id("r"), thread_id=thread.thread_id, attachments=[FILE]
    )
    sent = (await world.stub.SendMessage(request, metadata=parties.employer)).message
    assert (sent.text, list(sent.attachments)) == ("", [FILE])
    listed = (await world.messages(parties.trainer, thread.thread_id)).messages
    assert listed[0] == sent


async def test_before_the_hire_files_come_from_our_own_stores_alone(
    world: World, parties: Parties
) -> None:
    thread = await world.open_proposal(parties)
    ours, foreign = thread_pb2.Attachment(), thread_pb2.Attachment()
    for each, address in (
        (ours, "https://files.hireflow.local/guidelines.pdf"),
        (foreign, "https://wa.me/4915112345678"),
    ):
        each.CopyFrom(FILE)
        each.address = address
    send = thread_pb2.SendMessageRequest(request_id=new_id("r"), thread_id=thread.thread_id)
    ask = thread_pb2.AskCandidatesRequest(proposal_ids=[parties.proposal.proposal_id])
    for request in (send, ask):
        request.attachments.extend([ours, foreign])
    error = await refusal(world.stub.SendMessage(send, metadata=parties.employer))
    assert [violation.field for violation in error.violations] == ["attachments[1].address"]
    error = await refusal(world.stub.AskCandidates(ask, metadata=parties.employer))
    fields = [violation.field for violation in error.violations]
    assert fields == ["request_id", "attachments[1].address"]
    del send.attachments[1]
    sent = (await world.stub.SendMessage(send, metadata=parties.employer)).message
    assert list(sent.attachments) == [ours]


async def test_every_fault_of_text_and_files_is_named_in_one_answer(
    world: World, parties: Parties
) -> None:
    bad = thread_pb2.Attachment(size_bytes=-1)
    request = thread_pb2.SendMessageRequest(text="a\x00", attachments=[FILE, bad])
    error = await refusal(world.stub.SendMessage(request, metadata=parties.employer))
    assert [violation.field for violation in error.violations] == [
        "request_id",
        "thread_id",
        "text",
        *(f"attachments[1].{name}" for name in ("name", "media_type", "size_bytes")),
        *(f"attachments[1].{name}" for name in ("sha256", "address")),
    ]


async def test_an_edited_message_keeps_its_place_and_the_organisation_sees_what_it_said(
    world: World, parties: Parties
) -> None:
    thread = await world.open_job(parties.job_thread())
    sent = await world.send(parties.trainer, thread.thread_id, "One")
    await world.send(parties.employer, thread.thread_id, "Next")
    request = _edit(sent, "Two")
    edited = (await world.stub.EditMessage(request, metadata=parties.trainer)).message
    assert (edited.sequence, edited.text, edited.edit_count) == (2, "Two", 1)
    assert edited.create_time == sent.create_time
    assert edited.edit_time.ToNanoseconds() >= sent.create_time.ToNanoseconds()
    again = (await world.stub.EditMessage(request, metadata=parties.trainer)).message
    assert again == edited
    await world.stub.EditMessage(_edit(sent, "Two"), metadata=parties.trainer)
    await world.stub.EditMessage(_edit(sent, "Three"), metadata=parties.trainer)
    listed = (await world.messages(parties.employer, thread.thread_id)).messages
    assert [message.text for message in listed][:2] == ["Next", "Three"]
    for reader in (parties.employer, world.by(Kind.OPERATOR)):
        assert await _versions(world, reader, sent) == [(1, "One"), (2, "Two")]
    sequence = ["message.sent", "message.sent", "message.edited", "message.edited"]
    assert (await world.events(thread.thread_id))[2:] == sequence
    assert (await world.get(parties.employer, thread.thread_id)).message_count == 3


async def test_a_deleted_message_keeps_its_place_and_author_and_nothing_it_ever_said(
    world: World, parties: Parties
) -> None:
    thread = await world.open_job(parties.job_thread())
    request = thread_pb2.SendMessageRequest(
        request_id=new_id("r"), thread_id=thread.thread_id, text="One", attachments=[FILE]
    )
    sent = (await world.stub.SendMessage(request, metadata=parties.employer)).message
    await world.stub.EditMessage(_edit(sent, "Two"), metadata=parties.employer)
    left = (await world.stub.DeleteMessage(_delete(sent), metadata=parties.employer)).message
    assert (left.text, list(left.attachments), left.edit_count) == ("", [], 1)
    assert (left.sequence, left.sender, left.message_id) == (2, sent.sender, sent.message_id)
    assert left.HasField("delete_time")
    twice = (await world.stub.DeleteMessage(_delete(sent), metadata=parties.employer)).message
    assert twice == left
    assert (await world.messages(parties.trainer, thread.thread_id)).messages[0] == left
    assert await _versions(world, parties.employer, sent) == []
    assert await reason(
        world.stub.EditMessage(_edit(sent, "Three"), metadata=parties.employer)
    ) == ("MESSAGE_DELETED")
    # The repeat of the first call does not bring the text back.
    assert (await world.stub.SendMessage(request, metadata=parties.employer)).message == left
    assert (await world.events(thread.thread_id)).count("message.deleted") == 1


async def test_only_its_author_changes_a_message_and_nobody_a_system_message(
    world: World, parties: Parties
) -> None:
    thread = await world.open_job(parties.job_thread())
    welcome = (await world.messages(parties.employer, thread.thread_id)).messages[0]
    sent = await world.send(parties.employer, thread.thread_id, "One")
    colleague = world.by(Kind.EMPLOYER, parties.proposal.organisation_id)
    for caller, message in (
        (parties.trainer, sent),
        (colleague, sent),
        (parties.employer, welcome),
        (parties.trainer, welcome),
    ):
        for call in (
            world.stub.EditMessage(_edit(message, "Two"), metadata=caller),
            world.stub.DeleteMessage(_delete(message), metadata=caller),
        ):
            assert await reason(call) == "MESSAGE_NOT_OWN"
    listed = (await world.messages(parties.employer, thread.thread_id)).messages
    assert list(listed) == [sent, welcome]


async def test_a_message_is_found_in_its_own_thread_alone(world: World, parties: Parties) -> None:
    thread, other = [await world.open_job(parties.job_thread()) for _ in range(2)]
    sent = await world.send(parties.employer, thread.thread_id, "One")
    sent.thread_id = other.thread_id
    stranger = world.by(Kind.EMPLOYER, new_id("org"))
    for caller in (parties.employer, stranger):
        for call in (
            world.stub.EditMessage(_edit(sent, "Two"), metadata=caller),
            world.stub.DeleteMessage(_delete(sent), metadata=caller),
            _versions(world, caller, sent),
        ):
            assert (await refusal(call)).code is grpc.StatusCode.NOT_FOUND


async def test_no_edit_brings_contact_details_before_the_hire(
    world: World, parties: Parties
) -> None:
    thread = await world.open_proposal(parties)
    sent = await world.send(parties.employer, thread.thread_id, "Hello")
    request = _edit(sent, "Write to ann@example.com")
    edited = (await world.stub.EditMessage(request, metadata=parties.employer)).message
    assert edited.text == f"Write to {REMOVED}"


async def test_twenty_edits_at_once_leave_every_version_once(
    world: World, parties: Parties
) -> None:
    thread = await world.open_job(parties.job_thread())
    sent = await world.send(parties.employer, thread.thread_id, "0")
    texts = [str(number) for number in range(1, 21)]
    edited = await asyncio.gather(
        *(world.stub.EditMessage(_edit(sent, t), metadata=parties.employer) for t in texts)
    )
    last = next(each.message for each in edited if each.message.edit_count == 20)
    versions = await _versions(world, parties.employer, sent)
    assert [number for number, _ in versions] == list(range(1, 21))
    assert sorted([text for _, text in versions] + [last.text]) == sorted(["0", *texts])


@pytest.mark.parametrize("method", ["EditMessage", "DeleteMessage"])
async def test_every_bad_field_of_a_change_is_named_in_one_answer(
    method: str, world: World, parties: Parties
) -> None:
    request = getattr(thread_pb2, f"{method}Request")()
    error = await refusal(getattr(world.stub, method)(request, metadata=parties.employer))
    fields = ["request_id", "thread_id", "message_id", *(["text"] * (method == "EditMessage"))]
    assert [violation.field for violation in error.violations] == fields
