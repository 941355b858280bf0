"""The employer's guide up to the click on Hire: a test per sentence, through the APIs."""

import pytest

from deploy.local import workspace
from deploy.local.journey import new_id
from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.e2e.conftest import System
from tests.e2e.guide.acts import (
    found,
    hired,
    interviewer,
    looking,
    offer,
    offered,
    published,
    threads,
)
from tests.e2e.scenarios.acts import UNREVIEWED, proposal_of
from tests.refusals import reason
from tests.waiting import until

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


async def test_proposal_rows_help_you_triage_candidates_quickly(system: System) -> None:
    """Interview score, status, rate, and where to write to the candidate."""
    journey = await offered(system)
    thread_id = await journey.review()
    [row] = (await workspace.list_candidates(journey)).proposals
    assert (row.interview_score, row.rate.amount.minor_units) == (workspace.SCORE, 6000)
    assert (row.candidate.display_name, row.candidate.country) == ("Jordan L.", "DE")
    assert list(row.mismatch_signals) == [workspace.SIGNAL]
    assert row.review_state == proposal_pb2.REVIEW_STATE_SHORTLISTED
    assert len((await workspace.list_candidates(journey, minimum_score=80)).proposals)
    too_high = await workspace.list_candidates(journey, minimum_score=90)
    assert not too_high.proposals
    [thread] = await threads(journey.employer, journey, thread_pb2.THREAD_KIND_PROPOSAL)
    assert (thread.thread_id, thread.proposal_id) == (thread_id, row.proposal_id)


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


async def test_proposal_messages_opens_pre_hire_conversations_for_candidate_questions(
    system: System,
) -> None:
    """The employer writes first; the answer is there to be read."""
    journey = await offered(system)
    thread_id = await journey.review()
    await workspace.say(journey, journey.trainer, thread_id, "Yes, on Monday.")
    assert await workspace.texts(journey, journey.employer, thread_id) == [
        "Could you start next week?",
        "Yes, on Monday.",
    ]


async def test_view_proposal_opens_the_candidates_full_proposal_and_profile_context(
    system: System,
) -> None:
    """Check the proposal message, AI interview answers, profile, rate, and screening signals."""
    journey = await offered(system)
    thread_id = await journey.review()

    async def is_whole() -> bool:
        return bool((await workspace.view(journey)).thread_id)

    await until(is_whole)
    seen = await workspace.view(journey)
    assert seen.proposal.message
    assert seen.proposal.rate.amount.minor_units == 6000
    assert [(each.key, each.number) for each in seen.screening.answers] == [("years", 7)]
    assert seen.screening.interview.score == workspace.SCORE
    assert [turn.text for turn in seen.screening.interview.transcript][1:]
    assert list(seen.screening.interview.mismatch_signals) == [workspace.SIGNAL]
    assert (seen.profile.title, list(seen.profile.skills)) == (
        "Physician and annotator",
        ["medicine", "writing"],
    )
    assert seen.thread_id == thread_id
    assert not seen.HasField("hire")


async def test_use_these_signals_to_decide_not_as_an_automatic_hiring_decision(
    system: System,
) -> None:
    """A good interview with a mismatch neither shortlists nor declines, nor starts a hire."""
    journey = await offered(system)
    seen = await workspace.view(journey)
    assert (seen.proposal.interview_score, list(seen.proposal.mismatch_signals)) == (
        workspace.SCORE,
        [workspace.SIGNAL],
    )
    assert seen.proposal.review_state == UNREVIEWED
    own = proposal_pb2.GetOwnProposalRequest(proposal_id=journey.proposal_id)
    told = await journey.trainer.call(system.services.proposals.GetOwnProposal, own)
    assert told.proposal.status == proposal_pb2.PROPOSAL_STATUS_PENDING
    assert not seen.HasField("hire")
