"""The employer's guide on what a hire leaves: a test per sentence, all on one hire."""

from dataclasses import dataclass

import pytest

from deploy.local import workspace
from deploy.local.journey import Caller, Journey, new_id
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import instructions_pb2, job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.e2e.conftest import System
from tests.e2e.guide.acts import hired, offered, threads
from tests.e2e.scenarios.acts import TOTAL, contract_of, proposal_of
from tests.refusals import reason

pytestmark = pytest.mark.timeout(240)
GUIDELINES = "# Rate each answer"


@dataclass(frozen=True)
class Work:
    """A hire with what was there before it."""

    system: System
    journey: Journey
    hire: hire_pb2.Hire
    question_thread: str
    before: list[thread_pb2.Thread]

    async def contracts(self, caller: Caller) -> list[contract_pb2.Contract]:
        request = contract_pb2.ListContractsRequest(job_id=self.journey.job.job_id)
        return list(
            (await caller.call(self.system.services.contracts.ListContracts, request)).contracts
        )

    async def instructions(self, caller: Caller) -> str:
        request = instructions_pb2.GetInstructionsRequest(job_id=self.journey.job.job_id)
        reading = self.system.services.instructions.GetInstructions
        return (await caller.call(reading, request)).instructions.text


@pytest.fixture(scope="module")
async def work(system: System) -> Work:
    journey = await offered(system)
    question_thread = await journey.review()
    await workspace.write_instructions(journey, GUIDELINES)
    before = await threads(journey.employer, journey, thread_pb2.THREAD_KIND_JOB)
    return Work(system, journey, await hired(system, journey), question_thread, before)


async def test_payment_is_collected_through_stripe_and_the_first_milestone_marked_as_funded(
    work: Work,
) -> None:
    [charge] = await work.system.charges(work.hire)
    assert (charge["amount"], charge["amount_refunded"]) == (TOTAL, 0)
    [milestone] = (await contract_of(work.system, work.hire)).milestones
    assert milestone.state == contract_pb2.MILESTONE_STATE_ACTIVE_FUNDED
    await work.system.audited(work.hire.hire_id)


async def test_hiring_creates_the_contract_and_its_first_milestone(work: Work) -> None:
    contract = await contract_of(work.system, work.hire)
    assert contract.state == contract_pb2.CONTRACT_STATE_ACTIVE
    assert len(contract.milestones) == 1
    hired_state = proposal_pb2.REVIEW_STATE_HIRED
    assert (await proposal_of(work.journey)).review_state == hired_state
    shown = (await workspace.view(work.journey)).hire
    assert (shown.hire_id, shown.contract_id) == (work.hire.hire_id, work.hire.contract_id)
    assert shown.state == hire_pb2.HIRE_STATE_HIRED


async def test_jobs_with_hired_trainers_also_show_job_messages_and_contract_details(
    work: Work,
) -> None:
    """Neither is there before the hire; afterwards both people find both."""
    assert work.before == []
    for person in (work.journey.employer, work.journey.trainer):
        [thread] = await threads(person, work.journey, thread_pb2.THREAD_KIND_JOB)
        assert thread.contract_id == work.hire.contract_id
        [contract] = await work.contracts(person)
        assert (contract.contract_id, contract.currency_code) == (work.hire.contract_id, "USD")


async def test_contract_shows_the_active_contract_and_its_milestone_timeline(work: Work) -> None:
    [contract] = await work.contracts(work.journey.employer)
    assert contract.state == contract_pb2.CONTRACT_STATE_ACTIVE
    [milestone] = contract.milestones
    terms = work.journey.terms()
    assert (milestone.terms.name, milestone.terms.scope) == (terms.name, terms.scope)
    moments = (
        contract.create_time,
        milestone.create_time,
        milestone.fund_time,
        contract.activate_time,
    )
    timeline = [moment.ToNanoseconds() for moment in moments]
    assert timeline == sorted(timeline)
    assert timeline[0] > 0
    assert not contract.HasField("end_time")


async def test_proposal_messages_stay_tied_to_the_proposal_and_a_hire_has_a_thread_of_its_own(
    work: Work,
) -> None:
    """After you hire, a separate job message thread is created for post-hire work."""
    journey = work.journey
    [question] = await threads(journey.employer, journey, thread_pb2.THREAD_KIND_PROPOSAL)
    [own] = await threads(journey.trainer, journey, thread_pb2.THREAD_KIND_JOB)
    assert (question.thread_id, question.proposal_id) == (
        work.question_thread,
        journey.proposal_id,
    )
    assert own.thread_id != work.question_thread
    asked = await workspace.texts(journey, journey.employer, work.question_thread)
    assert asked == ["Could you start next week?"]


async def test_keep_delivery_instructions_milestone_questions_and_coordination_in_the_job_thread(
    work: Work,
) -> None:
    """There, unlike before the hire, people may also tell how to reach each other."""
    journey, employer, trainer = work.journey, work.journey.employer, work.journey.trainer
    thread_id = await workspace.job_thread(journey)
    said = (
        (employer, "Deliver to https://files.example.com/first-batch please."),
        (trainer, "Does the first milestone include the second review?"),
        (employer, "Yes. Call me on +49 30 901820 if anything is unclear."),
    )
    for who, text in said:
        await workspace.say(journey, who, thread_id, text)
    told = await workspace.texts(journey, trainer, thread_id)
    assert told[-3:] == [text for _, text in said]
    asked = await workspace.texts(journey, trainer, work.question_thread)
    assert not {text for _, text in said} & set(asked)


async def test_the_job_workspace_becomes_the_project_control_surface(work: Work) -> None:
    """Messages, contract, instructions, job posting, settings: each read by the employer."""
    journey, employer = work.journey, work.journey.employer
    thread_id = await workspace.job_thread(journey)
    await workspace.say(journey, employer, thread_id, "Welcome.")
    assert (await workspace.texts(journey, journey.trainer, thread_id))[-1] == "Welcome."
    [contract] = await work.contracts(employer)
    assert contract.contract_id == work.hire.contract_id
    assert await work.instructions(employer) == GUIDELINES
    getting = job_pb2.GetJobRequest(job_id=journey.job.job_id)
    posting = (await employer.call(work.system.services.jobs.GetJob, getting)).job
    assert posting.title == journey.job.title
    changed = job_pb2.Job(
        job_id=journey.job.job_id,
        etag=posting.etag,
        settings=job_pb2.JobSettings(visibility=job_pb2.JOB_VISIBILITY_INVITE_ONLY),
    )
    update = job_pb2.UpdateJobRequest(request_id=new_id(), job=changed)
    update.update_mask.paths.append("settings.visibility")
    settled = (await employer.call(work.system.services.jobs.UpdateJob, update)).job
    assert settled.settings.visibility == job_pb2.JOB_VISIBILITY_INVITE_ONLY


async def test_instructions_are_task_guidelines_for_hired_trainers(work: Work) -> None:
    assert await workspace.read_instructions(work.journey) == GUIDELINES
    stranger = work.system.caller("trainer")
    assert await reason(work.instructions(stranger)) == "NOT_FOUND"
