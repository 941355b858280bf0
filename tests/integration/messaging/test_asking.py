"""One question to many candidates: a result each, and each asked once."""

import asyncio

import grpc

from hireflow.common.v1.error_reason_pb2 import ERROR_REASON_NOT_FOUND
from hireflow.messaging.v1 import thread_pb2
from services.common.auth import Kind
from services.common.contact_details import REMOVED
from services.messaging.domain import TEXT_LIMIT
from services.messaging.use_cases.asking import CANDIDATES_LIMIT
from tests.integration.messaging.world import Metadata, World, new_id
from tests.refusals import refusal


async def _ask(
    world: World, caller: Metadata, proposal_ids: list[str], request_id: str = ""
) -> list[thread_pb2.AskResult]:
    request = thread_pb2.AskCandidatesRequest(
        request_id=request_id or new_id("r"),
        proposal_ids=proposal_ids,
        text="When can you start? Write to ann@example.com",
    )
    return list((await world.stub.AskCandidates(request, metadata=caller)).results)


async def test_a_question_reaches_each_candidate_and_each_has_a_result(world: World) -> None:
    organisation_id = new_id("org")
    parties = [await world.parties(organisation_id) for _ in range(3)]
    foreign = await world.parties()
    opened = await world.open_proposal(parties[1])
    await world.send(parties[1].employer, opened.thread_id, "Hello")
    asked = [each.proposal.proposal_id for each in parties]
    asked.insert(1, foreign.proposal.proposal_id)
    results = await _ask(world, parties[0].employer, [*asked, "unknown"])
    assert [each.proposal_id for each in results] == [*asked, "unknown"]
    failed = [results[1], results[4]]
    assert {each.error_reason for each in failed} == {ERROR_REASON_NOT_FOUND}
    assert not any(each.HasField("thread") or each.HasField("message") for each in failed)
    assert await world.threads(foreign.trainer) == thread_pb2.ListThreadsResponse()
    reached = [results[0], results[2], results[3]]
    assert [each.message.sequence for each in reached] == [1, 2, 1]
    assert reached[1].thread.thread_id == opened.thread_id
    for each, of in zip(reached, parties, strict=True):
        assert each.error_reason == 0
        assert each.message.text == f"When can you start? Write to {REMOVED}"
        assert (await world.messages(of.trainer, each.thread.thread_id)).messages[0] == each.message
        assert each.thread == await world.get(parties[0].employer, each.thread.thread_id)
        assert (await world.events(each.thread.thread_id))[-1] == "message.sent"


async def test_a_repeat_asks_nobody_again_and_is_answered_alike(world: World) -> None:
    organisation_id, request_id = new_id("org"), new_id("r")
    parties = [await world.parties(organisation_id) for _ in range(3)]
    asked = [each.proposal.proposal_id for each in parties]
    answers = await asyncio.gather(
        *(_ask(world, parties[0].employer, asked, request_id) for _ in range(5))
    )
    assert all(answer == answers[0] for answer in answers)
    assert [each.thread.message_count for each in answers[0]] == [1, 1, 1]
    error = await refusal(_ask(world, parties[0].employer, asked[:2], request_id))
    assert error.reason == "REQUEST_ID_REUSED"


async def test_two_who_ask_the_same_candidates_at_once_both_reach_all(world: World) -> None:
    organisation_id = new_id("org")
    parties = [await world.parties(organisation_id) for _ in range(10)]
    asked = [each.proposal.proposal_id for each in parties]
    one, two = await asyncio.gather(
        _ask(world, parties[0].employer, asked), _ask(world, parties[1].employer, asked[::-1])
    )
    assert {each.thread.thread_id for each in one} == {each.thread.thread_id for each in two}
    for each in one:
        thread = await world.get(parties[0].employer, each.thread.thread_id)
        assert thread.message_count == 2
        assert await world.events(each.thread.thread_id) == [
            "thread.created",
            "message.sent",
            "message.sent",
        ]


async def test_as_many_as_are_allowed_are_asked_in_one_call(world: World) -> None:
    organisation_id = new_id("org")
    parties = [await world.parties(organisation_id) for _ in range(CANDIDATES_LIMIT)]
    asked = [each.proposal.proposal_id for each in parties]
    results = await _ask(world, parties[0].employer, asked)
    assert [each.message.sequence for each in results] == [1] * CANDIDATES_LIMIT


async def test_every_fault_of_a_question_is_named_in_one_answer(world: World) -> None:
    employer = world.by(Kind.EMPLOYER, new_id("org"))
    request = thread_pb2.AskCandidatesRequest(proposal_ids=["p-1", "", "p-1"])
    error = await refusal(world.stub.AskCandidates(request, metadata=employer))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in error.violations] == [
        "request_id",
        "proposal_ids[1]",
        "proposal_ids[2]",
        "text",
    ]
    many = [str(number) for number in range(CANDIDATES_LIMIT + 1)]
    # The last would have an answer of four million bytes.
    for proposal_ids, text in (([], "Hello"), (many, "Hello"), (many[1:], "😀" * TEXT_LIMIT)):
        request = thread_pb2.AskCandidatesRequest(
            request_id=new_id("r"), proposal_ids=proposal_ids, text=text
        )
        error = await refusal(world.stub.AskCandidates(request, metadata=employer))
        assert [violation.field for violation in error.violations] == ["proposal_ids"]
