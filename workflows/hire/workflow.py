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
    HIRE_STAGE,
    WORKFLOW_ACTOR,
    Actor,
    CancelOrder,
    HireInput,
    HireResult,
    Stage,
    TermsOffer,
    hire_workflow_id,
    thread_id_of,
)
from workflows.hire.machine import Overruled, never, reason_of
from workflows.hire.steering import SteeredHire
from workflows.hire.steps import Activity, In, Out, PaymentOutcome
from workflows.payments.funding import Collected, Funding, Stop


class Undone(Exception):
    """The hire cannot go on; everything it did is to be undone."""

    def __init__(
        self, reason: str, actor: Actor = WORKFLOW_ACTOR, *, refunded: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.actor = actor
        self.refunded = refunded


@workflow.defn(name="HireWorkflow")
class HireWorkflow(SteeredHire):
    """One hire of one proposal, from the reservation to HIRED, or undone."""

    @workflow.init
    def __init__(self, hire: HireInput) -> None:
        super().__init__(hire)
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
        self._thread_id = thread_id_of(self._contract_id)
        self._compensations: list[Callable[[Undone], Awaitable[None]]] = []

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
            raise self._ended_undone(end) from end
        # The pivot: the money is there. From here the hire only goes forward, or an operator
        # refunds it in full.
        thread_id = ""
        try:
            await self._activate_contract(payment)
            thread_id = await self._open_thread()
            await self._complete()
        except Overruled:
            refunded = await self._refund_in_full(payment)
            if refunded is not None:
                raise self._ended_undone(refunded) from refunded
        self._show_ended()
        return HireResult(
            hire_id=hire.hire_id,
            contract_id=self._contract_id,
            milestone_id=self._milestone_id,
            charge_id=payment.charge_id or "",
            thread_id=thread_id,
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

    async def _release(self, end: Undone, contract_id: str = "") -> None:
        await self.insist(
            steps.RELEASE,
            steps.ReleaseInput(
                step=self.next_step(end.actor, end.reason),
                key=f"{self._key}:release",
                proposal_id=self._hire.proposal_id,
                job_id=self._hire.job_id,
                end_reason=end.reason,
                refunded=end.refunded,
                contract_id=contract_id,
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
            await self._refund_late_charge(collected.outcome, funding.order)
            raise Undone("HIRE_CANCELLED", self._cancel.actor, refunded=True)
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

    async def _refund_late_charge(self, paid: PaymentOutcome, order: steps.FundingOrder) -> None:
        self._enter(Stage.UNDOING, "refunding a charge that came after the cancel")
        refund = await self._give_back(paid, order, "HIRE_CANCELLED")
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

    async def _give_back(
        self, paid: PaymentOutcome, order: steps.FundingOrder, reason: str
    ) -> steps.RefundOutcome:
        refund_id = str(workflow.uuid4())
        return await self.insist(
            steps.REFUND_PAYMENT,
            steps.RefundInput(
                step=self.next_step(reason=reason),
                key=f"refund:{refund_id}",
                order=order,
                refund_id=refund_id,
                charge_id=paid.charge_id or "",
            ),
        )

    async def _supersede(self, offer: TermsOffer) -> None:
        self._terms = offer
        await self._own(steps.AMEND_CONTRACT, self._contract_input("amend", offer.actor))

    async def _activate_contract(self, payment: PaymentOutcome) -> None:
        told = "booking the charge, activating the contract"
        self._enter(Stage.CONTRACT_ACTIVATION, told, "refund_in_full")
        # Paid, and not yet through: an operator's list of such hires begins here.
        workflow.upsert_search_attributes([HIRE_STAGE.value_set(self._stage)])
        await self._forward(
            steps.ACTIVATE_CONTRACT,
            steps.ActivateInput(
                step=self.next_step(),
                key=f"{self._key}:{self._terms.revision}:activate",
                order=self._funded,
                intent_id=payment.intent_id or "",
                charge_id=payment.charge_id or "",
            ),
        )

    async def _open_thread(self) -> str:
        """Open the job thread; answer its id, or nothing where an operator skips it."""
        told = "opening the job thread"
        self._enter(Stage.THREAD_CREATION, told, "skip_thread", "refund_in_full")
        thread = steps.OpenThreadInput(
            step=self.next_step(),
            key=f"{self._key}:thread",
            thread_id=self._thread_id,
            organisation_id=self._hire.organisation_id,
            job_id=self._hire.job_id,
            proposal_id=self._hire.proposal_id,
            contract_id=self._contract_id,
            trainer_id=self._hire.trainer_id,
        )
        try:
            await self._forward(steps.OPEN_THREAD, thread, skip=lambda: self._skip is not None)
        except Overruled:
            if self._refund or self._skip is None:
                raise
            await self.note(self._skip, "thread_skipped")
            return ""
        return self._thread_id

    async def _complete(self) -> None:
        told = "marking the proposal hired, filling the position"
        self._enter(Stage.COMPLETION, told, "refund_in_full")
        await self._forward(
            steps.COMPLETE_HIRE,
            steps.CompleteInput(
                step=self.next_step(),
                key=f"{self._key}:complete",
                proposal_id=self._hire.proposal_id,
                job_id=self._hire.job_id,
                contract_id=self._contract_id,
            ),
        )

    async def _refund_in_full(self, payment: PaymentOutcome) -> Undone | None:
        """Undo what is paid, on an operator's word, whatever of the last steps was done.

        Answers nothing, and undoes nothing, where the hire's last step overtook the order: it is
        HIRED. A try of another step that timed out may still be running. What it does later is
        refused: the contract's booking and the tombstones of position and proposal decide.
        """
        order = self._refund
        self._enter(Stage.UNDOING, "refunding in full, on an operator's word")
        workflow.upsert_search_attributes([HIRE_STAGE.value_set(self._stage)])
        if order is None or not await self.note(order, "refund_ordered"):
            return None
        end = Undone("HIRE_REFUNDED", order.actor, refunded=True)
        refund = await self._give_back(payment, self._funded, end.reason)
        await self.insist(
            steps.REFUND_CONTRACT,
            steps.RefundContractInput(
                step=self.next_step(reason=end.reason),
                key=f"{self._key}:refund_contract",
                order=self._funded,
                intent_id=payment.intent_id or "",
                charge_id=payment.charge_id or "",
                provider_refund_id=refund.provider_id,
                end_reason=end.reason,
            ),
        )
        await self._release(end, self._contract_id)
        return end

    async def _undo(self, end: Undone) -> None:
        """Undo in reverse; every intent is final already, read from the provider."""
        self._enter(Stage.UNDOING, f"undoing: {end.reason}")
        while self._compensations:
            await self._compensations.pop()(end)

    # What the story says of itself.

    async def _own(self, activity: Activity[In, Out], given: In) -> Out:
        """Run a step of ours before the pivot; a refusal or a passed deadline undoes the hire."""
        try:
            return await self.attempt(activity, given, steps.OWN, self._hire.policy.stage_deadline)
        except ActivityError as error:
            raise Undone(reason_of(error)) from error

    async def _forward(
        self, activity: Activity[In, Out], given: In, skip: Callable[[], bool] = never
    ) -> Out:
        """Run a step past the pivot until it succeeds, or an operator ends its tries: Overruled."""
        return await self.insist(activity, given, lambda: self._refund is not None or skip())

    @property
    def _funded(self) -> steps.FundingOrder:
        if self._funding is None:  # the funding stands before the pivot, always
            raise AssertionError("paid without a funding")
        return self._funding.order

    def _ended_undone(self, end: Undone) -> ApplicationError:
        self._show_ended()
        message = f"hire {self._hire.hire_id} ended undone"
        return ApplicationError(message, type=end.reason, non_retryable=True)

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
            raise Undone("HIRE_CANCELLED", self._cancel.actor)
