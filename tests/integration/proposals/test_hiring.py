"""What hires do with a proposal: in order, twice, late, and against each other."""

import asyncio
from dataclasses import replace

import grpc
import pytest

from hireflow.proposals.v1 import proposal_pb2 as pb
from tests.integration.proposals.world import Offered, World, new_id
from tests.refusals import reason, refusal


async def test_fifty_equal_reservations_are_one_and_fifty_equal_answers(
    world: World, offered: Offered
) -> None:
    hires, request = world.hires, world.wish(offered, new_id("h"))
    answers = await asyncio.gather(
        *(hires.call(world.stub.ReserveProposal, request) for _ in range(50))
    )
    assert all(answer == answers[0] for answer in answers)
    assert answers[0].proposal.hire_id == request.hire_id
    assert await world.events(offered.proposal_id) == ["submitted", "reserved"]


async def test_of_twenty_hires_that_reserve_at_once_exactly_one_holds_the_proposal(
    world: World, offered: Offered
) -> None:
    answers = await asyncio.gather(
        *(world.reserve(offered, new_id("h")) for _ in range(20)), return_exceptions=True
    )
    held = [answer.hire_id for answer in answers if isinstance(answer, pb.Proposal)]
    assert held == [(await world.get(offered.employer, offered.proposal_id)).hire_id]
    assert await reason(world.reserve(offered, new_id("h"))) == "HIRE_IN_PROGRESS"


async def test_each_step_of_a_hire_again_under_a_new_request_changes_nothing(
    world: World, offered: Offered
) -> None:
    hire_id, contract_id = new_id("h"), new_id("c")
    held = await world.reserve(offered, hire_id)
    assert await world.reserve(offered, hire_id) == held
    hired = await world.mark_hired(offered, hire_id, contract_id)
    assert (hired.review_state, hired.hire_id) == (pb.REVIEW_STATE_HIRED, "")
    assert await world.mark_hired(offered, hire_id, contract_id) == hired
    assert await world.reserve(offered, hire_id) == hired
    assert await world.events(offered.proposal_id) == ["submitted", "reserved", "hired"]


async def test_nothing_leaves_hired(world: World, offered: Offered) -> None:
    hire_id = new_id("h")
    await world.reserve(offered, hire_id)
    await world.mark_hired(offered, hire_id, new_id("c"))
    assert await world.status(offered) == "HIRED"
    for call, refused in (
        (world.release(offered, hire_id), "WRONG_STATE"),
        (world.mark_hired(offered, hire_id, new_id("c")), "WRONG_STATE"),
        (world.withdraw(offered), "ALREADY_HIRED"),
        (world.review(offered, pb.REVIEW_STATE_DECLINED), "ALREADY_HIRED"),
        (world.reserve(offered, new_id("h"), confirm_declined=True), "ALREADY_HIRED"),
    ):
        assert await reason(call) == refused


@pytest.mark.parametrize("state", ["HIRING_DONE", "ARCHIVED"])
async def test_a_hire_ends_well_whatever_became_of_the_job(
    state: str, world: World, offered: Offered
) -> None:
    hire_id = new_id("h")
    await world.reserve(offered, hire_id)
    await world.learn(replace(offered.job, state=state))
    hired = await world.mark_hired(offered, hire_id, new_id("c"))
    assert hired.review_state == pb.REVIEW_STATE_HIRED
    assert await world.status(offered) == "HIRED"


async def test_a_hire_whose_contract_ended_with_all_given_back_is_reviewed_as_before(
    world: World, offered: Offered
) -> None:
    hire_id, contract_id = new_id("h"), new_id("c")
    await world.review(offered, pb.REVIEW_STATE_SHORTLISTED)
    await world.reserve(offered, hire_id)
    await world.mark_hired(offered, hire_id, contract_id)
    for other in ("", new_id("c")):
        assert await reason(world.release(offered, hire_id, other)) == "WRONG_STATE"
    assert await world.release(offered, hire_id, contract_id)
    assert not await world.release(offered, hire_id, contract_id)
    after = await world.get(offered.employer, offered.proposal_id)
    assert (after.review_state, after.hire_id) == (pb.REVIEW_STATE_SHORTLISTED, "")
    assert await world.status(offered) == "PENDING"
    late = world.mark_hired(offered, hire_id, contract_id)
    assert await reason(late) == "RESERVATION_RELEASED"
    assert (await world.reserve(offered, new_id("h"))).hire_id
    assert (await world.events(offered.proposal_id))[-3:] == ["hired", "released", "reserved"]


async def test_a_release_that_overtakes_its_reservation_refuses_it_for_ever(
    world: World, offered: Offered
) -> None:
    hire_id = new_id("h")
    assert not await world.release(offered, hire_id)
    assert await reason(world.reserve(offered, hire_id)) == "RESERVATION_RELEASED"
    assert await reason(world.mark_hired(offered, hire_id, "c-1")) == "RESERVATION_RELEASED"
    assert await world.events(offered.proposal_id) == ["submitted"]
    assert (await world.reserve(offered, new_id("h"))).hire_id


async def test_a_late_repeat_of_a_released_reservation_holds_nothing(
    world: World, offered: Offered
) -> None:
    hires, request = world.hires, world.wish(offered, new_id("h"))
    first = await hires.call(world.stub.ReserveProposal, request)
    assert await world.release(offered, request.hire_id)
    assert not await world.release(offered, request.hire_id)
    assert await hires.call(world.stub.ReserveProposal, request) == first
    assert not (await world.get(offered.employer, offered.proposal_id)).hire_id


async def test_a_release_by_one_hire_leaves_anothers_reservation(
    world: World, offered: Offered
) -> None:
    held = await world.reserve(offered, new_id("h"))
    assert not await world.release(offered, new_id("h"))
    assert await world.get(offered.employer, offered.proposal_id) == held


async def test_a_declined_proposal_is_reserved_only_when_that_is_confirmed(
    world: World, offered: Offered
) -> None:
    await world.review(offered, pb.REVIEW_STATE_DECLINED)
    assert await reason(world.reserve(offered, new_id("h"))) == "PROPOSAL_DECLINED"
    hire_id = new_id("h")
    held = await world.reserve(offered, hire_id, confirm_declined=True)
    assert held.review_state == pb.REVIEW_STATE_DECLINED
    await world.release(offered, hire_id)
    after = await world.get(offered.employer, offered.proposal_id)
    assert after.review_state == pb.REVIEW_STATE_DECLINED


async def test_of_several_refusals_the_first_in_order_is_told(world: World) -> None:
    withdrawn, hired, held, declined = [await world.offered() for _ in range(4)]
    undone, hire_id = [new_id("h") for _ in range(4)], new_id("h")
    for each, released in zip((withdrawn, hired, held, declined), undone, strict=True):
        await world.release(each, released)
        await world.review(each, pb.REVIEW_STATE_DECLINED)
    await world.withdraw(withdrawn)
    await world.reserve(hired, hire_id, confirm_declined=True)
    await world.mark_hired(hired, hire_id, new_id("c"))
    await world.reserve(held, new_id("h"), confirm_declined=True)
    assert await reason(world.reserve(withdrawn, undone[0])) == "PROPOSAL_WITHDRAWN"
    assert await reason(world.reserve(hired, undone[1])) == "ALREADY_HIRED"
    assert await reason(world.reserve(held, undone[2])) == "HIRE_IN_PROGRESS"
    assert await reason(world.reserve(declined, undone[3])) == "PROPOSAL_DECLINED"
    confirmed = world.reserve(declined, undone[3], confirm_declined=True)
    assert await reason(confirmed) == "RESERVATION_RELEASED"


async def test_a_hire_has_one_proposal(world: World, offered: Offered) -> None:
    other, hire_id = await world.offered(), new_id("h")
    await world.reserve(offered, hire_id)
    for call in (
        world.reserve(other, hire_id),
        world.release(other, hire_id),
        world.mark_hired(other, hire_id, new_id("c")),
        world.mark_hired(other, new_id("h"), new_id("c")),
    ):
        assert await reason(call) == "NOT_FOUND"
    assert not (await world.get(other.employer, other.proposal_id)).hire_id


async def test_every_bad_field_of_a_hires_call_is_named_at_once(world: World) -> None:
    told = await refusal(world.hires.call(world.stub.ReserveProposal, pb.ReserveProposalRequest()))
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in told.violations] == [
        "request_id",
        "proposal_id",
        "hire_id",
        "organisation_id",
    ]


async def test_a_reservation_and_its_release_at_once_leave_the_proposal_free(world: World) -> None:
    job = await world.job()
    for offered in [await world.offered(job) for _ in range(10)]:
        hire_id = new_id("h")
        await asyncio.gather(
            world.reserve(offered, hire_id), world.release(offered, hire_id), return_exceptions=True
        )
        # Whichever came first, a release that answered stands.
        assert not (await world.get(offered.employer, offered.proposal_id)).hire_id


async def test_a_proposal_is_reserved_or_withdrawn_or_declined_but_never_two_of_them(
    world: World,
) -> None:
    job = await world.job()
    for offered in [await world.offered(job) for _ in range(10)]:
        await asyncio.gather(
            world.reserve(offered, new_id("h")),
            world.withdraw(offered),
            world.review(offered, pb.REVIEW_STATE_DECLINED),
            return_exceptions=True,
        )
        after = await world.get(offered.employer, offered.proposal_id)
        declined = after.review_state == pb.REVIEW_STATE_DECLINED
        assert bool(after.hire_id) + (after.withdrawn or declined) == 1
