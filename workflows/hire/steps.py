"""The activities of a hire: their names, what goes in and what comes out. No I/O.

Every activity ends with one local transaction that writes the hire's step, whose number the
workflow gives, and its event; a repeat under the same number changes nothing. The workflow
imports these signatures and never the implementations.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from temporalio.common import RetryPolicy

from workflows.hire.contract import WORKFLOW_ACTOR, Actor, HireTotals, Model


class StepRef(Model):
    """Which step of which hire an activity writes, and who caused it."""

    hire_id: str
    number: int
    actor: Actor = WORKFLOW_ACTOR
    reason: str | None = None


class StepInput(Model):
    """What every activity of a hire is given: `key` derives its idempotency keys."""

    step: StepRef
    key: str


In = TypeVar("In", bound=StepInput)
Out = TypeVar("Out", bound=Model | None)


@dataclass(frozen=True)
class Activity(Generic[In, Out]):
    """The signature of one activity: its name, its types, and what operators read of it.

    `asks_provider` is whether one try may take as long as the payment provider takes.
    """

    name: str
    takes: type[In]
    gives: type[Out]
    summary: str
    asks_provider: bool = False


@dataclass(frozen=True)
class Timing:
    """How long one try may take, and how tries follow each other."""

    start_to_close: timedelta
    retry: RetryPolicy


SILENCE = timedelta(seconds=5)
"""Every try beats, and is given up so soon after its worker died: an employer still waits then."""
OWN = Timing(
    timedelta(seconds=8),
    RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        backoff_coefficient=2,
        maximum_interval=timedelta(seconds=10),
    ),
)
STRIPE = Timing(
    timedelta(seconds=40),
    RetryPolicy(
        initial_interval=timedelta(milliseconds=500),
        backoff_coefficient=2,
        maximum_interval=timedelta(seconds=30),
    ),
)
# Past the pivot, and while undoing, tries never end.
FORWARD = Timing(
    OWN.start_to_close,
    RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        backoff_coefficient=2,
        maximum_interval=timedelta(seconds=60),
    ),
)
FORWARD_AT_PROVIDER = Timing(STRIPE.start_to_close, FORWARD.retry)


class ReserveInput(StepInput):
    """Reserve the proposal, then a position of its job."""

    proposal_id: str
    job_id: str
    organisation_id: str
    confirm_declined: bool


class ContractInput(StepInput):
    """Create or amend the PENDING contract with the terms of one revision."""

    revision: int
    contract_id: str
    milestone_id: str
    organisation_id: str
    trainer_id: str
    job_id: str
    proposal_id: str
    totals: HireTotals


class FundingOrder(Model):
    """What is charged, frozen in a row before the provider hears of it."""

    funding_id: str
    revision: int
    contract_id: str
    milestone_id: str
    organisation_id: str
    customer_id: str
    workflow_id: str
    env: str
    totals: HireTotals


class PaymentStatus(StrEnum):
    """How a funding stands after the provider was asked."""

    PAID = "PAID"
    ACTION_NEEDED = "ACTION_NEEDED"
    DECLINED = "DECLINED"
    PROCESSING = "PROCESSING"
    CANCELED = "CANCELED"


class PaymentOutcome(Model):
    """The answer to taking, reading or settling a payment."""

    status: PaymentStatus
    intent_id: str | None = None
    charge_id: str | None = None
    decline_code: str | None = None


class TakePaymentInput(StepInput):
    """Create the funding's intent if it has none, and confirm it if a method is given.

    No try confirms after `confirm_until`, however late it runs.
    """

    order: FundingOrder
    attempt: int
    method_id: str | None
    confirm_until: datetime
    deadline: datetime


class ReadPaymentInput(StepInput):
    """Read the funding's intent; a step is written only if it differs from what is known."""

    order: FundingOrder
    known: PaymentOutcome
    deadline: datetime


class SettlePaymentInput(StepInput):
    """Make the funding's intent final: CANCELED, or PAID, or still PROCESSING."""

    order: FundingOrder


class RefundInput(StepInput):
    """Refund a charge in full."""

    order: FundingOrder
    refund_id: str
    charge_id: str


class RefundOutcome(Model):
    """The provider's refund."""

    provider_id: str


class RecordRefundInput(StepInput):
    """Book a charge that came too late and its refund."""

    order: FundingOrder
    intent_id: str
    charge_id: str
    provider_refund_id: str


class RefundContractInput(RecordRefundInput):
    """Book a full refund, whatever the contract made of the charge, and close the contract."""

    end_reason: str


class CancelContractInput(StepInput):
    """Cancel the PENDING contract, or remember that it must not be created."""

    contract_id: str
    end_reason: str


class ReleaseInput(StepInput):
    """Let the proposal and the position go, and end the hire undone."""

    proposal_id: str
    job_id: str
    end_reason: str
    refunded: bool
    # The contract that took them, once its money is given back.
    contract_id: str = ""


class ActivateInput(StepInput):
    """Book the charge, activate the contract, issue the invoice."""

    order: FundingOrder
    intent_id: str
    charge_id: str


class OpenThreadInput(StepInput):
    """Open the contract's job thread."""

    thread_id: str
    organisation_id: str
    job_id: str
    proposal_id: str
    contract_id: str
    trainer_id: str


class CompleteInput(StepInput):
    """Mark the proposal hired and fill the position."""

    proposal_id: str
    job_id: str
    contract_id: str


class BlockInput(StepInput):
    """Record that the hire waits for an operator."""

    stage: str


class OrderInput(StepInput):
    """Record an operator's order; `what` names it in the story."""

    stage: str
    what: str


class OrderOutcome(Model):
    """Whether the order was taken: a hire that ended before takes none."""

    taken: bool


class ExtendDeadlineInput(StepInput):
    """Record that the client has until then to pay; nothing else changes."""

    order: FundingOrder
    known: PaymentOutcome
    deadline: datetime


class RefuseTermsInput(StepInput):
    """Record that offered terms are refused: the payment under the former ones succeeded."""

    revision: int


class TakeOverInput(StepInput):
    """Take an abandoned hire over from its dead run, whose late writes count no more."""


class LeftFunding(Model):
    """A funding that an abandoned hire left.

    `charge` is what the provider is known to have charged; None where only it can tell.
    """

    order: FundingOrder
    charge: PaymentOutcome | None = None


class TakenOver(Model):
    """What an abandoned hire left.

    Attributes:
        ended: it had ended by itself; there is nothing to do.
        trainer_id: whom it hires, where it only goes forward: the contract is active, and nobody
            had begun to undo it. None: what it left is undone.
        active: what is undone has a contract that was active already.
        contract_id: the contract it made or was about to make, if it came so far.
        fundings: what may have been charged.

    """

    ended: bool = False
    trainer_id: str | None = None
    active: bool = False
    contract_id: str | None = None
    fundings: tuple[LeftFunding, ...] = ()


RESERVE = Activity("reserve", ReserveInput, type(None), "Reserve the proposal and a position")
CREATE_CONTRACT = Activity(
    "create_contract", ContractInput, type(None), "Create the contract and its first milestone"
)
AMEND_CONTRACT = Activity(
    "amend_contract", ContractInput, type(None), "Replace the terms of the unpaid contract"
)
TAKE_PAYMENT = Activity(
    "take_payment",
    TakePaymentInput,
    PaymentOutcome,
    "Charge the employer through Stripe",
    asks_provider=True,
)
READ_PAYMENT = Activity(
    "read_payment",
    ReadPaymentInput,
    PaymentOutcome,
    "Ask Stripe how the payment stands",
    asks_provider=True,
)
SETTLE_PAYMENT = Activity(
    "settle_payment",
    SettlePaymentInput,
    PaymentOutcome,
    "Make the payment final at Stripe",
    asks_provider=True,
)
REFUND_PAYMENT = Activity(
    "refund_payment", RefundInput, RefundOutcome, "Refund the charge in full", asks_provider=True
)
RECORD_REFUNDED_CHARGE = Activity(
    "record_refunded_charge",
    RecordRefundInput,
    type(None),
    "Book the charge and its refund",
)
CANCEL_CONTRACT = Activity(
    "cancel_contract", CancelContractInput, type(None), "Cancel the unfunded contract"
)
RELEASE = Activity(
    "release", ReleaseInput, type(None), "Release the proposal and the position; end undone"
)
ACTIVATE_CONTRACT = Activity(
    "activate_contract", ActivateInput, type(None), "Book the charge and activate the contract"
)
OPEN_THREAD = Activity("open_thread", OpenThreadInput, type(None), "Open the job thread")
COMPLETE_HIRE = Activity(
    "complete_hire", CompleteInput, type(None), "Mark the proposal hired, fill the position"
)
BLOCK = Activity("block", BlockInput, type(None), "Record that an operator is needed")
REFUSE_TERMS = Activity(
    "refuse_terms", RefuseTermsInput, type(None), "Refuse other terms: the first are paid"
)
TAKE_OVER = Activity(
    "take_over", TakeOverInput, TakenOver, "Take the abandoned hire over and see what it left"
)
NOTE_ORDER = Activity("note_order", OrderInput, OrderOutcome, "Record the operator's order")
EXTEND_DEADLINE = Activity(
    "extend_deadline", ExtendDeadlineInput, type(None), "Give the client more time to pay"
)
REFUND_CONTRACT = Activity(
    "refund_contract", RefundContractInput, type(None), "Book the refund and close the contract"
)
