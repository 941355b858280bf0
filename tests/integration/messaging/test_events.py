"""What the stream carries of threads, and what messaging learns from the events of proposals."""

import asyncio
from datetime import UTC, datetime

import pytest
from google.protobuf.message import Message
from nats.js.api import ConsumerConfig, DeliverPolicy

from hireflow.common.v1 import actor_pb2
from hireflow.messaging.v1 import thread_events_pb2, thread_pb2
from hireflow.proposals.v1 import proposal_events_pb2
from services.common.auth import Kind
from services.common.bus import EVENTS, Bus
from services.common.outbox import Event, Outbox
from services.messaging.domain import Proposal
from services.messaging.use_cases.known_proposals import learn_proposal
from tests.integration.messaging.world import Parties, World, new_id

# The one outbox that runs here; what it sends looks like the events of proposals.
PROPOSALS = Outbox("messaging")
EVENTS_OF_PROPOSALS = (
    proposal_events_pb2.ProposalSubmitted,
    proposal_events_pb2.ProposalReviewStateChanged,
    proposal_events_pb2.ProposalWithdrawn,
    proposal_events_pb2.ProposalReserved,
    proposal_events_pb2.ProposalReleased,
    proposal_events_pb2.ProposalHired,
)


async def _told(bus: Bus, thread_id: str, count: int) -> list[tuple[str, bytes]]:
    """The first `count` events of a thread on the stream."""
    jetstream = await bus.jetstream()
    told: list[tuple[str, bytes]] = []
    subscription = await jetstream.subscribe(
        "hireflow.messaging.v1.>",
        stream=EVENTS,
        ordered_consumer=True,
        config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL),
    )
    try:
        async with asyncio.timeout(10):
            async for message in subscription.messages:
                headers = message.headers or {}
                if headers["ce-subject"] == thread_id:
                    told.append((headers["ce-type"], message.data))
                if len(told) == count:
                    break
    finally:
        await subscription.unsubscribe()
    return told


async def test_the_stream_tells_who_wrote_where_and_nothing_of_what(
    world: World, parties: Parties, bus: Bus
) -> None:
    secret = "The secret of the thread"
    request = parties.job_thread()
    thread = await world.open_job(request)
    message = await world.send(parties.trainer, thread.thread_id, secret)
    told = await _told(bus, thread.thread_id, 3)
    assert [kind.removeprefix("hireflow.messaging.v1.") for kind, _ in told] == [
        "thread.created",
        "message.sent",
        "message.sent",
    ]
    assert thread_events_pb2.ThreadCreated.FromString(told[0][1]) == (
        thread_events_pb2.ThreadCreated(
            thread_id=request.thread_id,
            kind=thread_pb2.THREAD_KIND_JOB,
            organisation_id=request.organisation_id,
            job_id=request.job_id,
            proposal_id=request.proposal_id,
            contract_id=request.contract_id,
        )
    )
    welcome = thread_events_pb2.MessageSent.FromString(told[1][1])
    assert (welcome.sequence, welcome.kind) == (1, thread_pb2.MESSAGE_KIND_SYSTEM)
    trainer = actor_pb2.Actor(kind=actor_pb2.ACTOR_KIND_TRAINER, id=parties.proposal.trainer_id)
    assert thread_events_pb2.MessageSent.FromString(told[2][1]) == (
        thread_events_pb2.MessageSent(
            thread_id=request.thread_id,
            message_id=message.message_id,
            sequence=2,
            kind=thread_pb2.MESSAGE_KIND_TEXT,
            sender=trainer,
        )
    )
    assert not any(secret.encode() in data for _, data in told)


async def _tell(world: World, proposal_id: str, *messages: Message) -> None:
    async with world.database.begin() as tx:
        for message in messages:
            await PROPOSALS.record(tx, Event(message, proposal_id, datetime.now(UTC)))


@pytest.mark.parametrize("kind", EVENTS_OF_PROPOSALS, ids=lambda kind: str(kind.__name__))
async def test_any_event_of_a_proposal_tells_who_takes_part_in_it(
    kind: type[proposal_events_pb2.ProposalSubmitted], world: World
) -> None:
    proposal = Proposal(new_id("p"), new_id("job"), new_id("org"), new_id("tr"))
    facts = proposal_events_pb2.ProposalFacts(
        proposal_id=proposal.proposal_id,
        job_id=proposal.job_id,
        organisation_id=proposal.organisation_id,
        trainer_id=proposal.trainer_id,
    )
    await _tell(world, proposal.proposal_id, kind(proposal=facts), kind(proposal=facts))
    employer = world.by(Kind.EMPLOYER, proposal.organisation_id)
    thread = await world.until_opened(Parties(proposal, employer, ()))
    assert (thread.job_id, list(thread.trainer_ids)) == (proposal.job_id, [proposal.trainer_id])


async def test_a_proposal_that_is_told_many_times_at_once_is_known_once(world: World) -> None:
    proposal = Proposal(new_id("p"), new_id("job"), new_id("org"), new_id("tr"))

    async def hear() -> None:
        async with world.database.begin() as tx:
            await learn_proposal(tx, proposal)

    await asyncio.gather(*(hear() for _ in range(10)))
    employer = world.by(Kind.EMPLOYER, proposal.organisation_id)
    assert (await world.open_proposal(Parties(proposal, employer, ()))).trainer_ids
