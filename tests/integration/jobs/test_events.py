"""What the stream carries of jobs, and what the events of proposals leave in them."""

import asyncio
from datetime import UTC, datetime

import sqlalchemy as sa
from google.protobuf.message import Message
from nats.js.api import ConsumerConfig, DeliverPolicy

from hireflow.jobs.v1 import job_events_pb2, job_pb2
from hireflow.proposals.v1 import proposal_events_pb2
from services.common.auth import Kind
from services.common.bus import EVENTS, Bus
from services.common.outbox import Event, Outbox
from services.jobs.store.tables import PROPOSAL_COUNT
from services.jobs.use_cases.proposal_counts import count_proposal
from tests.integration.jobs.world import Metadata, World, complete_job, new_id
from tests.refusals import refusal

PROPOSALS = Outbox("jobs")


async def _told(bus: Bus, job_id: str, last: str) -> list[tuple[str, bytes]]:
    """Every event of a job on the stream, up to and with the first of type `last`."""
    jetstream = await bus.jetstream()
    told: list[tuple[str, bytes]] = []
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
    subscription = await jetstream.subscribe(
        "hireflow.jobs.v1.job.*", stream=EVENTS, ordered_consumer=True, config=config
    )
    try:
        async with asyncio.timeout(10):
            async for message in subscription.messages:
                headers = message.headers or {}
                if headers["ce-subject"] != job_id:
                    continue
                told.append((headers["ce-type"], message.data))
                if headers["ce-type"] == last:
                    break
    finally:
        await subscription.unsubscribe()
    return told


async def test_the_stream_tells_facts_in_order_and_nothing_that_people_wrote(
    world: World, employer: Metadata, organisation_id: str, bus: Bus
) -> None:
    settings = job_pb2.JobSettings(finish_when_filled=True)
    secret = "Call me on 555"
    job = await world.published(
        employer, positions=1, settings=settings, title=secret, description=secret
    )
    hire, contract = new_id("h"), new_id("c")
    await world.reserve(job.job_id, hire)
    await world.fill(job.job_id, hire, contract)
    told = await _told(bus, job.job_id, "hireflow.jobs.v1.job.hiring_finished")
    assert [kind.removeprefix("hireflow.jobs.v1.job.") for kind, _ in told] == [
        "created",
        "published",
        "position_reserved",
        "position_filled",
        "hiring_finished",
    ]
    assert not any(secret.encode() in data for _, data in told)
    filled = job_events_pb2.JobPositionFilled.FromString(told[3][1])
    assert (filled.hire_id, filled.contract_id) == (hire, contract)
    assert filled.job.state == job_pb2.JOB_STATE_PUBLISHED
    facts = job_events_pb2.JobHiringFinished.FromString(told[4][1]).job
    expected = complete_job()
    assert facts == job_events_pb2.JobFacts(
        job_id=job.job_id,
        organisation_id=organisation_id,
        state=job_pb2.JOB_STATE_HIRING_DONE,
        visibility=job_pb2.JOB_VISIBILITY_PUBLIC,
        required_languages=expected.required_languages,
        required_skills=expected.required_skills,
        currency_code="USD",
        positions=1,
        positions_filled=1,
    )


async def test_an_update_tells_which_fields_changed(
    world: World, employer: Metadata, bus: Bus
) -> None:
    job = await world.draft(employer)
    change = job_pb2.Job(job_id=job.job_id, title="Rate dogs", positions=5)
    request = job_pb2.UpdateJobRequest(request_id=new_id("r"), job=change)
    await world.stub.UpdateJob(request, metadata=employer)
    told = await _told(bus, job.job_id, "hireflow.jobs.v1.job.updated")
    updated = job_events_pb2.JobUpdated.FromString(told[-1][1])
    assert list(updated.changed_fields) == ["title", "positions"]


async def test_a_refused_change_leaves_no_event_and_no_request_behind(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    request = job_pb2.PublishJobRequest(request_id=new_id("r"), job_id=job.job_id)
    await refusal(world.stub.PublishJob(request, metadata=employer))
    assert await world.events(job.job_id) == ["created", "published"]
    async with world.database.read() as connection:
        kept = await connection.scalar(
            sa.text("SELECT count(*) FROM jobs.request WHERE request_id = :id"),
            {"id": request.request_id},
        )
    assert kept == 0


async def _tell(world: World, proposal_id: str, *messages: Message) -> None:
    """Publish events of a proposal, through the one outbox that runs here."""
    async with world.database.begin() as tx:
        for message in messages:
            await PROPOSALS.record(tx, Event(message, proposal_id, datetime.now(UTC)))


async def test_a_job_shows_how_many_live_proposals_it_has(world: World, employer: Metadata) -> None:
    job = await world.published(employer)
    proposals = [new_id("p") for _ in range(3)]
    for proposal_id in proposals:
        facts = proposal_events_pb2.ProposalFacts(proposal_id=proposal_id, job_id=job.job_id)
        submitted = proposal_events_pb2.ProposalSubmitted(proposal=facts)
        reviewed = proposal_events_pb2.ProposalReviewStateChanged(proposal=facts)
        await _tell(world, proposal_id, submitted, reviewed)
    await world.until_counted(employer, job.job_id, 3)
    gone = proposal_events_pb2.ProposalFacts(
        proposal_id=proposals[0], job_id=job.job_id, withdrawn=True
    )
    await _tell(world, proposals[0], proposal_events_pb2.ProposalWithdrawn(proposal=gone))
    await world.until_counted(employer, job.job_id, 2)
    listed = await world.stub.ListJobs(job_pb2.ListJobsRequest(), metadata=employer)
    assert [(each.job_id, each.proposals) for each in listed.jobs] == [(job.job_id, 2)]
    assert (await world.get(world.by(Kind.TRAINER), job.job_id)).proposals == 0
    assert (await world.finish(employer, job.job_id)).proposals == 2


async def test_a_proposal_counts_once_however_often_it_is_told(world: World) -> None:
    job_id, proposal_id = new_id("job"), new_id("p")
    told = [(True, 1), (True, 1), (False, 0), (False, 0), (True, 1)]
    for live, expected in told:
        async with world.database.begin() as tx:
            await count_proposal(tx, job_id, proposal_id, live=live)
            counted = await tx.scalar(
                sa.select(PROPOSAL_COUNT.c.live).where(PROPOSAL_COUNT.c.job_id == job_id)
            )
        assert counted == expected


async def test_proposals_that_come_at_once_are_all_counted(world: World) -> None:
    job_id = new_id("job")

    async def submit() -> None:
        async with world.database.begin() as tx:
            await count_proposal(tx, job_id, new_id("p"), live=True)

    await asyncio.gather(*(submit() for _ in range(20)))
    async with world.database.read() as connection:
        counted = await connection.scalar(
            sa.select(PROPOSAL_COUNT.c.live).where(PROPOSAL_COUNT.c.job_id == job_id)
        )
    assert counted == 20
