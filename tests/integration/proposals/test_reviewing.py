"""How employers sort proposals, and what they can no longer change."""

import asyncio

import grpc
import pytest

from hireflow.proposals.v1 import proposal_pb2 as pb
from services.common.auth import Kind
from tests.integration.proposals.world import Offered, State, World, new_id
from tests.refusals import reason, refusal


async def test_a_review_moves_and_its_event_tells_each_move_once(
    world: World, offered: Offered
) -> None:
    for state in (
        pb.REVIEW_STATE_MAYBE,
        pb.REVIEW_STATE_MAYBE,
        pb.REVIEW_STATE_DECLINED,
        pb.REVIEW_STATE_UNREVIEWED,
    ):
        assert (await world.review(offered, state)).review_state == state
    told = ["submitted", *["review_state_changed"] * 3]
    assert await world.events(offered.proposal_id) == told


async def test_a_stale_etag_aborts_a_review(world: World, offered: Offered) -> None:
    before = await world.get(offered.employer, offered.proposal_id)
    await world.review(offered, pb.REVIEW_STATE_MAYBE, before.etag)
    told = await refusal(world.review(offered, pb.REVIEW_STATE_DECLINED, before.etag))
    assert (told.code, told.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


@pytest.mark.parametrize("state", [pb.REVIEW_STATE_HIRED, pb.REVIEW_STATE_UNSPECIFIED, 77])
async def test_only_a_known_state_other_than_hired_is_set_by_hand(
    state: State, world: World, offered: Offered
) -> None:
    told = await refusal(world.review(offered, state))
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in told.violations] == ["review_state"]


async def test_fifty_equal_reviews_are_one_move_and_fifty_equal_answers(
    world: World, offered: Offered
) -> None:
    request = pb.SetReviewStateRequest(
        request_id=new_id("r"),
        proposal_id=offered.proposal_id,
        review_state=pb.REVIEW_STATE_SHORTLISTED,
    )
    answers = await asyncio.gather(
        *(offered.employer.call(world.stub.SetReviewState, request) for _ in range(50))
    )
    assert all(answer == answers[0] for answer in answers)
    assert await world.events(offered.proposal_id) == ["submitted", "review_state_changed"]


async def test_a_withdrawn_proposal_is_read_but_reviewed_no_more(
    world: World, offered: Offered
) -> None:
    await world.withdraw(offered)
    assert (await world.get(offered.employer, offered.proposal_id)).withdrawn
    refused = await reason(world.review(offered, pb.REVIEW_STATE_MAYBE))
    assert refused == "PROPOSAL_WITHDRAWN"


async def test_a_held_proposal_moves_in_the_review_but_is_neither_declined_nor_withdrawn(
    world: World, offered: Offered
) -> None:
    hire_id = new_id("h")
    await world.reserve(offered, hire_id)
    moved = await world.review(offered, pb.REVIEW_STATE_SHORTLISTED)
    assert (moved.review_state, moved.hire_id) == (pb.REVIEW_STATE_SHORTLISTED, hire_id)
    assert await reason(world.review(offered, pb.REVIEW_STATE_DECLINED)) == "HIRE_IN_PROGRESS"
    assert await reason(world.withdraw(offered)) == "HIRE_IN_PROGRESS"
    await world.release(offered, hire_id)
    after = await world.get(offered.employer, offered.proposal_id)
    assert (after.review_state, after.hire_id) == (pb.REVIEW_STATE_SHORTLISTED, "")


async def test_a_refused_review_leaves_no_event_and_frees_its_request(
    world: World, offered: Offered
) -> None:
    hire_id = new_id("h")
    await world.reserve(offered, hire_id)
    request = pb.SetReviewStateRequest(
        request_id=new_id("r"),
        proposal_id=offered.proposal_id,
        review_state=pb.REVIEW_STATE_DECLINED,
    )
    call = offered.employer.call
    assert await reason(call(world.stub.SetReviewState, request)) == "HIRE_IN_PROGRESS"
    assert await world.events(offered.proposal_id) == ["submitted", "reserved"]
    await world.release(offered, hire_id)
    answer = await call(world.stub.SetReviewState, request)
    assert answer.proposal.review_state == pb.REVIEW_STATE_DECLINED


async def test_an_agent_reviews_like_a_member(world: World, offered: Offered) -> None:
    agent = world.by(Kind.AGENT, offered.job.organisation_id)
    request = pb.SetReviewStateRequest(
        request_id=new_id("r"),
        proposal_id=offered.proposal_id,
        review_state=pb.REVIEW_STATE_RESUME_SENT,
    )
    answer = await agent.call(world.stub.SetReviewState, request)
    assert answer.proposal.review_state == pb.REVIEW_STATE_RESUME_SENT
