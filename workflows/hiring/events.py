"""The events of a hire: ids, states and amounts, no text of people."""

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from hireflow.hiring.v1 import hire_events_pb2, hire_pb2
from services.common.outbox import Event, event_type
from workflows.hiring.domain import Fact, Hire, HireStep, StepRecord, fact_of, fact_told

_KINDS: dict[Fact, type[Message]] = {
    Fact.COMPLETED: hire_events_pb2.HireCompleted,
    Fact.CANCELLED: hire_events_pb2.HireCancelled,
    Fact.EXPIRED: hire_events_pb2.HireExpired,
    Fact.FAILED: hire_events_pb2.HireFailed,
    Fact.SUPERSEDED: hire_events_pb2.HireSuperseded,
    Fact.BLOCKED: hire_events_pb2.HireBlocked,
    Fact.STAGE_CHANGED: hire_events_pb2.HireStageChanged,
}
_BARE = {
    Fact.EXPIRED: hire_events_pb2.HireExpired,
    Fact.SUPERSEDED: hire_events_pb2.HireSuperseded,
}


def started(hire: Hire) -> Event:
    """Tell that a hire was asked for and began."""
    return _event(hire, hire_events_pb2.HireStarted(hire=_facts(hire)))


def after_step(hire: Hire, record: StepRecord) -> Event:
    """Tell what a step made of a hire; `hire` is as it stands after it."""
    return _event(hire, _message(hire, record))


def type_of(step: HireStep) -> str:
    """Name the type of the event that told of a step."""
    fact = fact_told(step)
    return event_type(hire_events_pb2.HireStarted if fact is None else _KINDS[fact])


def _message(hire: Hire, record: StepRecord) -> Message:
    facts = _facts(hire)
    match fact_of(record.changes):
        case Fact.COMPLETED:
            return hire_events_pb2.HireCompleted(
                hire=facts, contract_id=hire.contract_id or "", thread_id=hire.thread_id or ""
            )
        case Fact.CANCELLED:
            return hire_events_pb2.HireCancelled(hire=facts, refunded=record.refunded)
        case Fact.FAILED:
            return hire_events_pb2.HireFailed(hire=facts, reason=hire.end_reason or "")
        case Fact.BLOCKED:
            return hire_events_pb2.HireBlocked(hire=facts, reason=hire.blocked_reason or "")
        case (Fact.EXPIRED | Fact.SUPERSEDED) as bare:
            return _BARE[bare](hire=facts)
        case _:
            return _stage_changed(hire, facts)


def _stage_changed(
    hire: Hire, facts: hire_events_pb2.HireFacts
) -> hire_events_pb2.HireStageChanged:
    waiting = hire.waiting_for or "UNSPECIFIED"
    message = hire_events_pb2.HireStageChanged(
        hire=facts, waiting_for=hire_pb2.HireWaitingFor.Value(f"HIRE_WAITING_FOR_{waiting}")
    )
    if hire.wait_deadline:
        deadline = Timestamp()
        deadline.FromDatetime(hire.wait_deadline)
        message.wait_deadline.CopyFrom(deadline)
    return message


def _event(hire: Hire, message: Message) -> Event:
    return Event(message, aggregate_id=hire.hire_id, time=hire.update_time)


def _facts(hire: Hire) -> hire_events_pb2.HireFacts:
    return hire_events_pb2.HireFacts(
        hire_id=hire.hire_id,
        proposal_id=hire.proposal_id,
        job_id=hire.job_id,
        organisation_id=hire.organisation_id,
        state=hire_pb2.HireState.Value(f"HIRE_STATE_{hire.state}"),
        stage=hire_pb2.HireStage.Value(f"HIRE_STAGE_{hire.stage}"),
        revision=hire.revision,
        step=hire.step,
    )
