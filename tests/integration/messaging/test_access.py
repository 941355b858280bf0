"""Who may do and see what: organisations apart, trainers in their own threads, readers reading."""

import grpc
import pytest
from google.protobuf.message import Message

from hireflow.messaging.v1 import thread_pb2
from services.common.auth import Kind
from tests.integration.messaging.world import Metadata, Parties, World, new_id
from tests.refusals import refusal
from tests.unit.messaging.authorisation import AUTHORISATION

METHODS = thread_pb2.DESCRIPTOR.services_by_name["MessagingService"].methods_by_name


async def _outcome(world: World, method: str, caller: Metadata) -> tuple[grpc.StatusCode, str]:
    request: Message = getattr(thread_pb2, METHODS[method].input_type.name)()
    call = getattr(world.stub, method)(request, metadata=caller)
    error = await refusal(call.read() if METHODS[method].server_streaming else call)
    return error.code, error.reason


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("method", METHODS)
async def test_each_kind_of_caller_may_call_what_its_row_says(
    method: str, kind: Kind, world: World
) -> None:
    own_list = {Kind.EMPLOYER, Kind.AGENT, Kind.TRAINER}
    if kind in own_list and method == "ListThreads":
        return  # Their empty request is a good one; the tests of lists show it.
    organisation = new_id("org") if kind in {Kind.EMPLOYER, Kind.AGENT} else None
    code, reason = await _outcome(world, method, world.by(kind, organisation))
    if AUTHORISATION[method][kind.name] == "denied":
        assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")
    else:
        assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS")


async def test_a_call_without_a_token_is_unauthenticated(world: World) -> None:
    assert await _outcome(world, "GetThread", ()) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "TOKEN_INVALID",
    )


@pytest.mark.parametrize("kind", [Kind.EMPLOYER, Kind.AGENT, Kind.TRAINER])
async def test_nobody_learns_of_a_thread_that_is_not_theirs(
    kind: Kind, world: World, parties: Parties
) -> None:
    thread = await world.open_proposal(parties)
    await world.send(parties.employer, thread.thread_id, "Hello")
    stranger = world.by(kind, None if kind is Kind.TRAINER else new_id("org"))
    for call in (
        world.get(stranger, thread.thread_id),
        world.messages(stranger, thread.thread_id),
        world.send(stranger, thread.thread_id, "Hello"),
        world.get(stranger, "no-such-thread"),
    ):
        error = await refusal(call)
        assert (error.code, error.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    assert not (await world.threads(stranger)).threads


async def test_a_proposal_of_another_organisation_cannot_be_told_from_an_unknown_one(
    world: World, parties: Parties
) -> None:
    stranger = Parties(parties.proposal, world.by(Kind.AGENT, new_id("org")), parties.trainer)
    foreign = await refusal(world.open_proposal(stranger))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    request = thread_pb2.OpenProposalThreadRequest(request_id=new_id("r"), proposal_id="unknown")
    unknown = await refusal(world.stub.OpenProposalThread(request, metadata=parties.employer))
    assert (unknown.code, unknown.reason) == (foreign.code, foreign.reason)


@pytest.mark.parametrize("kind", [Kind.OPERATOR, Kind.SERVICE])
async def test_operators_and_services_read_every_thread_of_an_organisation_they_name(
    kind: Kind, world: World, parties: Parties
) -> None:
    thread, reader = await world.open_proposal(parties), world.by(kind)
    message = await world.send(parties.employer, thread.thread_id, "Hello")
    assert (await world.get(reader, thread.thread_id)).message_count == 1
    assert list((await world.messages(reader, thread.thread_id)).messages) == [message]
    organisation_id = parties.proposal.organisation_id
    listed = (await world.threads(reader, organisation_id=organisation_id)).threads
    assert [each.thread_id for each in listed] == [thread.thread_id]
    error = await refusal(world.threads(reader))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in error.violations] == ["organisation_id"]


async def test_an_agent_of_the_organisation_writes_as_itself(
    world: World, parties: Parties
) -> None:
    agent_id = new_id("agent")
    agent = world.by(Kind.AGENT, parties.proposal.organisation_id, agent_id)
    thread = await world.open_proposal(parties)
    message = await world.send(agent, thread.thread_id, "Are you free in May?")
    assert (message.sender.kind, message.sender.id) == (2, agent_id)
    assert (await world.send(parties.trainer, thread.thread_id, "Yes.")).sequence == 2


async def test_a_trainer_reads_a_proposal_thread_from_its_opening_and_writes_second(
    world: World, parties: Parties
) -> None:
    assert not (await world.threads(parties.trainer)).threads
    thread = await world.open_proposal(parties)
    assert await world.get(parties.trainer, thread.thread_id) == thread
    assert list((await world.threads(parties.trainer)).threads) == [thread]
    error = await refusal(world.send(parties.trainer, thread.thread_id, "Hello?"))
    assert error.code is grpc.StatusCode.FAILED_PRECONDITION
    assert error.reason == "EMPLOYER_WRITES_FIRST"
    await world.send(parties.employer, thread.thread_id, "Hello")
    assert (await world.send(parties.trainer, thread.thread_id, "Hello")).sequence == 2
