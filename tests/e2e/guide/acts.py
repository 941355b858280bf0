"""What the tests of the employer's guide do before their sentence begins."""

from deploy.local import workspace
from deploy.local.journey import Caller, Journey, new_id
from hireflow.common.v1 import money_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import matching_pb2, proposal_pb2
from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import HIRED, VISA, start
from tests.waiting import until


def looking(system: System, organisation: str = "") -> Journey:
    """An employer who has nothing yet, and a trainer."""
    organisation = organisation or f"org-{new_id()}"
    employer = system.caller("employer", organisation=organisation)
    return Journey(system.services, employer, system.caller("trainer"))


async def published(system: System, organisation: str = "") -> Journey:
    """A published job with a screening plan."""
    journey = looking(system, organisation)
    await journey.publish_job(plan=workspace.PLAN)
    return journey


async def found(journey: Journey) -> matching_pb2.MatchingJob:
    """The job in the trainer's list of open jobs, once the list knows it."""
    await journey.write_profile()
    listed: list[matching_pb2.MatchingJob] = []

    async def shown() -> bool:
        page = await journey.trainer.call(
            journey.services.matching.ListMatchingJobs, matching_pb2.ListMatchingJobsRequest()
        )
        listed[:] = [each for each in page.jobs if each.job_id == journey.job.job_id]
        return bool(listed)

    await until(shown)
    return listed[0]


def interviewer(system: System) -> Caller:
    """The service that holds the interviews."""
    return system.caller("service", "service:interviewer")


async def screened(system: System, journey: Journey) -> None:
    """The trainer goes through the whole screening."""
    screening_id = await workspace.begin_screening(journey)
    await workspace.finish_screening(journey, interviewer(system), screening_id)


async def offered(system: System) -> Journey:
    """A proposal after a screening, with a card to hire by."""
    journey = await published(system)
    await journey.save_card(system.browser, VISA)
    await screened(system, journey)
    await journey.submit_proposal()
    return journey


async def hired(system: System, journey: Journey) -> hire_pb2.Hire:
    """Hire the proposal's trainer."""
    started = await start(journey)
    hire = await system.ended(journey, started.hire.hire_id)
    assert hire.state == HIRED
    return hire


def offer(journey: Journey) -> proposal_pb2.SubmitProposalRequest:
    """What a trainer sends to propose."""
    rate = proposal_pb2.Rate(
        amount=money_pb2.Money(minor_units=6000, currency_code="USD"),
        unit=proposal_pb2.RATE_UNIT_HOUR,
    )
    return proposal_pb2.SubmitProposalRequest(
        request_id=new_id(), job_id=journey.job.job_id, message="Hello.", rate=rate
    )


async def threads(
    caller: Caller, journey: Journey, kind: "thread_pb2.ThreadKind.ValueType"
) -> list[thread_pb2.Thread]:
    """The job's threads of a kind, as a caller sees them."""
    request = thread_pb2.ListThreadsRequest(job_id=journey.job.job_id, kind=kind)
    return list((await caller.call(journey.services.messaging.ListThreads, request)).threads)
