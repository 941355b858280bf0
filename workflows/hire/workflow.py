"""The story of a hire, told in the mission's order.

`run` is the thin shell around it: Temporal's cancel becomes the story's own flag, and the run ends
only when every update was answered. The pivot is the provider's `succeeded`: before it the story
undoes what it did, in reverse; after it the story only goes forward.
"""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.hire import steps
from workflows.hire.contract import (
    WORKFLOW_ACTOR,
    Actor,
    CancelOrder,
    HireInput,
    HireResult,
    OperatorRetry,
    PaymentHint,
    PaymentRetry,
    Stage,
    TermsOffer,
    hire_workflow_id,
)
from workflows.hire.machine import StepMachine, reason_of
from workflows.hire.steps import Activity, In, Out, PaymentOutcome
from workflows.payments.funding import Collected, Funding, Stop


class Undone(Exception):
    """The hire cannot go on; everything it did is to be undone."""

    def __init__(self, reason: str, *, refunded: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.refunded = refunded


def _refuse(reason: str, message: str) -> ApplicationError:
    return ApplicationError(message, type=reason, non_retryable=True)


@workflow.defn(name="HireWorkflow")
class HireWorkflow(StepMachine):
    """One hire of one proposal, from the reservation to HIRED, or undone."""

    @workflow.init
    def __init__(self, hire: HireInput) -> None:
        # Step 1 is the request itself, written when the hire was asked for.
        super().__init__(hire, Stage.PROPOSAL_REVIEW, reached=1)
        self._hire = hire
        self._terms = TermsOffer(
            revision=1,
            totals=hire.totals,
            payment=hire.payment,
            requested_at=hire.requested_at,
            confirm_declined=hire.confirm_declined,
            actor=WORKFLOW_ACTOR,
        )
        self._contract_id = str(workflow.uuid4())
        self._milestone_id = str(workflow.uuid4())
        self._thread_id = str(workflow.uuid4())
        self._compensations: list[Callable[[Undone], Awaitable[None]]] = []
        self._funding: Funding | None = None
        self._offers: list[TermsOffer] = []
        self._offered = 1
        self._cancel: CancelOrder | None = None
        self._paid = False

    @workflow.run
    async def run(self, hire: HireInput) -> HireResult:
        """Run the story to its end, whoever cancels; answer every update before ending."""
        story = asyncio.create_task(self._story(hire))
        while not story.done():
            try:
                await asyncio.shield(story)
            except asyncio.CancelledError:
                # Temporal's cancel is the same wish as CancelHire, honoured at the same points.
                self._cancel = self._cancel or CancelOrder(reason="", actor=WORKFLOW_ACTOR)
            except ApplicationError:
                break
        await workflow.wait_condition(workflow.all_handlers_finished)
        return story.result()

    async def _story(self, hire: HireInput) -> HireResult:
        try:
            await self._reserve()
            await self._create_contract()
            payment = await self._collect_payment()
        except Undone as end:
            await self._undo(end)
            self._show_ended()
            message = f"hire {hire.hire_id} ended undone"
            raise ApplicationError(message, type=end.reason, non_retryable=True) from end
        # The pivot: the money is there. From here the hire only goes forward.
        await self._activate_contract(payment)
        await self._open_thread()
        await self._complete()
        self._show_ended()
        return HireResult(
            hire_id=hire.hire_id,
            contract_id=self._contract_id,
            milestone_id=self._milestone_id,
            charge_id=payment.charge_id or "",
            thread_id=self._thread_id,
        )

    # The stages, each with its compensation beside it.

    async def _reserve(self) -> None:
        self._enter(Stage.PROPOSAL_REVIEW, "reserving the proposal and a position")
        self._compensations.append(self._release)
        await self._own(
            steps.RESERVE,
            steps.ReserveInput(
                step=self.next_step(),
                key=f"{self._key}:reserve",
                proposal_id=self._hire.proposal_id,
                job_id=self._hire.job_id,
                organisation_id=self._hire.organisation_id,
                confirm_declined=self._hire.confirm_declined,
            ),
        )

    async def _release(self, end: Undone) -> None:
        actor = self._cancel.actor if self._cancel else WORKFLOW_ACTOR
        await self.insist(
            steps.RELEASE,
            steps.ReleaseInput(
                step=self.next_step(actor, end.reason),
                key=f"{self._key}:release",
                proposal_id=self._hire.proposal_id,
                job_id=self._hire.job_id,
                end_reason=end.reason,
                refunded=end.refunded,
            ),
        )

    async def _create_contract(self) -> None:
        self._stop_if_cancelled()
        self._enter(Stage.CONTRACT_CREATION, "creating the contract and its first milestone")
        self._compensations.append(self._cancel_contract)
        await self._own(steps.CREATE_CONTRACT, self._contract_input("contract", WORKFLOW_ACTOR))

    async def _cancel_contract(self, end: Undone) -> None:
        await self.insist(
            steps.CANCEL_CONTRACT,
            steps.CancelContractInput(
                step=self.next_step(reason=end.reason),
                key=f"{self._key}:cancel_contract",
                contract_id=self._contract_id,
                end_reason=end.reason,
            ),
        )

    async def _collect_payment(self) -> PaymentOutcome:
        """Collect the money of the present terms; other terms start over while nothing is paid."""
        self._enter(Stage.FUNDING, "charging the employer through Stripe")
        while True:
            self._stop_if_cancelled()
            while self._offers:
                await self._supersede(self._offers.pop(0))
            self._funding = self._new_funding()
            collected = await self._funding.collect()
            if collected.paid:
                return await self._paid_or_refunded(collected, self._funding)
            self._stop_if_cancelled()
            if collected.stopped is not Stop.INTERRUPTED:
                raise Undone((collected.stopped or Stop.EXPIRED).value)

    async def _paid_or_refunded(self, collected: Collected, funding: Funding) -> PaymentOutcome:
        self._paid = True
        if self._cancel:
            await self._refund(collected.outcome, funding.order)
            raise Undone("HIRE_CANCELLED", refunded=True)
        for offer in self._offers:
            await self.insist(
                steps.REFUSE_TERMS,
                steps.RefuseTermsInput(
                    step=self.next_step(offer.actor, "PAYMENT_ALREADY_SUCCEEDED"),
                    key=self._key,
                    revision=offer.revision,
                ),
            )
        return collected.outcome

    async def _refund(self, paid: PaymentOutcome, order: steps.FundingOrder) -> None:
        self._enter(Stage.UNDOING, "refunding a charge that came after the cancel")
        refund_id = str(workflow.uuid4())
        refund = await self.insist(
            steps.REFUND_PAYMENT,
            steps.RefundInput(
                step=self.next_step(reason="HIRE_CANCELLED"),
                key=f"refund:{refund_id}",
                order=order,
                refund_id=refund_id,
                charge_id=paid.charge_id or "",
            ),
        )
        await self.insist(
            steps.RECORD_REFUNDED_CHARGE,
            steps.RecordRefundInput(
                step=self.next_step(reason="HIRE_CANCELLED"),
                key=f"{self._key}:refunded",
                order=order,
                intent_id=paid.intent_id or "",
                charge_id=paid.charge_id or "",
                provider_refund_id=refund.provider_id,
            ),
        )

    async def _supersede(self, offer: TermsOffer) -> None:
        self._terms = offer
        await self._own(steps.AMEND_CONTRACT, self._contract_input("amend", offer.actor))

    async def _activate_contract(self, payment: PaymentOutcome) -> None:
        self._enter(Stage.CONTRACT_ACTIVATION, "booking the charge, activating the contract")
        funding = self._funding
        if funding is None:  # the funding stands before the pivot, always
            raise AssertionError("activated without a funding")
        await self.insist(
            steps.ACTIVATE_CONTRACT,
            steps.ActivateInput(
                step=self.next_step(),
                key=f"{self._key}:{self._terms.revision}:activate",
                order=funding.order,
                intent_id=payment.intent_id or "",
                charge_id=payment.charge_id or "",
            ),
        )

    async def _open_thread(self) -> None:
        self._enter(Stage.THREAD_CREATION, "opening the job thread")
        await self.insist(
            steps.OPEN_THREAD,
            steps.OpenThreadInput(
                step=self.next_step(),
                key=f"{self._key}:thread",
                thread_id=self._thread_id,
                organisation_id=self._hire.organisation_id,
                job_id=self._hire.job_id,
                proposal_id=self._hire.proposal_id,
                contract_id=self._contract_id,
                trainer_id=self._hire.trainer_id,
            ),
        )

    async def _complete(self) -> None:
        self._enter(Stage.COMPLETION, "marking the proposal hired, filling the position")
        await self.insist(
            steps.COMPLETE_HIRE,
            steps.CompleteInput(
                step=self.next_step(),
                key=f"{self._key}:complete",
                proposal_id=self._hire.proposal_id,
                job_id=self._hire.job_id,
                contract_id=self._contract_id,
            ),
        )

    async def _undo(self, end: Undone) -> None:
        """Undo in reverse; every intent is final already, read from the provider."""
        self._enter(Stage.UNDOING, f"undoing: {end.reason}")
        while self._compensations:
            await self._compensations.pop()(end)

    # What a person, an operator or the provider may say meanwhile.

    @workflow.signal
    def payment_hint(self, _hint: PaymentHint) -> None:
        """Something happened to an intent; the funding reads it."""
        if self._funding is not None:
            self._funding.hint()

    @workflow.update
    def offer_terms(self, offer: TermsOffer, /) -> None:
        """Offer other terms; the verdict appears on the hire."""
        self._offered = offer.revision
        self._offers.append(offer)

    @offer_terms.validator
    def _may_offer_terms(self, offer: TermsOffer, /) -> None:
        if self._paid:
            raise _refuse("PAYMENT_ALREADY_SUCCEEDED", "the first terms are paid")
        if self._cancel or self._stage is Stage.UNDOING:
            raise _refuse("HIRE_ENDING", "the hire is being undone")
        if offer.revision <= self._offered:
            raise _refuse("CONFLICT", "newer terms were offered meanwhile")

    @workflow.update
    def retry_payment(self, retry: PaymentRetry, /) -> None:
        """Try the payment again with another method, or let the client confirm."""
        if self._funding is not None:
            self._funding.retry(retry.payment, retry.actor)

    @retry_payment.validator
    def _may_retry_payment(self, _retry: PaymentRetry, /) -> None:
        if self._paid:
            raise _refuse("PAYMENT_NOT_EXPECTED", "the hire is paid")
        if self._cancel or self._stage is Stage.UNDOING:
            raise _refuse("HIRE_ENDING", "the hire is being undone")
        if self._funding is None:
            raise _refuse("PAYMENT_NOT_EXPECTED", "the hire does not wait for a payment yet")
        if self._funding.attempt_in_flight:
            raise _refuse("PAYMENT_IN_PROGRESS", "a payment attempt is in flight")

    @workflow.update
    def cancel_hire(self, order: CancelOrder, /) -> None:
        """Cancel before the pivot; the story honours it at its next named point."""
        self._cancel = self._cancel or order

    @cancel_hire.validator
    def _may_cancel(self, _order: CancelOrder, /) -> None:
        if self._cancel:
            return
        if self._stage is Stage.UNDOING:
            raise _refuse("HIRE_ENDING", "the hire is being undone for another reason")
        if self._paid:
            raise _refuse("PAST_PIVOT", "the payment succeeded; the hire only goes forward")

    @workflow.update
    def retry_step(self, _order: OperatorRetry) -> None:
        """Try a blocked step again now, on an operator's word."""
        self._operator_retries += 1

    @retry_step.validator
    def _may_retry_step(self, _order: OperatorRetry) -> None:
        if not self._blocked:
            raise _refuse("WRONG_STATE", "the hire is not blocked")

    # What the story says of itself.

    async def _own(self, activity: Activity[In, Out], given: In) -> Out:
        """Run a step of ours before the pivot; a refusal or a passed deadline undoes the hire."""
        try:
            return await self.attempt(activity, given, steps.OWN, self._hire.policy.stage_deadline)
        except ActivityError as error:
            raise Undone(reason_of(error)) from error

    def _contract_input(self, verb: str, actor: Actor) -> steps.ContractInput:
        return steps.ContractInput(
            step=self.next_step(actor),
            key=f"{self._key}:{self._terms.revision}:{verb}",
            revision=self._terms.revision,
            contract_id=self._contract_id,
            milestone_id=self._milestone_id,
            organisation_id=self._hire.organisation_id,
            trainer_id=self._hire.trainer_id,
            job_id=self._hire.job_id,
            proposal_id=self._hire.proposal_id,
            totals=self._terms.totals,
        )

    def _new_funding(self) -> Funding:
        order = steps.FundingOrder(
            funding_id=str(workflow.uuid4()),
            revision=self._terms.revision,
            contract_id=self._contract_id,
            milestone_id=self._milestone_id,
            organisation_id=self._hire.organisation_id,
            customer_id=self._hire.customer_id,
            workflow_id=hire_workflow_id(self._hire.proposal_id),
            env=self._hire.env,
            totals=self._terms.totals,
        )
        return Funding(
            runner=self,
            order=order,
            payment=self._terms.payment,
            requested_at=self._terms.requested_at,
            policy=self._hire.policy,
            interrupted=lambda: self._cancel is not None or bool(self._offers),
        )

    def _stop_if_cancelled(self) -> None:
        if self._cancel:
            raise Undone("HIRE_CANCELLED")
