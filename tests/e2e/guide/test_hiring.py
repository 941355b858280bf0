"""The employer's guide on what changes a job by a hire: a test per sentence, through the APIs."""

import pytest

from deploy.local import workspace
from deploy.local.journey import Caller, new_id
from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import channel_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.e2e.conftest import System
from tests.e2e.guide.acts import hired, looking, offer, offered
from tests.e2e.scenarios.acts import VISA, contract_of
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
