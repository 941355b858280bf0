"""The steps that concern money at the provider: take, read, settle, refund.

Each asks the provider again before it repeats a write whose outcome it does not know: a key lives
24 hours and a stored 5xx answer is replayed under it, while a list by customer and metadata tells
what exists.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.hire import steps
from workflows.hire.contract import Stage
from workflows.hire.failures import told
from workflows.hire.steps import PaymentOutcome, PaymentStatus
from workflows.hiring.domain import (
    Funding,
    FundingChange,
    FundingDraft,
    FundingState,
    HireChanges,
    RefundDraft,
    StepRecord,
    WaitingFor,
)
from workflows.hiring.use_cases.fundings import (
    close_unsent_funding,
    freeze_funding,
    note_create_failed,
    note_create_sent,
    save_intent,
)
from workflows.hiring.use_cases.steps import Hiring, record_step
from workflows.payments.gateway import (
    Intent,
    IntentOrder,
    Intents,
    IntentStatus,
    Refunds,
    ServerFailed,
)
from workflows.payments.refunding import give_back

WAITS = {
    PaymentStatus.PAID: None,
    PaymentStatus.ACTION_NEEDED: WaitingFor.CLIENT_CONFIRMATION,
    PaymentStatus.DECLINED: WaitingFor.PAYMENT_METHOD,
    PaymentStatus.PROCESSING: WaitingFor.BANK,
    PaymentStatus.CANCELED: WaitingFor.PAYMENT_METHOD,
}
CONFIRMABLE = {
    IntentStatus.NEEDS_METHOD,
    IntentStatus.NEEDS_CONFIRMATION,
    IntentStatus.NEEDS_ACTION,
}


class PaymentActivities:
    """Charging and giving back, through the payment ports."""

    def __init__(self, hiring: Hiring, intents: Intents, refunds: Refunds) -> None:
        self._hiring = hiring
        self._intents = intents
        self._refunds = refunds

    def all(self) -> list[Callable[..., Any]]:
        """List the activities, for the worker."""
        return [
            self.take_payment,
            self.read_payment,
            self.extend_deadline,
            self.settle_payment,
            self.refund_payment,
        ]

    @activity.defn(name=steps.TAKE_PAYMENT.name)
    async def take_payment(self, given: steps.TakePaymentInput) -> PaymentOutcome:
        """Create the intent unconfirmed, save its id, confirm it if a method is given."""
        with told():
            funding = await freeze_funding(self._hiring, _draft(given.order, given.step))
            intent = await self._intent_of(given, funding)
            expected = self._hiring.clock() <= given.confirm_until
            if given.method_id and expected and intent.status in CONFIRMABLE:
                key = f"{given.key}:confirm:{given.attempt}"
                intent = await self._intents.confirm(intent.intent_id, given.method_id, key)
        outcome = _outcome(intent, given.order)
        await self._record(given, outcome, f"payment_{outcome.status.lower()}", given.deadline)
        return outcome

    @activity.defn(name=steps.READ_PAYMENT.name)
    async def read_payment(self, given: steps.ReadPaymentInput) -> PaymentOutcome:
        """Read the intent; write a step only if it differs from what the workflow knows."""
        with told():
            intent = await self._intents.read(given.known.intent_id or "")
        outcome = _outcome(intent, given.order)
        if outcome != given.known:
            await self._record(given, outcome, f"payment_{outcome.status.lower()}", given.deadline)
        return outcome

    @activity.defn(name=steps.EXTEND_DEADLINE.name)
    async def extend_deadline(self, given: steps.ExtendDeadlineInput) -> None:
        """Record that the payment is waited for longer, as it stood."""
        await self._record(given, given.known, "deadline_extended", given.deadline)

    @activity.defn(name=steps.SETTLE_PAYMENT.name)
    async def settle_payment(self, given: steps.SettlePaymentInput) -> PaymentOutcome:
        """Make the intent final. A create of unknown outcome is replayed and then cancelled."""
        with told():
            funding = await close_unsent_funding(self._hiring, _draft(given.order, given.step))
            if funding.state is FundingState.CANCELED and funding.intent_id is None:
                outcome = PaymentOutcome(status=PaymentStatus.CANCELED)
            else:
                found = await self._intent_of(given, funding)
                outcome = _outcome(await self._intents.cancel(found.intent_id), given.order)
        await self._record(given, outcome, f"payment_settled_{outcome.status.lower()}", None)
        return outcome

    @activity.defn(name=steps.REFUND_PAYMENT.name)
    async def refund_payment(self, given: steps.RefundInput) -> steps.RefundOutcome:
        """Refund the charge in full, once: the refund's row is its identity."""
        amount = given.order.totals.total
        draft = RefundDraft(given.refund_id, given.order.funding_id, given.charge_id, amount)
        with told():
            refund = await give_back(self._hiring, self._refunds, draft)
        await self._write(
            StepRecord(
                hire_id=given.step.hire_id,
                number=given.step.number,
                stage=Stage.UNDOING,
                what="refunded",
                reason=given.step.reason,
                actor=given.step.actor,
                time=self._hiring.clock(),
                stripe_object_id=refund.provider_id,
                funding=FundingChange(given.order.funding_id, FundingState.REFUNDED),
            ),
        )
        return steps.RefundOutcome(provider_id=refund.provider_id)

    async def _intent_of(
        self, given: steps.TakePaymentInput | steps.SettlePaymentInput, funding: Funding
    ) -> Intent:
        if funding.intent_id is not None:
            return await self._intents.read(funding.intent_id)
        order = _intent_order(given.order)
        first_sent = await note_create_sent(self._hiring, funding.funding_id, self._hiring.clock())
        sent_before = funding.create_sent_at is not None
        intent = await self._intents.find(order, first_sent) if sent_before else None
        if intent is None:
            intent = await self._create(order, f"{given.key}:create", funding)
        await save_intent(self._hiring, funding.funding_id, intent.intent_id)
        return intent

    async def _create(self, order: IntentOrder, key: str, funding: Funding) -> Intent:
        """Create the intent; a failure of the provider's own is kept under its key for a day.

        So the next try, which looks for the intent first, goes under the next key. Should the
        failed create come to life after all, its intent stays unconfirmed: nobody is charged.
        """
        failed = funding.creates_failed
        try:
            return await self._intents.create(order, f"{key}:{failed}" if failed else key)
        except ServerFailed:
            await note_create_failed(self._hiring, funding)
            raise

    async def _write(self, record: StepRecord) -> None:
        with told():
            await record_step(self._hiring, record)

    async def _record(
        self,
        given: steps.TakePaymentInput
        | steps.ReadPaymentInput
        | steps.ExtendDeadlineInput
        | steps.SettlePaymentInput,
        outcome: PaymentOutcome,
        what: str,
        deadline: datetime | None,
    ) -> None:
        waits = WAITS[outcome.status] if deadline else None
        await self._write(
            StepRecord(
                hire_id=given.step.hire_id,
                number=given.step.number,
                stage=Stage.FUNDING,
                what=what,
                reason=given.step.reason,
                actor=given.step.actor,
                time=self._hiring.clock(),
                waiting_for=waits,
                wait_deadline=deadline if waits else None,
                stripe_object_id=outcome.intent_id,
                changes=HireChanges(
                    payment_intent_id=outcome.intent_id,
                    charge_id=outcome.charge_id if outcome.status is PaymentStatus.PAID else None,
                    funding_id=given.order.funding_id,
                    decline_code=outcome.decline_code or "",
                ),
                funding=_funding_change(given.order, outcome),
            ),
        )


def _outcome(intent: Intent, order: steps.FundingOrder) -> PaymentOutcome:
    if intent.status is IntentStatus.SUCCEEDED:
        _check_charge(intent, order)
    return PaymentOutcome(
        status=_status(intent),
        intent_id=intent.intent_id,
        charge_id=intent.charge_id,
        decline_code=intent.decline_code,
    )


def _status(intent: Intent) -> PaymentStatus:
    match intent.status:
        case IntentStatus.SUCCEEDED:
            return PaymentStatus.PAID
        case IntentStatus.CANCELED:
            return PaymentStatus.CANCELED
        case IntentStatus.PROCESSING:
            return PaymentStatus.PROCESSING
        case IntentStatus.NEEDS_METHOD if intent.decline_code:
            return PaymentStatus.DECLINED
        case _:
            return PaymentStatus.ACTION_NEEDED


def _check_charge(intent: Intent, order: steps.FundingOrder) -> None:
    charged = (intent.amount_received, intent.currency, intent.funding_id)
    agreed = (order.totals.total, order.totals.currency, order.funding_id)
    if charged != agreed:
        message = f"intent {intent.intent_id} charged {charged}, agreed was {agreed}"
        raise ApplicationError(message, type="CHARGE_MISMATCH", non_retryable=True)


def _draft(order: steps.FundingOrder, step: steps.StepRef) -> FundingDraft:
    return FundingDraft(
        funding_id=order.funding_id,
        hire_id=step.hire_id,
        milestone_id=order.milestone_id,
        contract_id=order.contract_id,
        organisation_id=order.organisation_id,
        workflow_id=order.workflow_id,
        revision=order.revision,
        customer_id=order.customer_id,
        amount=order.totals.total,
        currency=order.totals.currency,
    )


def _intent_order(order: steps.FundingOrder) -> IntentOrder:
    return IntentOrder(
        funding_id=order.funding_id,
        customer_id=order.customer_id,
        amount=order.totals.total,
        currency=order.totals.currency,
        env=order.env,
        workflow_id=order.workflow_id,
        transfer_group=order.contract_id,
    )


def _funding_change(order: steps.FundingOrder, outcome: PaymentOutcome) -> FundingChange | None:
    if outcome.status is PaymentStatus.PAID:
        return FundingChange(
            order.funding_id, FundingState.PAID, outcome.intent_id, outcome.charge_id
        )
    if outcome.status is PaymentStatus.CANCELED:
        return FundingChange(order.funding_id, FundingState.CANCELED, outcome.intent_id)
    return None
