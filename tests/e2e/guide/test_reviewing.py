"""The employer's guide up to the click on Hire: a test per sentence, through the APIs."""

import pytest

from deploy.local import workspace
from deploy.local.journey import new_id
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.e2e.conftest import System
from tests.e2e.guide.acts import (
    found,
    hired,
    interviewer,
    looking,
    offer,
    published,
)
from tests.e2e.scenarios.acts import proposal_of
from tests.refusals import reason

pytestmark = pytest.mark.timeout(240)

STATES = (
    proposal_pb2.REVIEW_STATE_SHORTLISTED,
    proposal_pb2.REVIEW_STATE_UNREVIEWED,
    proposal_pb2.REVIEW_STATE_MAYBE,
    proposal_pb2.REVIEW_STATE_DECLINED,
    proposal_pb2.REVIEW_STATE_RESUME_SENT,
)


async def test_after_you_publish_matched_trainers_can_complete_screening_and_submit_proposals(
    system: System,
) -> None:
    journey = await published(system)
    matched = await found(journey)
    assert (matched.match.score, list(matched.match.missing)) == (100, [])
    batch = job_pb2.BatchGetJobsRequest(job_ids=[matched.job_id])
    [job] = (await journey.trainer.call(system.services.jobs.BatchGetJobs, batch)).jobs
    assert (job.title, matched.proposed) == (journey.job.title, False)
    screening_id = await workspace.begin_screening(journey)
    early = journey.trainer.call(system.services.proposals.SubmitProposal, offer(journey))
    assert await reason(early) == "SCREENING_INCOMPLETE"
    await workspace.finish_screening(journey, interviewer(system), screening_id)
    await journey.submit_proposal()
    assert (await proposal_of(journey)).interview_score == workspace.SCORE
    assert (await found(journey)).proposed


async def test_from_my_jobs_select_a_published_job(system: System) -> None:
    journey = await published(system)
    draft = job_pb2.CreateJobRequest(request_id=new_id(), job=job_pb2.Job(title="Later"))
    await journey.employer.call(system.services.jobs.CreateJob, draft)
    mine = job_pb2.ListJobsRequest(states=[job_pb2.JOB_STATE_PUBLISHED])
    [job] = (await journey.employer.call(system.services.jobs.ListJobs, mine)).jobs
    assert job.job_id == journey.job.job_id


async def test_status_filters_separate_shortlisted_unreviewed_maybe_hired_declined_and_resume_sent(
    system: System,
) -> None:
    journey = looking(system)
    await journey.publish_job()
    in_state = {}
    for state in STATES:
        journey.trainer = system.caller("trainer")
        await journey.submit_proposal()
        in_state[state] = journey.proposal_id
    moves = [
        proposal_pb2.ReviewMove(proposal_id=proposal_id, review_state=state)
        for state, proposal_id in in_state.items()
    ]
    review = proposal_pb2.ReviewProposalsRequest(request_id=new_id(), moves=moves)
    told = await journey.employer.call(system.services.proposals.ReviewProposals, review)
    assert [each.error_reason for each in told.results] == [""] * len(STATES)
    await journey.save_card(system.browser)
    journey.trainer = system.caller("trainer")
    await journey.submit_proposal()
    in_state[proposal_pb2.REVIEW_STATE_HIRED] = journey.proposal_id
    await hired(system, journey)

    listed = await workspace.list_candidates(journey)
    assert {row.proposal_id for row in listed.proposals} == set(in_state.values())
    assert {each.review_state: each.count for each in listed.counts} == dict.fromkeys(in_state, 1)
    for state, proposal_id in in_state.items():
        narrowed = await workspace.list_candidates(journey, state)
        assert [row.proposal_id for row in narrowed.proposals] == [proposal_id]
