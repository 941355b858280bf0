"""What the events of threads and hires do here: they tell what stands around a proposal."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from functools import partial
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.hiring.v1 import hire_events_pb2, hire_pb2
from hireflow.messaging.v1 import thread_events_pb2, thread_pb2
from services.common.inbox import Received, Subscription
from services.common.outbox import event_type
from services.proposals.domain import HireOfProposal
from services.proposals.use_cases import viewing

HireEvent: TypeAlias = (
    hire_events_pb2.HireStarted
    | hire_events_pb2.HireApprovalRequested
    | hire_events_pb2.HireApproved
    | hire_events_pb2.HireDeclined
    | hire_events_pb2.HireExpired
    | hire_events_pb2.HireSuperseded
    | hire_events_pb2.HireCancelled
    | hire_events_pb2.HireFailed
)


async def on_thread_created(tx: AsyncConnection, event: Received) -> None:
    """Keep which thread is a proposal's."""
    thread = event.message(thread_events_pb2.ThreadCreated)
    if thread.kind == thread_pb2.THREAD_KIND_PROPOSAL:
        await viewing.learn_thread(tx, thread.proposal_id, thread.thread_id)


async def on_hire(kind: Callable[[], HireEvent], tx: AsyncConnection, event: Received) -> None:
    """Keep the hire as the event tells it: every event of a hire says where it is."""
    await viewing.learn_hire(tx, _hire(event, event.message(kind).hire))


async def on_stage_changed(tx: AsyncConnection, event: Received) -> None:
    """Keep also what the hire waits for, and until when."""
    told = event.message(hire_events_pb2.HireStageChanged)
    hire = replace(
        _hire(event, told.hire),
        waiting_for=_waiting(told.waiting_for),
        wait_deadline=told.wait_deadline.ToDatetime(UTC)
        if told.HasField("wait_deadline")
        else None,
    )
    await viewing.learn_hire(tx, hire)


async def on_blocked(tx: AsyncConnection, event: Received) -> None:
    """Keep also that the hire waits for an operator."""
    told = event.message(hire_events_pb2.HireBlocked)
    operator = _waiting(hire_pb2.HIRE_WAITING_FOR_OPERATOR)
    await viewing.learn_hire(tx, replace(_hire(event, told.hire), waiting_for=operator))


async def on_completed(tx: AsyncConnection, event: Received) -> None:
    """Keep also the contract that came of the hire."""
    told = event.message(hire_events_pb2.HireCompleted)
    await viewing.learn_hire(tx, replace(_hire(event, told.hire), contract_id=told.contract_id))


_PLAIN = (
    hire_events_pb2.HireStarted,
    hire_events_pb2.HireApprovalRequested,
    hire_events_pb2.HireApproved,
    hire_events_pb2.HireDeclined,
    hire_events_pb2.HireExpired,
    hire_events_pb2.HireSuperseded,
    hire_events_pb2.HireCancelled,
    hire_events_pb2.HireFailed,
)

THREADS = Subscription(
    consumer="proposals-threads",
    subjects=("hireflow.messaging.v1.thread.*", "hireflow.messaging.v1.message.*"),
    handlers={event_type(thread_events_pb2.ThreadCreated): on_thread_created},
    read_model=("thread",),
)

HIRES = Subscription(
    consumer="proposals-hires",
    subjects=("hireflow.hiring.v1.hire.*",),
    handlers={
        **{event_type(kind): partial(on_hire, kind) for kind in _PLAIN},
        event_type(hire_events_pb2.HireStageChanged): on_stage_changed,
        event_type(hire_events_pb2.HireBlocked): on_blocked,
        event_type(hire_events_pb2.HireCompleted): on_completed,
    },
    read_model=("hire",),
)


def _hire(event: Received, facts: hire_events_pb2.HireFacts) -> HireOfProposal:
    return HireOfProposal(
        hire_id=facts.hire_id,
        proposal_id=facts.proposal_id,
        state=hire_pb2.HireState.Name(facts.state).removeprefix("HIRE_STATE_"),
        stage=hire_pb2.HireStage.Name(facts.stage).removeprefix("HIRE_STAGE_"),
        waiting_for=_waiting(hire_pb2.HIRE_WAITING_FOR_UNSPECIFIED),
        wait_deadline=None,
        contract_id="",
        start_time=event.time,
        update_time=event.time,
    )


def _waiting(number: "hire_pb2.HireWaitingFor.ValueType") -> str:
    return hire_pb2.HireWaitingFor.Name(number).removeprefix("HIRE_WAITING_FOR_")
