"""What the stream carries of proposals, and what proposals learn from the events of jobs."""

import asyncio
from datetime import UTC

from nats.js.api import ConsumerConfig, DeliverPolicy

from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_events_pb2
from hireflow.proposals.v1 import proposal_pb2 as pb
from services.common.auth import Kind
from services.common.bus import EVENTS, Bus
from services.proposals.domain import Job
from services.proposals.store import jobs
from tests.integration.proposals.world import Offered, World, new_id, offer
from tests.refusals import reason

PREFIX = "hireflow.proposals.v1.proposal."


async def _told(world: World, proposal_id: str, count: int) -> list[tuple[str, bytes]]:
    """The first `count` events of a proposal on the stream."""
    told: list[tuple[str, bytes]] = []
    async with Bus.open(world.workspace.settings, "test") as bus, asyncio.timeout(10):
        jetstream = await bus.jetstream()
        subscription = await jetstream.subscribe(
            f"{PREFIX}*",
            stream=EVENTS,
            ordered_consumer=True,
            config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL),
        )
        async for message in subscription.messages:
            headers = message.headers or {}
            if headers["ce-subject"] == proposal_id:
                told.append((headers["ce-type"].removeprefix(PREFIX), message.data))
            if len(told) == count:
                break
        await subscription.unsubscribe()
    return told


async def test_the_stream_tells_each_transition_in_order_and_nothing_that_people_wrote(
    world: World, offered: Offered
) -> None:
    undone, hire_id, contract_id = new_id("h"), new_id("h"), new_id("c")
    await world.review(offered, pb.REVIEW_STATE_SHORTLISTED)
    await world.reserve(offered, undone)
    await world.release(offered, undone)
    await world.reserve(offered, hire_id)
    await world.mark_hired(offered, hire_id, contract_id)
    told = await _told(world, offered.proposal_id, 6)
    kinds = ["submitted", "review_state_changed", "reserved", "released", "reserved", "hired"]
    assert [kind for kind, _ in told] == kinds
    moved = proposal_events_pb2.ProposalReviewStateChanged.FromString(told[1][1])
    assert moved.previous_review_state == pb.REVIEW_STATE_UNREVIEWED
    released = proposal_events_pb2.ProposalReleased.FromString(told[3][1])
    assert (released.hire_id, released.proposal) == (undone, moved.proposal)
    hired = proposal_events_pb2.ProposalHired.FromString(told[5][1])
    assert hired == proposal_events_pb2.ProposalHired(
        proposal=proposal_events_pb2.ProposalFacts(
            proposal_id=offered.proposal_id,
            job_id=offered.job.job_id,
            organisation_id=offered.job.organisation_id,
            trainer_id=offered.trainer.id,
            review_state=pb.REVIEW_STATE_HIRED,
        ),
        hire_id=hire_id,
        contract_id=contract_id,
    )
    written = offer("")
    for text in (written.message, written.summary, "Jordan", "Physician"):
        assert not any(text.encode() in data for _, data in told)


async def test_a_withdrawal_tells_that_the_proposal_is_gone(world: World, offered: Offered) -> None:
    await world.withdraw(offered)
    _, (kind, data) = await _told(world, offered.proposal_id, 2)
    assert kind == "withdrawn"
    assert proposal_events_pb2.ProposalWithdrawn.FromString(data).proposal.withdrawn


async def _until_known(world: World, job_id: str, state: str) -> Job:
    async with asyncio.timeout(10):
        while True:
            async with world.database.read() as connection:
                job = await jobs.find_job(connection, job_id)
            if job is not None and job.state == state:
                return job
            await asyncio.sleep(0.02)  # between two looks; the event is on its way


async def test_a_job_is_known_as_its_last_event_told_it(world: World) -> None:
    journey, service = world.workspace.journey(), world.workspace.services.jobs
    await journey.publish_job()
    job_id = journey.job.job_id
    known = await _until_known(world, job_id, "PUBLISHED")
    assert known == Job(
        job_id=job_id,
        organisation_id=journey.job.organisation_id,
        state="PUBLISHED",
        visibility="PUBLIC",
        required_languages=("en",),
        required_skills=("medicine",),
        required_countries=("US", "DE"),
        publish_time=journey.job.publish_time.ToDatetime(UTC),
    )
    trainer = await world.trainer()
    own = await world.submit(trainer, offer(job_id))
    finish = job_pb2.FinishHiringRequest(request_id=new_id("r"), job_id=job_id)
    await journey.employer.call(service.FinishHiring, finish)
    await _until_known(world, job_id, "HIRING_DONE")
    assert await reason(world.submit(await world.trainer(), offer(job_id))) == "JOB_NOT_OPEN"
    employer = world.by(Kind.EMPLOYER, journey.job.organisation_id)
    closed = Offered(own.proposal_id, known, trainer, employer)
    assert await world.status(closed) == "CLOSED"
    reopen = job_pb2.ReopenHiringRequest(request_id=new_id("r"), job_id=job_id)
    await journey.employer.call(service.ReopenHiring, reopen)
    await _until_known(world, job_id, "PUBLISHED")
    assert await world.status(closed) == "PENDING"
