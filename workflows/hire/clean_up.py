"""Ends a hire whose own run was terminated, by the same steps that the hire itself would take.

Its id is the lock: `clean-up/{hire_id}`. If it dies itself, the next sweep starts it again, and
every step finds what was done before. What is paid and active only goes forward, as in the hire's
own story; a refund in full that an operator had ordered is carried through.
"""

from itertools import chain, repeat

from temporalio import workflow

from workflows.hire import steps
from workflows.hire.contract import CleanUpInput, CleanUpResult, Stage, thread_id_of
from workflows.hire.machine import StepMachine
from workflows.hire.steps import FundingOrder, PaymentOutcome, PaymentStatus

TERMINATED = "HIRE_TERMINATED"


@workflow.defn(name="CleanUpWorkflow")
class CleanUpWorkflow(StepMachine):
    """Settle, refund and book, cancel the contract, release; or finish what is active."""

    @workflow.init
    def __init__(self, given: CleanUpInput) -> None:
        super().__init__(given, Stage.UNDOING, given.reached)
        self._given = given

    @workflow.run
    async def run(self, given: CleanUpInput) -> CleanUpResult:
        """Undo the hire, or finish it, or find that it had ended."""
        left = await self._take_over()
        refunded, hired = False, left.trainer_id is not None
        if left.trainer_id and left.contract_id:
            await self._open_thread(left.contract_id, left.trainer_id)
            await self._complete(left.contract_id)
        elif not left.ended:
            for funding in left.fundings:
                refunded |= await self._give_back(funding, active=left.active)
            if left.contract_id and not left.active:
                await self._cancel_contract(left.contract_id)
            await self._release(left.contract_id if left.active else None, refunded=refunded)
        self._show_ended()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return CleanUpResult(
            hire_id=given.hire_id,
            undone=not (left.ended or hired),
            hired=hired,
            refunded=refunded,
        )

    async def _take_over(self) -> steps.TakenOver:
        self._enter(Stage.UNDOING, "the hire's own run is over: seeing what it left")
        return await self.insist(
            steps.TAKE_OVER,
            steps.TakeOverInput(step=self.next_step(reason=TERMINATED), key=self._key),
        )

    async def _open_thread(self, contract_id: str, trainer_id: str) -> None:
        self._enter(Stage.THREAD_CREATION, "opening the job thread")
        await self.insist(
            steps.OPEN_THREAD,
            steps.OpenThreadInput(
                step=self.next_step(reason=TERMINATED),
                key=f"{self._key}:clean_up:thread",
                thread_id=thread_id_of(contract_id),
                organisation_id=self._given.organisation_id,
                job_id=self._given.job_id,
                proposal_id=self._given.proposal_id,
                contract_id=contract_id,
                trainer_id=trainer_id,
            ),
        )

    async def _complete(self, contract_id: str) -> None:
        self._enter(Stage.COMPLETION, "marking the proposal hired, filling the position")
        await self.insist(
            steps.COMPLETE_HIRE,
            steps.CompleteInput(
                step=self.next_step(reason=TERMINATED),
                key=f"{self._key}:clean_up:complete",
                proposal_id=self._given.proposal_id,
                job_id=self._given.job_id,
                contract_id=contract_id,
            ),
        )

    async def _give_back(self, left: steps.LeftFunding, *, active: bool) -> bool:
        """Make a funding final; refund and book what was charged. Tell whether something was.

        An active contract ends with the booking.
        """
        paid = left.charge or await self._settle(left.order)
        if paid.status is not PaymentStatus.PAID:
            return False
        self._enter(Stage.UNDOING, "refunding the charge of an abandoned hire")
        funding_id = left.order.funding_id
        refund_id = str(workflow.uuid4())
        refund = await self.insist(
            steps.REFUND_PAYMENT,
            steps.RefundInput(
                step=self.next_step(reason=TERMINATED),
                key=f"refund:{refund_id}",
                order=left.order,
                refund_id=refund_id,
                charge_id=paid.charge_id or "",
            ),
        )
        booking = steps.RefundContractInput(
            step=self.next_step(reason=TERMINATED),
            key=f"{self._key}:{funding_id}:refunded",
            order=left.order,
            intent_id=paid.intent_id or "",
            charge_id=paid.charge_id or "",
            provider_refund_id=refund.provider_id,
            end_reason=TERMINATED,
        )
        if active:
            await self.insist(steps.REFUND_CONTRACT, booking)
        else:
            await self.insist(steps.RECORD_REFUNDED_CHARGE, booking)
        return True

    async def _settle(self, order: FundingOrder) -> PaymentOutcome:
        self._enter(Stage.UNDOING, "making the payment final at Stripe")
        polls = self._given.polls
        for pause in chain(polls, repeat(polls[-1])):
            outcome = await self.insist(
                steps.SETTLE_PAYMENT,
                steps.SettlePaymentInput(
                    step=self.next_step(reason=TERMINATED),
                    key=f"fund:{order.funding_id}",
                    order=order,
                ),
            )
            if outcome.status in {PaymentStatus.PAID, PaymentStatus.CANCELED}:
                return outcome
            await workflow.sleep(pause, summary="wait for the bank's decision")
        raise AssertionError("polling never ends by itself")

    async def _cancel_contract(self, contract_id: str) -> None:
        self._enter(Stage.UNDOING, "cancelling the contract")
        await self.insist(
            steps.CANCEL_CONTRACT,
            steps.CancelContractInput(
                step=self.next_step(reason=TERMINATED),
                key=f"{self._key}:clean_up:cancel_contract",
                contract_id=contract_id,
                end_reason=TERMINATED,
            ),
        )

    async def _release(self, contract_id: str | None, *, refunded: bool) -> None:
        self._enter(Stage.UNDOING, "releasing the proposal and the position")
        await self.insist(
            steps.RELEASE,
            steps.ReleaseInput(
                step=self.next_step(reason=TERMINATED),
                key=f"{self._key}:clean_up:release",
                proposal_id=self._given.proposal_id,
                job_id=self._given.job_id,
                contract_id=contract_id or "",
                end_reason=TERMINATED,
                refunded=refunded,
            ),
        )
