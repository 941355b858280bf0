"""How threads begin: one per proposal and one per contract, whoever asks and how often."""

import asyncio

import grpc
import pytest

from hireflow.common.v1 import actor_pb2
from hireflow.messaging.v1 import thread_pb2
from services.common.auth import Kind
from services.messaging.domain import WELCOME
from tests.integration.messaging.world import Parties, World, new_id
from tests.refusals import refusal


async def test_a_proposal_thread_is_opened_once_whoever_asks(
    world: World, parties: Parties
) -> None:
    thread = await world.open_proposal(parties)
    proposal = parties.proposal
    assert thread.kind == thread_pb2.THREAD_KIND_PROPOSAL
    assert (thread.proposal_id, thread.job_id) == (proposal.proposal_id, proposal.job_id)
    assert (thread.organisation_id, thread.contract_id) == (proposal.organisation_id, "")
    assert list(thread.trainer_ids) == [proposal.trainer_id]
    assert thread.create_time == thread.last_message_time
    agent = world.by(Kind.AGENT, proposal.organisation_id)
    assert await world.open_proposal(Parties(proposal, agent, parties.trainer)) == thread
    assert await world.events(thread.thread_id) == ["thread.created"]


async def test_fifty_members_at_once_open_one_thread(world: World, parties: Parties) -> None:
    threads = await asyncio.gather(*(world.open_proposal(parties) for _ in range(50)))
    assert all(thread == threads[0] for thread in threads)
    assert await world.events(threads[0].thread_id) == ["thread.created"]


async def test_a_repeat_gets_the_first_answer_and_an_id_is_good_for_one_request(
    world: World, parties: Parties
) -> None:
    request_id = new_id("r")
    thread = await world.open_proposal(parties, request_id)
    await world.send(parties.employer, thread.thread_id, "Hello")
    assert await world.open_proposal(parties, request_id) == thread
    assert (await world.open_proposal(parties)).message_count == 1
    other = await world.parties()
    other = Parties(other.proposal, parties.employer, other.trainer)
    error = await refusal(world.open_proposal(other, request_id))
    assert (error.code, error.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_ID_REUSED",
    )


async def test_a_job_thread_begins_with_a_system_message_for_both_sides(
    world: World, parties: Parties
) -> None:
    request = parties.job_thread()
    workflow = world.by(Kind.SERVICE, caller="service:hiring")
    thread = (await world.stub.OpenJobThread(request, metadata=workflow)).thread
    assert (thread.thread_id, thread.contract_id) == (request.thread_id, request.contract_id)
    assert (thread.kind, thread.message_count) == (thread_pb2.THREAD_KIND_JOB, 1)
    assert thread.unread_count == 0  # the workflow reads nothing
    thread.unread_count = 1
    for reader in (parties.employer, parties.trainer):
        assert await world.get(reader, thread.thread_id) == thread
        (message,) = (await world.messages(reader, thread.thread_id)).messages
        assert (message.kind, message.sequence) == (thread_pb2.MESSAGE_KIND_SYSTEM, 1)
        assert message.sender.kind == actor_pb2.ACTOR_KIND_SERVICE
        assert (message.sender.id, message.text) == ("service:hiring", WELCOME)
    assert await world.events(thread.thread_id) == ["thread.created", "message.sent"]
    assert (await world.send(parties.trainer, thread.thread_id, "Hi")).sequence == 2


async def test_the_same_job_thread_under_new_requests_is_opened_once(
    world: World, parties: Parties
) -> None:
    request = parties.job_thread()
    first = await world.open_job(request)
    again = thread_pb2.OpenJobThreadRequest()
    again.CopyFrom(request)
    again.request_id = new_id("r")
    assert await world.open_job(again) == first
    assert await world.open_job(request) == first
    assert await world.events(first.thread_id) == ["thread.created", "message.sent"]


async def test_fifty_equal_calls_open_one_job_thread_with_one_message(
    world: World, parties: Parties
) -> None:
    request, workflow = parties.job_thread(), world.by(Kind.SERVICE)
    answers = await asyncio.gather(
        *(world.stub.OpenJobThread(request, metadata=workflow) for _ in range(50))
    )
    assert all(answer == answers[0] for answer in answers)
    assert await world.events(request.thread_id) == ["thread.created", "message.sent"]
    assert len((await world.messages(parties.employer, request.thread_id)).messages) == 1


async def test_of_two_ids_for_one_contract_exactly_one_becomes_its_thread(
    world: World, parties: Parties
) -> None:
    contract_id = new_id("c")
    requests = [parties.job_thread(contract_id=contract_id) for _ in range(5)]
    outcomes = await asyncio.gather(*map(world.open_job, requests), return_exceptions=True)
    opened = [each for each in outcomes if isinstance(each, thread_pb2.Thread)]
    assert len(opened) == 1
    error = await refusal(world.open_job(parties.job_thread(contract_id=contract_id)))
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "THREAD_EXISTS")
    listed = (await world.threads(parties.employer)).threads
    assert [each.thread_id for each in listed] == [opened[0].thread_id]


async def test_a_refused_thread_leaves_nothing_behind(world: World, parties: Parties) -> None:
    request = parties.job_thread()
    await world.open_job(request)
    refused = parties.job_thread(contract_id=request.contract_id)
    await refusal(world.open_job(refused))
    assert await world.events(refused.thread_id) == []
    assert (await refusal(world.get(parties.employer, refused.thread_id))).reason == "NOT_FOUND"
    # Nor is its request kept: asked rightly, the same id is good.
    refused.contract_id = new_id("c")
    assert (await world.open_job(refused)).thread_id == refused.thread_id


@pytest.mark.parametrize("taken_by", ["another contract", "a proposal"])
async def test_an_id_that_is_taken_is_refused(
    taken_by: str, world: World, parties: Parties
) -> None:
    if taken_by == "a proposal":
        taken = await world.open_proposal(parties)
    else:
        taken = await world.open_job(parties.job_thread())
    error = await refusal(world.open_job(parties.job_thread(thread_id=taken.thread_id)))
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "THREAD_EXISTS")
    assert await world.get(world.by(Kind.OPERATOR), taken.thread_id) == taken


async def test_a_proposal_that_is_hired_again_gets_a_second_job_thread_beside_its_own(
    world: World, parties: Parties
) -> None:
    before = await world.open_proposal(parties)
    await world.send(parties.employer, before.thread_id, "Hello")
    for _ in range(2):
        await world.open_job(parties.job_thread())
    listed = (await world.threads(parties.trainer)).threads
    assert [each.kind for each in listed] == [2, 2, 1]
    assert {each.proposal_id for each in listed} == {parties.proposal.proposal_id}
    assert (await world.send(parties.trainer, before.thread_id, "Still here")).sequence == 2


async def test_every_bad_field_of_a_job_thread_is_named_in_one_answer(world: World) -> None:
    request = thread_pb2.OpenJobThreadRequest(thread_id="x" * 65, job_id="a\x00b")
    error = await refusal(world.open_job(request))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in error.violations] == [
        "request_id",
        "thread_id",
        "organisation_id",
        "job_id",
        "proposal_id",
        "contract_id",
        "trainer_id",
    ]
