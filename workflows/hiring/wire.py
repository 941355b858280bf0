"""Between the protos of hiring and its domain: messages written, fields read and checked."""

import re
from collections.abc import Iterable
from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from hireflow.common.v1 import actor_pb2, money_pb2
from hireflow.hiring.v1 import hire_pb2, operations_pb2, payment_method_pb2
from services.common.errors import Problems
from services.common.serving import remaining_deadline
from workflows.hire.contract import hire_workflow_id
from workflows.hiring.domain import (
    Actor,
    HireState,
    HireStep,
    Milestone,
    Precondition,
    Stage,
    ToldHire,
    Totals,
    WaitingFor,
    WaitsOn,
    outlook,
    sentence_of,
)
from workflows.hiring.domain.terms import HireTerms
from workflows.hiring.events import type_of
from workflows.hiring.use_cases.payment_methods import ListedMethod, PaymentWish

# The provider's ids are longer than ours may be.
METHOD_ID_LIMIT = 255

_LIST_LIMIT = 50

# What is left for reading and writing the answer when the waiting ends.
_MARGIN_SECONDS = 1.0
_REASON = re.compile(r"[A-Za-z0-9_]{1,64}")
_WAITS_ON: dict[int, WaitsOn] = {
    operations_pb2.HireWaitsOn.Value(f"HIRE_WAITS_ON_{each}"): each for each in WaitsOn
}
_STATES: dict[int, HireState] = {
    hire_pb2.HireState.Value(f"HIRE_STATE_{state}"): state for state in HireState
}


def hire_message(told: ToldHire) -> hire_pb2.Hire:
    """Write a hire with the terms of its present revision."""
    hire, terms = told.hire, told.terms
    return hire_pb2.Hire(
        hire_id=hire.hire_id,
        proposal_id=hire.proposal_id,
        job_id=hire.job_id,
        organisation_id=hire.organisation_id,
        trainer_id=hire.trainer_id,
        state=hire_pb2.HireState.Value(f"HIRE_STATE_{hire.state}"),
        stage=_stage(hire.stage),
        waiting_for=_waiting_for(hire.waiting_for),
        wait_deadline=_timestamp(hire.wait_deadline),
        blocked_reason=hire.blocked_reason or "",
        end_reason=hire.end_reason or "",
        decline_code=hire.decline_code or "",
        revision=hire.revision,
        milestone=_milestone(terms),
        quote=quote_message(terms.terms.totals),
        requested_by=_actor(hire.requested_by),
        contract_id=hire.contract_id or "",
        milestone_id=hire.milestone_id or "",
        payment_intent_id=hire.payment_intent_id or "",
        charge_id=hire.charge_id or "",
        thread_id=hire.thread_id or "",
        workflow_id=hire_workflow_id(hire.proposal_id),
        etag=hire.etag,
        create_time=_timestamp(hire.create_time),
        update_time=_timestamp(hire.update_time),
        end_time=_timestamp(hire.end_time),
    )


def step_message(step: HireStep) -> hire_pb2.HireStep:
    """Write one step of the story."""
    return hire_pb2.HireStep(
        number=step.number,
        stage=_stage(step.stage),
        what=step.what,
        waiting_for=_waiting_for(step.waiting_for),
        stripe_object_id=step.stripe_object_id or "",
        reason=step.reason or "",
        actor=_actor(step.actor),
        time=_timestamp(step.time),
    )


def stuck_message(told: ToldHire) -> operations_pb2.StuckHire:
    """Write a running hire with on whom it waits and what it does next."""
    ahead = outlook(told.hire)
    return operations_pb2.StuckHire(
        hire=hire_message(told),
        waits_on=operations_pb2.HireWaitsOn.Value(f"HIRE_WAITS_ON_{told.hire.waits_on}"),
        since=_timestamp(told.hire.stands_since),
        next_action=operations_pb2.HireNextAction.Value(
            f"HIRE_NEXT_ACTION_{ahead.action or 'UNSPECIFIED'}"
        ),
        next_action_time=_timestamp(ahead.time),
    )


def timeline_message(step: HireStep) -> operations_pb2.TimelineEntry:
    """Write one step in business words."""
    return operations_pb2.TimelineEntry(
        number=step.number,
        time=_timestamp(step.time),
        actor=_actor(step.actor),
        stage=_stage(step.stage),
        what=step.what,
        description=sentence_of(step),
        reason=step.reason or "",
        stripe_object_id=step.stripe_object_id or "",
        waiting_for=_waiting_for(step.waiting_for),
        wait_deadline=_timestamp(step.wait_deadline),
        event_type=type_of(step),
    )


def quote_message(totals: Totals) -> hire_pb2.HireQuote:
    """Write what terms cost."""
    return hire_pb2.HireQuote(
        amount_minor_units=totals.amount,
        marketplace_fee_minor_units=totals.marketplace_fee,
        contract_fee_minor_units=totals.contract_fee,
        total_minor_units=totals.total,
        currency_code=totals.currency,
    )


def precondition_message(condition: Precondition) -> hire_pb2.Precondition:
    """Write a condition and how it stands."""
    return hire_pb2.Precondition(
        name=condition.name,
        met=condition.met,
        reason=condition.reason,
        description=condition.description,
    )


def method_message(listed: ListedMethod) -> payment_method_pb2.PaymentMethod:
    """Write a saved payment method."""
    method = listed.method
    return payment_method_pb2.PaymentMethod(
        payment_method_id=method.method_id,
        type=method.type,
        brand=method.brand,
        last4=method.last4,
        expiry_month=method.expiry_month,
        expiry_year=method.expiry_year,
        is_default=listed.is_default,
        create_time=_timestamp(method.created),
    )


def read_milestone(message: hire_pb2.MilestoneTerms, noted: Problems) -> Milestone:
    """Read a milestone, noting a due date that no calendar has; its limits are the domain's."""
    return Milestone(
        name=message.name,
        scope=message.scope,
        amount=message.amount.minor_units,
        currency=message.amount.currency_code,
        due_date=_read_date(message, noted),
    )


def read_payment(
    message: hire_pb2.StartHireRequest | hire_pb2.RetryPaymentRequest, noted: Problems
) -> PaymentWish:
    """Read how the caller wants to pay; nothing said means by the default method."""
    named = message.WhichOneof("payment")
    if named == "client_confirms":
        return PaymentWish(client_confirms=True)
    if named == "payment_method_id":
        check_method_id(message.payment_method_id, noted)
        return PaymentWish(method_id=message.payment_method_id)
    return PaymentWish()


def read_states(numbers: Iterable[int], noted: Problems) -> frozenset[HireState]:
    """Read the states that a list is asked for, noting every unknown one."""
    states = set()
    for index, number in enumerate(_some("states", numbers, noted)):
        if noted.require(number in _STATES, f"states[{index}]", "is not a known state"):
            states.add(_STATES[number])
    return frozenset(states)


def read_waits_on(numbers: Iterable[int], noted: Problems) -> frozenset[WaitsOn]:
    """Read on whom the wanted hires wait, noting every unknown party."""
    parties = set()
    for index, number in enumerate(_some("waits_on", numbers, noted)):
        if noted.require(number in _WAITS_ON, f"waits_on[{index}]", "is nobody known"):
            parties.add(_WAITS_ON[number])
    return frozenset(parties)


def _some(field: str, numbers: "Iterable[int]", noted: Problems) -> list[int]:
    asked = list(numbers)
    noted.require(len(asked) <= _LIST_LIMIT, field, f"must have at most {_LIST_LIMIT} entries")
    return asked[:_LIST_LIMIT]


def check_reason(reason: str, noted: Problems) -> None:
    """Note a reason that is not a word: text of people has no place in the story."""
    must = "must have 1 to 64 letters, digits and underscores"
    noted.require(_REASON.fullmatch(reason), "reason", must)


def patience_of(longest: float) -> float:
    """Tell how many seconds the caller may be kept waiting for something to tell."""
    left = remaining_deadline()
    return longest if left is None else max(0.0, min(longest, left - _MARGIN_SECONDS))


def check_method_id(identifier: str, noted: Problems) -> None:
    """Note a payment method's id that cannot be one."""
    sound = 0 < len(identifier) <= METHOD_ID_LIMIT and identifier.isascii()
    must = f"must have 1 to {METHOD_ID_LIMIT} letters, digits or underscores"
    noted.require(sound and identifier.replace("_", "").isalnum(), "payment_method_id", must)


def _read_date(message: hire_pb2.MilestoneTerms, noted: Problems) -> date | None:
    if not message.HasField("due_date"):
        return None
    given = message.due_date
    try:
        return date(given.year, given.month, given.day)
    except ValueError:
        noted.add("milestone.due_date", "is no day of the calendar")
        return None


def _milestone(terms: HireTerms) -> hire_pb2.MilestoneTerms:
    agreed = terms.terms
    due = agreed.due_date
    return hire_pb2.MilestoneTerms(
        name=agreed.name,
        scope=agreed.scope,
        amount=money_pb2.Money(
            minor_units=agreed.totals.amount, currency_code=agreed.totals.currency
        ),
        due_date=date_pb2.Date(year=due.year, month=due.month, day=due.day) if due else None,
    )


def _stage(stage: Stage) -> "hire_pb2.HireStage.ValueType":
    return hire_pb2.HireStage.Value(f"HIRE_STAGE_{stage}")


def _waiting_for(waiting: WaitingFor | None) -> "hire_pb2.HireWaitingFor.ValueType":
    return hire_pb2.HireWaitingFor.Value(f"HIRE_WAITING_FOR_{waiting or 'UNSPECIFIED'}")


def _actor(actor: Actor) -> actor_pb2.Actor:
    return actor_pb2.Actor(kind=actor_pb2.ActorKind.Value(f"ACTOR_KIND_{actor.kind}"), id=actor.id)


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
