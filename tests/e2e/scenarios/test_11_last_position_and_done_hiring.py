"""Two hires for the last position, and an employer who is done meanwhile."""

import asyncio

import grpc
import pytest

from deploy.local.journey import Journey, new_id
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_pb2
from services.common.remote_errors import RemoteError, error_of
from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import (
    HIRED,
    NEEDS_CLIENT,
    SECURE,
    UNDONE,
    VISA,
    hires_of,
    job_of,
    proposal_of,
    start,
)
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)


async def trainer_sees(journey: Journey) -> str:
    request = proposal_pb2.GetOwnProposalRequest(proposal_id=journey.proposal_id)
    own = await journey.trainer.call(journey.services.proposals.GetOwnProposal, request)
    return proposal_pb2.ProposalStatus.Name(own.proposal.status)


async def race(
    first: Journey, second: Journey
) -> tuple[Journey, hire_pb2.StartHireResponse, RemoteError]:
    """Hire both at once: whose hire began, its answer, and the refusal of the other."""
    one, two = await asyncio.gather(start(first), start(second), return_exceptions=True)
    match one, two:
        case hire_pb2.StartHireResponse(), grpc.aio.AioRpcError():
            return first, one, error_of(two)
        case grpc.aio.AioRpcError(), hire_pb2.StartHireResponse():
            return second, two, error_of(one)
    raise AssertionError(f"not one of two: {one!r}, {two!r}")


async def until_trainer_sees(journey: Journey, status: str) -> None:
    """What trainers see of jobs travels by event."""

    async def held() -> bool:
        return await trainer_sees(journey) == status

    await until(held)


async def test_the_last_position_goes_to_one_and_done_hiring_closes_and_reopens_the_other(
    system: System,
) -> None:
    """11. Last position and Done Hiring.

    X and Y at once, X parks; Done Hiring; X expires → Y got NO_POSITION; X's trainer sees CLOSED,
    the employer SHORTLISTED; reopened → PENDING. FillPosition retried fills once.
    """
    first = await system.proposed(SECURE)
    second = Journey(system.services, first.employer, system.caller("trainer"), job=first.job)
    await second.submit_proposal()
    for journey in (first, second):
        await journey.review()

    async with system.hiring_with(payment_deadline=8) as take_over:
        take_over(first)
        take_over(second)
        x, parked, told = await race(first, second)
        assert parked.hire.waiting_for == NEEDS_CLIENT
        assert (told.code.name, told.reason) == ("FAILED_PRECONDITION", "NO_POSITION")
        done = job_pb2.FinishHiringRequest(request_id=new_id(), job_id=x.job.job_id)
        await x.employer.call(x.services.jobs.FinishHiring, done)
        expired = await system.ended(x, parked.hire.hire_id)
    assert (expired.state, expired.end_reason) == (UNDONE, "PAYMENT_EXPIRED")
    await until_trainer_sees(x, "PROPOSAL_STATUS_CLOSED")
    assert (await proposal_of(x)).review_state == proposal_pb2.REVIEW_STATE_SHORTLISTED

    again = job_pb2.ReopenHiringRequest(request_id=new_id(), job_id=x.job.job_id)
    await x.employer.call(x.services.jobs.ReopenHiring, again)
    await until_trainer_sees(x, "PROPOSAL_STATUS_PENDING")

    await x.save_card(system.browser, VISA)
    with system.stop_at("FillPosition.after", x.job.job_id) as filled:
        starting = asyncio.create_task(start(x))
        await filled.reached()
        async with system.without("jobs", killed=True):
            filled.disarm()
    hire = await system.ended(x, (await starting).hire.hire_id)
    assert hire.state == HIRED
    job = await job_of(x)
    assert (job.positions_filled, job.positions_reserved) == (1, 0)
    every = [each.hire_id for journey in (first, second) for each in await hires_of(journey)]
    assert {expired.hire_id, hire.hire_id} < set(every)
    await system.audited(*every)
