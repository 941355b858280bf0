"""The employer's guide on the workspace before a hire: a test per sentence, on one candidate."""

import pytest

from deploy.local import workspace
from deploy.local.journey import Journey, new_id
from hireflow.common.v1 import money_pb2
from hireflow.jobs.v1 import instructions_pb2, job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.e2e.conftest import System
from tests.e2e.guide.acts import offered, threads
from tests.e2e.scenarios.acts import UNREVIEWED
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
async def candidate(system: System) -> Journey:
    """A screened candidate with a proposal, to whom nobody has written yet."""
    return await offered(system)


async def row_of(candidate: Journey) -> proposal_pb2.Proposal:
    [row] = (await workspace.list_candidates(candidate)).proposals
    return row


async def test_the_workspace_opens_with_tabs_for_proposals_instructions_job_posting_and_settings(
    candidate: Journey,
) -> None:
    services, employer, job_id = candidate.services, candidate.employer, candidate.job.job_id
    assert (await row_of(candidate)).job_id == job_id
    await workspace.write_instructions(candidate, "# Rate each answer")
    reading = instructions_pb2.GetInstructionsRequest(job_id=job_id)
    written = await employer.call(services.instructions.GetInstructions, reading)
    assert written.instructions.text == "# Rate each answer"
    getting = job_pb2.GetJobRequest(job_id=job_id)
    posting = (await employer.call(services.jobs.GetJob, getting)).job
    assert (posting.title, posting.state) == (candidate.job.title, job_pb2.JOB_STATE_PUBLISHED)
    changed = job_pb2.Job(
        job_id=job_id, etag=posting.etag, settings=job_pb2.JobSettings(finish_when_filled=True)
    )
    update = job_pb2.UpdateJobRequest(request_id=new_id(), job=changed)
    update.update_mask.paths.append("settings.finish_when_filled")
    settled = (await employer.call(services.jobs.UpdateJob, update)).job
    assert settled.settings.finish_when_filled


async def test_the_workspace_shows_candidates_signals_status_messaging_entry_points_and_hiring(
    candidate: Journey,
) -> None:
    row = await row_of(candidate)
    assert (row.candidate.display_name, row.candidate.country) == ("Jordan L.", "DE")
    assert (row.interview_score, list(row.mismatch_signals)) == (
        workspace.SCORE,
        [workspace.SIGNAL],
    )
    assert row.review_state == UNREVIEWED
    open_ = thread_pb2.OpenProposalThreadRequest(request_id=new_id(), proposal_id=row.proposal_id)
    opening = candidate.services.messaging.OpenProposalThread
    opened = (await candidate.employer.call_when_known(opening, open_)).thread
    [entry] = await threads(candidate.employer, candidate, thread_pb2.THREAD_KIND_PROPOSAL)
    assert (entry.thread_id, entry.proposal_id) == (opened.thread_id, row.proposal_id)
    assert all(each.met for each in (await candidate.quote()).preconditions)


async def test_interview_score_summarizes_the_ai_interview_result(candidate: Journey) -> None:
    """The row has the score of the interview, and the list can be narrowed by it."""
    row = await row_of(candidate)
    interview = (await workspace.view(candidate)).screening.interview
    assert row.interview_score == interview.score == workspace.SCORE
    assert interview.summary == "Weighs risks well."
    narrowed = [
        len((await workspace.list_candidates(candidate, minimum_score=score)).proposals)
        for score in (workspace.SCORE, workspace.SCORE + 1)
    ]
    assert narrowed == [1, 0]


async def test_rate_shows_the_candidates_proposed_pricing(candidate: Journey) -> None:
    asked = money_pb2.Money(minor_units=6000, currency_code="USD")
    assert (await row_of(candidate)).rate == proposal_pb2.Rate(
        amount=asked, unit=proposal_pb2.RATE_UNIT_HOUR
    )
    request = proposal_pb2.ListProposalsRequest(job_id=candidate.job.job_id)
    request.rate.unit = proposal_pb2.RATE_UNIT_HOUR
    found = []
    for most in (6000, 5999):
        request.rate.maximum_minor_units = most
        listing = candidate.services.proposals.ListProposals
        found.append(len((await candidate.employer.call(listing, request)).proposals))
    assert found == [1, 0]


async def test_use_these_signals_to_decide_not_as_an_automatic_hiring_decision(
    candidate: Journey,
) -> None:
    """A good interview with a mismatch neither shortlists nor declines, nor starts a hire."""
    seen = await workspace.view(candidate)
    assert (seen.proposal.interview_score, list(seen.proposal.mismatch_signals)) == (
        workspace.SCORE,
        [workspace.SIGNAL],
    )
    assert seen.proposal.review_state == UNREVIEWED
    own = proposal_pb2.GetOwnProposalRequest(proposal_id=candidate.proposal_id)
    told = await candidate.trainer.call(candidate.services.proposals.GetOwnProposal, own)
    assert told.proposal.status == proposal_pb2.PROPOSAL_STATUS_PENDING
    assert not seen.HasField("hire")


async def test_proposal_messages_opens_pre_hire_conversations_for_candidate_questions(
    candidate: Journey,
) -> None:
    """The employer writes first; the answer is there to be read."""
    thread_id = await candidate.review()
    await workspace.say(candidate, candidate.trainer, thread_id, "Yes, on Monday.")
    assert await workspace.texts(candidate, candidate.employer, thread_id) == [
        "Could you start next week?",
        "Yes, on Monday.",
    ]


async def test_view_proposal_opens_the_candidates_full_proposal_and_profile_context(
    candidate: Journey,
) -> None:
    """Check the proposal message, AI interview answers, résumé, profile, rate, and signals."""
    thread_id = await candidate.review()

    async def is_whole() -> bool:
        return bool((await workspace.view(candidate)).thread_id)

    await until(is_whole)
    seen = await workspace.view(candidate)
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
    assert (seen.profile.has_resume, seen.proposal.has_resume) == (True, True)
    assert seen.thread_id == thread_id
    assert not seen.HasField("hire")
