"""The events of messaging, and what the events of proposals do here.

`neighbours` has what those of jobs and contracts do. No text that people wrote is in ours: who,
where and in what order.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.messaging.v1 import thread_events_pb2
from hireflow.proposals.v1 import proposal_events_pb2
from services.common.inbox import Received, Subscription
from services.common.outbox import Event, event_type
from services.messaging.domain import Message, Proposal, Thread
from services.messaging.use_cases.known_proposals import learn_proposal
from services.messaging.wire import actor, message_kind, thread_kind

ProposalEvent: TypeAlias = (
    proposal_events_pb2.ProposalSubmitted
    | proposal_events_pb2.ProposalReviewStateChanged
    | proposal_events_pb2.ProposalWithdrawn
    | proposal_events_pb2.ProposalReserved
    | proposal_events_pb2.ProposalReleased
    | proposal_events_pb2.ProposalHired
)


def created(thread: Thread) -> Event:
    """Tell that a thread was opened."""
    message = thread_events_pb2.ThreadCreated(
        thread_id=thread.thread_id,
        kind=thread_kind(thread.kind),
        organisation_id=thread.organisation_id,
        job_id=thread.job_id,
        proposal_id=thread.proposal_id,
        contract_id=thread.contract_id,
    )
    return Event(message, aggregate_id=thread.thread_id, time=thread.create_time)


def sent(written: Message) -> Event:
    """Tell that a message was written, and by whom."""
    message = thread_events_pb2.MessageSent(
        thread_id=written.thread_id,
        message_id=written.message_id,
        sequence=written.sequence,
        kind=message_kind(written.kind),
        sender=actor(written.sender),
    )
    return Event(message, aggregate_id=written.thread_id, time=written.create_time)


def edited(message: Message) -> Event:
    """Tell that a message was reworded."""
    told = thread_events_pb2.MessageEdited(
        thread_id=message.thread_id,
        message_id=message.message_id,
        sequence=message.sequence,
        sender=actor(message.sender),
    )
    return Event(told, message.thread_id, message.edit_time or message.create_time)


def deleted(message: Message) -> Event:
    """Tell that a message was taken back."""
    told = thread_events_pb2.MessageDeleted(
        thread_id=message.thread_id,
        message_id=message.message_id,
        sequence=message.sequence,
        sender=actor(message.sender),
    )
    return Event(told, message.thread_id, message.delete_time or message.create_time)


def joined(thread: Thread, trainer_id: str, now: datetime) -> Event:
    """Tell that a trainer joined a channel."""
    told = thread_events_pb2.ThreadJoined(
        thread_id=thread.thread_id, job_id=thread.job_id, trainer_id=trainer_id
    )
    return Event(told, thread.thread_id, now)


def left(thread: Thread, trainer_id: str, now: datetime) -> Event:
    """Tell that a trainer left a channel."""
    told = thread_events_pb2.ThreadLeft(
        thread_id=thread.thread_id, job_id=thread.job_id, trainer_id=trainer_id
    )
    return Event(told, thread.thread_id, now)


def renamed(thread_id: str, now: datetime) -> Event:
    """Tell that a channel has another name."""
    return Event(thread_events_pb2.ThreadRenamed(thread_id=thread_id), thread_id, now)


async def on_proposal(
    kind: Callable[[], ProposalEvent], tx: AsyncConnection, event: Received
) -> None:
    """Note who takes part in the proposal; any of its events tells."""
    facts = event.message(kind).proposal
    proposal = Proposal(
        proposal_id=facts.proposal_id,
        job_id=facts.job_id,
        organisation_id=facts.organisation_id,
        trainer_id=facts.trainer_id,
    )
    await learn_proposal(tx, proposal)


_PROPOSAL_EVENTS = (
    proposal_events_pb2.ProposalSubmitted,
    proposal_events_pb2.ProposalReviewStateChanged,
    proposal_events_pb2.ProposalWithdrawn,
    proposal_events_pb2.ProposalReserved,
    proposal_events_pb2.ProposalReleased,
    proposal_events_pb2.ProposalHired,
)

PROPOSALS = Subscription(
    consumer="messaging-proposals",
    subjects=("hireflow.proposals.v1.proposal.*",),
    handlers={event_type(kind): partial(on_proposal, kind) for kind in _PROPOSAL_EVENTS},
    read_model=("proposal",),
)
