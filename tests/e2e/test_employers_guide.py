"""The employer's guide, sentence by sentence: each test carries one out through the APIs."""

import pytest

from deploy.local.journey import Caller, Journey, new_id
from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2
from hireflow.jobs.v1 import folder_pb2, instructions_pb2, job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2, screening_pb2
from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import HIRED, VISA, contract_of, proposal_of, start
from tests.refusals import reason
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)

PLAN = job_pb2.ScreeningPlan(
    prompt="Find out how they weigh risks.",
    fields=[
        job_pb2.ScreeningField(
            key="years",
            label="Years of practice",
            required=True,
            type=job_pb2.SCREENING_FIELD_TYPE_NUMBER,
        )
    ],
)
SCORE = 87


async def with_plan(journey: Journey) -> None:
    """Give the journey's job a screening plan."""
    request = job_pb2.UpdateJobRequest(
        request_id=new_id(), job=job_pb2.Job(job_id=journey.job.job_id, screening_plan=PLAN)
    )
    journey.job = (await journey.employer.call(journey.services.jobs.UpdateJob, request)).job


async def published(system: System, organisation: str = "") -> Journey:
    """A published job of an organisation, and a trainer who looks at it."""
    organisation = organisation or f"org-{new_id()}"
    employer = system.caller("employer", organisation=organisation)
    journey = Journey(system.services, employer, system.caller("trainer"))
    await journey.publish_job()
    return journey


async def begun(journey: Journey) -> str:
    """Begin the trainer's screening, once proposals know the plan; answers with its id."""
    told = screening_pb2.OwnScreening()

    async def asked() -> bool:
        begin = screening_pb2.StartScreeningRequest(request_id=new_id(), job_id=journey.job.job_id)
        screening = journey.services.screening
        answer = await journey.trainer.call_when_known(screening.StartScreening, begin)
        told.CopyFrom(answer.screening)
        return bool(told.fields)

    await until(asked)
    return told.screening_id


async def finish(system: System, journey: Journey, screening_id: str) -> None:
    """The trainer answers what the plan asks, and the interviewer tells what it found."""
    screening = system.services.screening
    answers = screening_pb2.AnswerScreeningRequest(
        request_id=new_id(),
        screening_id=screening_id,
        answers=[screening_pb2.ScreeningAnswer(key="years", number=7)],
        final=True,
    )
    await journey.trainer.call(screening.AnswerScreening, answers)
    found = screening_pb2.RecordInterviewRequest(
        request_id=new_id(),
        screening_id=screening_id,
        interview=screening_pb2.Interview(
            score=SCORE, summary="Weighs risks well.", mismatch_signals=["years_differ"]
        ),
    )
    interviewer = system.caller("service", "service:interviewer")
    assert (await interviewer.call(screening.RecordInterview, found)).complete


async def write_profile(journey: Journey) -> None:
    request = proposal_pb2.UpsertProfileRequest(
        request_id=new_id(),
        profile=proposal_pb2.Profile(
            first_name="Jordan", last_name="Lee", country="DE", title="Physician", languages=["en"]
        ),
    )
    await journey.trainer.call(journey.services.proposals.UpsertProfile, request)


def offer(journey: Journey) -> proposal_pb2.SubmitProposalRequest:
    """What a trainer sends to propose."""
    rate = proposal_pb2.Rate(
        amount=money_pb2.Money(minor_units=6000, currency_code="USD"),
        unit=proposal_pb2.RATE_UNIT_HOUR,
    )
    return proposal_pb2.SubmitProposalRequest(
        request_id=new_id(), job_id=journey.job.job_id, message="Hello.", rate=rate
    )


async def offered(system: System) -> Journey:
    """A proposal after a screening, with a card to hire by."""
    journey = await published(system)
    await with_plan(journey)
    await journey.save_card(system.browser, VISA)
    await write_profile(journey)
    await finish(system, journey, await begun(journey))
    await journey.submit_proposal()
    return journey


async def hired(system: System, journey: Journey) -> str:
    """Hire the proposal's trainer; answers with the contract."""
    started = await start(journey)
    hire = await system.ended(journey, started.hire.hire_id)
    assert hire.state == HIRED
    return hire.contract_id


async def threads(
    caller: Caller, journey: Journey, kind: "thread_pb2.ThreadKind.ValueType"
) -> list[thread_pb2.Thread]:
    request = thread_pb2.ListThreadsRequest(job_id=journey.job.job_id, kind=kind)
    return list((await caller.call(journey.services.messaging.ListThreads, request)).threads)


async def test_after_you_publish_a_job_trainers_can_complete_screening_and_submit_proposals(
    system: System,
) -> None:
    journey = await published(system)
    await with_plan(journey)
    await write_profile(journey)
    screening_id = await begun(journey)
    early = journey.trainer.call(system.services.proposals.SubmitProposal, offer(journey))
    assert await reason(early) == "SCREENING_INCOMPLETE"
    await finish(system, journey, screening_id)
    await journey.submit_proposal()
    assert (await proposal_of(journey)).interview_score == SCORE


async def test_proposal_rows_help_you_triage_candidates_quickly(system: System) -> None:
    """Interview score, status filters, rate."""
    journey = await offered(system)
    await journey.review()
    services = system.services.proposals

    async def listed(**narrowed: object) -> list[proposal_pb2.Proposal]:
        request = proposal_pb2.ListProposalsRequest(
            job_id=journey.job.job_id,
            order=proposal_pb2.PROPOSAL_ORDER_INTERVIEW,
            **narrowed,  # type: ignore[arg-type] # fields by name
        )
        return list((await journey.employer.call(services.ListProposals, request)).proposals)

    [row] = await listed()
    assert (row.interview_score, row.rate.amount.minor_units) == (SCORE, 6000)
    assert (row.candidate.display_name, row.candidate.country) == ("Jordan L.", "DE")
    assert list(row.mismatch_signals) == ["years_differ"]
    shortlisted = [proposal_pb2.REVIEW_STATE_SHORTLISTED]
    assert len(await listed(review_states=shortlisted, minimum_interview_score=80)) == 1
    assert await listed(review_states=[proposal_pb2.REVIEW_STATE_UNREVIEWED]) == []
    assert await listed(minimum_interview_score=90) == []
    count = proposal_pb2.CountProposalsRequest(job_id=journey.job.job_id)
    counts = (await journey.employer.call(services.CountProposals, count)).counts
    assert {each.review_state: each.count for each in counts if each.count} == {
        proposal_pb2.REVIEW_STATE_SHORTLISTED: 1
    }


async def test_from_my_jobs_select_a_published_job(system: System) -> None:
    organisation = f"org-{new_id()}"
    journey = await published(system, organisation)
    draft = job_pb2.CreateJobRequest(request_id=new_id(), job=job_pb2.Job(title="Later"))
    await journey.employer.call(system.services.jobs.CreateJob, draft)
    mine = job_pb2.ListJobsRequest(states=[job_pb2.JOB_STATE_PUBLISHED])
    [job] = (await journey.employer.call(system.services.jobs.ListJobs, mine)).jobs
    assert job.job_id == journey.job.job_id


async def test_proposal_messages_stay_tied_to_the_proposal_and_a_hire_has_a_thread_of_its_own(
    system: System,
) -> None:
    """After you hire, a separate job message thread is created for post-hire work."""
    journey = await offered(system)
    before = await journey.review()
    contract_id = await hired(system, journey)
    [question] = await threads(journey.employer, journey, thread_pb2.THREAD_KIND_PROPOSAL)
    [work] = await threads(journey.trainer, journey, thread_pb2.THREAD_KIND_JOB)
    assert (question.thread_id, question.proposal_id) == (before, journey.proposal_id)
    assert (work.contract_id, work.thread_id != before) == (contract_id, True)
    send = thread_pb2.SendMessageRequest(
        request_id=new_id(), thread_id=work.thread_id, text="Shall I begin?"
    )
    await journey.trainer.call(system.services.messaging.SendMessage, send)
    read = thread_pb2.ListMessagesRequest(thread_id=before)
    asked = (await journey.employer.call(system.services.messaging.ListMessages, read)).messages
    assert [message.text for message in asked] == ["Could you start next week?"]


async def test_hiring_creates_the_contract_and_its_funded_first_milestone(system: System) -> None:
    journey = await offered(system)
    started = await start(journey)
    hire = await system.ended(journey, started.hire.hire_id)
    contract = await contract_of(system, hire)
    assert contract.state == contract_pb2.CONTRACT_STATE_ACTIVE
    [milestone] = contract.milestones
    assert milestone.state == contract_pb2.MILESTONE_STATE_ACTIVE_FUNDED
    assert (await proposal_of(journey)).review_state == proposal_pb2.REVIEW_STATE_HIRED


async def test_instructions_are_task_guidelines_for_hired_trainers(system: System) -> None:
    journey = await offered(system)
    write = instructions_pb2.WriteInstructionsRequest(
        request_id=new_id(), job_id=journey.job.job_id, text="# Rate each answer"
    )
    await journey.employer.call(system.services.instructions.WriteInstructions, write)
    read = instructions_pb2.GetInstructionsRequest(job_id=journey.job.job_id)
    hidden = journey.trainer.call(system.services.instructions.GetInstructions, read)
    assert await reason(hidden) == "NOT_FOUND"
    await hired(system, journey)
    shown = await journey.trainer.call_when_known(
        system.services.instructions.GetInstructions, read
    )
    assert shown.instructions.text == "# Rate each answer"


async def test_use_done_hiring_when_you_no_longer_want_new_proposals(system: System) -> None:
    journey = await published(system)
    await journey.submit_proposal()
    done = job_pb2.FinishHiringRequest(request_id=new_id(), job_id=journey.job.job_id)
    await journey.employer.call(system.services.jobs.FinishHiring, done)
    own = proposal_pb2.GetOwnProposalRequest(proposal_id=journey.proposal_id)

    async def closed() -> bool:
        told = await journey.trainer.call(system.services.proposals.GetOwnProposal, own)
        return told.proposal.status == proposal_pb2.PROPOSAL_STATUS_CLOSED

    await until(closed)
    late = Journey(system.services, journey.employer, system.caller("trainer"), journey.job)
    await write_profile(late)
    submit = late.trainer.call(system.services.proposals.SubmitProposal, offer(late))
    assert await reason(submit) == "JOB_NOT_OPEN"


async def test_folders_group_related_jobs(system: System) -> None:
    organisation = f"org-{new_id()}"
    first = await published(system, organisation)
    await published(system, organisation)
    folder = folder_pb2.CreateFolderRequest(
        request_id=new_id(), folder=folder_pb2.Folder(name="Spring sprint", colour="#1f77b4")
    )
    made = (await first.employer.call(system.services.folders.CreateFolder, folder)).folder
    move = folder_pb2.MoveJobsRequest(
        request_id=new_id(), folder_id=made.folder_id, job_ids=[first.job.job_id]
    )
    await first.employer.call(system.services.folders.MoveJobs, move)
    inside = job_pb2.ListJobsRequest(folder_id=made.folder_id)
    [job] = (await first.employer.call(system.services.jobs.ListJobs, inside)).jobs
    assert job.job_id == first.job.job_id
