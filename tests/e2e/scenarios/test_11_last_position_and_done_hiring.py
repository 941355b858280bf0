"""Two hires for the last position, and an employer who is done meanwhile."""

import pytest

from deploy.local.journey import Journey, new_id
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import (
    HIRED,
    NEEDS_CLIENT,
    SECURE,
    UNDONE,
    VISA,
    job_of,
    proposal_of,
    start,
)
from tests.refusals import refusal
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)


async def trainer_sees(journey: Journey) -> str:
    request = proposal_pb2.GetOwnProposalRequest(proposal_id=journey.proposal_id)
    own = await journey.trainer.call(journey.services.proposals.GetOwnProposal, request)
    return proposal_pb2.ProposalStatus.Name(own.proposal.status)


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
    x = await system.proposed(SECURE)
    y = Journey(system.services, x.employer, system.caller("trainer"), job=x.job)
    await y.submit_proposal()
    shortlist = proposal_pb2.SetReviewStateRequest(
        request_id=new_id(),
        proposal_id=x.proposal_id,
        review_state=proposal_pb2.REVIEW_STATE_SHORTLISTED,
    )
    await x.employer.call(x.services.proposals.SetReviewState, shortlist)

    async with system.hiring_with(payment_deadline=8) as take_over:
        take_over(x)
        parked = await start(x)
        assert parked.hire.waiting_for == NEEDS_CLIENT
        told = await refusal(start(y))
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

    x.services = system.services
    await x.save_card(system.browser, VISA)
    with system.stop_at("FillPosition.after", x.job.job_id) as filled:
        started = await start(x)
        await filled.reached()
        await system.stack.kill("jobs")
    await system.stack.start("jobs")
    hire = await system.ended(x, started.hire.hire_id)
    assert hire.state == HIRED
    job = await job_of(x)
    assert (job.positions_filled, job.positions_reserved) == (1, 0)
    await system.audited(expired.hire_id, hire.hire_id)
