"""Undoes a hire whose own run was terminated: the same steps that the hire itself would undo by.

Its id is the lock: `clean-up/{hire_id}`. If it dies itself, the next sweep starts it again, and
every step finds what was done before. What it may not undo it shows, blocked, to an operator.
"""

from itertools import chain, repeat

from temporalio import workflow

from workflows.hire import steps
from workflows.hire.contract import CleanUpInput, CleanUpResult, Stage
from workflows.hire.machine import StepMachine
from workflows.hire.steps import FundingOrder, PaymentOutcome, PaymentStatus

TERMINATED = "HIRE_TERMINATED"


@workflow.defn(name="CleanUpWorkflow")
class CleanUpWorkflow(StepMachine):
    """Settle, refund and book, cancel the contract, release: in this order, to the end."""

    @workflow.init
    def __init__(self, given: CleanUpInput) -> None:
        super().__init__(given, Stage.UNDOING, given.reached)
        self._given = given

    @workflow.run
    async def run(self, given: CleanUpInput) -> CleanUpResult:
        """Undo the hire, or find that it had ended."""
        left = await self._take_over()
        while left.active:
            self._enter(Stage.CONTRACT_ACTIVATION, "the contract was active: an operator decides")
            await self._wait_for_operator(steps.TAKE_OVER.name, "PAST_PIVOT")
            left = await self._take_over()
        refunded = False
        if not left.ended:
            for funding in left.fundings:
                refunded |= await self._give_back(funding)
            if left.contract_id:
                await self._cancel_contract(left.contract_id)
            await self._release(refunded=refunded)
        self._show_ended()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return CleanUpResult(hire_id=given.hire_id, undone=not left.ended, refunded=refunded)

    async def _take_over(self) -> steps.TakenOver:
        self._enter(Stage.UNDOING, "the hire's own run is over: seeing what it left")
        return await self.insist(
            steps.TAKE_OVER,
            steps.TakeOverInput(step=self.next_step(reason=TERMINATED), key=self._key),
        )

    async def _give_back(self, left: steps.LeftFunding) -> bool:
        """Make a funding final; refund and book what was charged. Tell whether something was."""
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
        await self.insist(
            steps.RECORD_REFUNDED_CHARGE,
            steps.RecordRefundInput(
                step=self.next_step(reason=TERMINATED),
                key=f"{self._key}:{funding_id}:refunded",
                order=left.order,
                intent_id=paid.intent_id or "",
                charge_id=paid.charge_id or "",
                provider_refund_id=refund.provider_id,
            ),
        )
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

    async def _release(self, *, refunded: bool) -> None:
        self._enter(Stage.UNDOING, "releasing the proposal and the position")
        await self.insist(
            steps.RELEASE,
            steps.ReleaseInput(
                step=self.next_step(reason=TERMINATED),
                key=f"{self._key}:clean_up:release",
                proposal_id=self._given.proposal_id,
                job_id=self._given.job_id,
                end_reason=TERMINATED,
                refunded=refunded,
            ),
        )
