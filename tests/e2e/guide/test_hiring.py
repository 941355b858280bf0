"""The employer's guide from the click on Hire on: a test per sentence, through the APIs."""

import pytest

from deploy.local import workspace
from deploy.local.journey import Caller, new_id
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import instructions_pb2, job_pb2
from hireflow.messaging.v1 import channel_pb2, thread_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.e2e.conftest import System
from tests.e2e.guide.acts import hired, looking, offer, offered, threads
from tests.e2e.scenarios.acts import TOTAL, VISA, contract_of, proposal_of
from tests.refusals import reason
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)


async def test_click_hire_and_enter_the_first_milestone_scope_and_amount(system: System) -> None:
    """Beforehand it is told what that costs and whether anything is in the way."""
    journey = await offered(system)
    quoted = await journey.quote(20000)
    assert quoted.quote.total_minor_units == 20000 + 2000 + 995
    assert all(each.met for each in quoted.preconditions)
    started = await journey.start(await journey.start_request(20000))
    hire = await system.ended(journey, started.hire.hire_id)
    [milestone] = (await contract_of(system, hire)).milestones
    assert milestone.terms.scope == journey.terms().scope
    assert milestone.terms.amount.minor_units == 20000
    await system.audited(hire.hire_id)


async def test_payment_is_collected_through_stripe_and_the_first_milestone_marked_as_funded(
    system: System,
) -> None:
    journey = await offered(system)
    hire = await hired(system, journey)
    [charge] = await system.charges(hire)
    assert (charge["amount"], charge["amount_refunded"]) == (TOTAL, 0)
    [milestone] = (await contract_of(system, hire)).milestones
    assert milestone.state == contract_pb2.MILESTONE_STATE_ACTIVE_FUNDED
    await system.audited(hire.hire_id)


async def test_hiring_creates_the_contract_and_its_first_milestone(system: System) -> None:
    journey = await offered(system)
    hire = await hired(system, journey)
    contract = await contract_of(system, hire)
    assert contract.state == contract_pb2.CONTRACT_STATE_ACTIVE
    assert len(contract.milestones) == 1
    assert (await proposal_of(journey)).review_state == proposal_pb2.REVIEW_STATE_HIRED
    shown = (await workspace.view(journey)).hire
    assert (shown.hire_id, shown.contract_id) == (hire.hire_id, hire.contract_id)
    assert shown.state == hire_pb2.HIRE_STATE_HIRED


async def test_proposal_messages_stay_tied_to_the_proposal_and_a_hire_has_a_thread_of_its_own(
    system: System,
) -> None:
    """After you hire, a separate job message thread is created for post-hire work."""
    journey = await offered(system)
    before = await journey.review()
    hire = await hired(system, journey)
    [question] = await threads(journey.employer, journey, thread_pb2.THREAD_KIND_PROPOSAL)
    [work] = await threads(journey.trainer, journey, thread_pb2.THREAD_KIND_JOB)
    assert (question.thread_id, question.proposal_id) == (before, journey.proposal_id)
    assert (work.contract_id, work.thread_id != before) == (hire.contract_id, True)
    await workspace.say(journey, journey.trainer, work.thread_id, "Shall I begin?")
    asked = await workspace.texts(journey, journey.employer, before)
    assert asked == ["Could you start next week?"]


async def test_the_job_workspace_becomes_the_project_control_surface(system: System) -> None:
    """Messages, contract, instructions, job posting, settings: each read by the employer."""
    journey = await offered(system)
    await workspace.write_instructions(journey, "# Rate each answer")
    hire = await hired(system, journey)
    services, employer = system.services, journey.employer
    thread_id = await workspace.job_thread(journey)
    await workspace.say(journey, employer, thread_id, "Welcome.")
    assert (await workspace.texts(journey, journey.trainer, thread_id))[-1] == "Welcome."
    contracts = contract_pb2.ListContractsRequest(job_id=journey.job.job_id)
    [contract] = (await employer.call(services.contracts.ListContracts, contracts)).contracts
    assert contract.contract_id == hire.contract_id
    assert len(contract.milestones) == 1
    reading = instructions_pb2.GetInstructionsRequest(job_id=journey.job.job_id)
    told = await employer.call(services.instructions.GetInstructions, reading)
    assert told.instructions.text == "# Rate each answer"
    getting = job_pb2.GetJobRequest(job_id=journey.job.job_id)
    posting = (await employer.call(services.jobs.GetJob, getting)).job
    assert posting.title == journey.job.title
    changed = job_pb2.Job(
        job_id=journey.job.job_id,
        etag=posting.etag,
        settings=job_pb2.JobSettings(visibility=job_pb2.JOB_VISIBILITY_INVITE_ONLY),
    )
    update = job_pb2.UpdateJobRequest(request_id=new_id(), job=changed)
    update.update_mask.paths.append("settings.visibility")
    settled = (await employer.call(services.jobs.UpdateJob, update)).job
    assert settled.settings.visibility == job_pb2.JOB_VISIBILITY_INVITE_ONLY


async def test_coordinate_post_hire_work_also_in_a_channel_that_new_hires_join_by_themselves(
    system: System,
) -> None:
    journey = looking(system)
    await journey.publish_job(add_hires_to_channels=True)
    await journey.submit_proposal()
    await journey.save_card(system.browser, VISA)
    create = channel_pb2.CreateChannelRequest(
        request_id=new_id(), job_id=journey.job.job_id, name="Everyone"
    )
    channels = system.services.channels
    made = await journey.employer.call_when_known(channels.CreateChannel, create)
    await hired(system, journey)
    list_members = channel_pb2.ListChannelMembersRequest(thread_id=made.thread.thread_id)

    async def joined() -> bool:
        page = await journey.employer.call(channels.ListChannelMembers, list_members)
        return [each.trainer_id for each in page.members] == [journey.trainer.id]

    await until(joined)
    await workspace.say(journey, journey.trainer, made.thread.thread_id, "Good morning.")
    told = await workspace.texts(journey, journey.employer, made.thread.thread_id)
    assert told == ["Good morning."]


async def test_instructions_are_task_guidelines_for_hired_trainers(system: System) -> None:
    journey = await offered(system)
    await workspace.write_instructions(journey, "# Rate each answer")
    read = instructions_pb2.GetInstructionsRequest(job_id=journey.job.job_id)
    hidden = journey.trainer.call(system.services.instructions.GetInstructions, read)
    assert await reason(hidden) == "NOT_FOUND"
    await hired(system, journey)
    assert await workspace.read_instructions(journey) == "# Rate each answer"


async def test_use_done_hiring_when_the_job_is_staffed_and_you_want_no_new_proposals(
    system: System,
) -> None:
    """Who is hired stays it, who is undecided sees Closed, and nobody new comes in."""
    journey = looking(system)
    await journey.publish_job(positions=2)
    await journey.save_card(system.browser, VISA)
    await journey.submit_proposal()
    undecided = (journey.trainer, journey.proposal_id)
    journey.trainer = system.caller("trainer")
    await journey.submit_proposal()
    await hired(system, journey)
    job = await workspace.finish_hiring(journey)
    assert job.state == job_pb2.JOB_STATE_HIRING_DONE

    async def status(trainer: Caller, proposal_id: str) -> str:
        own = proposal_pb2.GetOwnProposalRequest(proposal_id=proposal_id)
        told = await trainer.call(system.services.proposals.GetOwnProposal, own)
        return proposal_pb2.ProposalStatus.Name(told.proposal.status)

    async def is_closed() -> bool:
        return await status(*undecided) == "PROPOSAL_STATUS_CLOSED"

    await until(is_closed)
    assert await status(journey.trainer, journey.proposal_id) == "PROPOSAL_STATUS_HIRED"
    journey.trainer = system.caller("trainer")
    await journey.write_profile()
    late = journey.trainer.call(system.services.proposals.SubmitProposal, offer(journey))
    assert await reason(late) == "JOB_NOT_OPEN"
