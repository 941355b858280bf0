"""What only the clean-up of abandoned hires does: look for them, and take one over."""

from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from hireflow.contracts.v1 import contract_pb2, contract_pb2_grpc
from workflows.hire import steps
from workflows.hire.activities import ask
from workflows.hire.contract import SWEEP, HireTotals, Stage, Swept
from workflows.hire.failures import told
from workflows.hire.steps import PaymentOutcome, PaymentStatus
from workflows.hiring.domain import Funding, StepRecord, Terms
from workflows.hiring.use_cases.abandoned import Runs, Sweep, running_hire, sweep, take_over_hire
from workflows.hiring.use_cases.ports import Hints
from workflows.hiring.use_cases.unit import Hiring

_CONCLUDED = {contract_pb2.CONTRACT_STATE_ACTIVE, contract_pb2.CONTRACT_STATE_ENDED}


class CleanUpActivities:
    """Finding and taking over; what undoes is the hire's own."""

    def __init__(
        self,
        hiring: Hiring,
        contracts: "contract_pb2_grpc.ContractsServiceAsyncStub",
        runs: Runs,
        hints: Hints,
        how: Sweep,
    ) -> None:
        self._hiring = hiring
        self._contracts = contracts
        self._runs = runs
        self._hints = hints
        self._how = how

    def all(self) -> list[Callable[..., Any]]:
        """List the activities, for the worker."""
        return [self.sweep, self.take_over]

    @activity.defn(name=SWEEP)
    async def sweep(self) -> Swept:
        """Start the clean-up of every abandoned hire."""
        with told():
            found = await sweep(self._hiring, self._runs, self._hints, self._how)
        return Swept(hire_ids=tuple(found))

    @activity.defn(name=steps.TAKE_OVER.name)
    async def take_over(self, given: steps.TakeOverInput) -> steps.TakenOver:
        """See what the dead run left; unless it only goes forward, fence it off first.

        The contract is asked for twice: a step of the dead run may have activated it before the
        fence stood.
        """
        with told():
            hire = await running_hire(self._hiring, given.step.hire_id)
        # Whoever undoes a paid hire writes that on its row before anything is undone.
        if hire and Stage(hire.stage) is not Stage.UNDOING:
            state = await self._contract_state(hire.contract_id)
            if state == contract_pb2.CONTRACT_STATE_ACTIVE:
                return steps.TakenOver(trainer_id=hire.trainer_id, contract_id=hire.contract_id)
        record = StepRecord(
            hire_id=given.step.hire_id,
            number=given.step.number,
            stage=Stage.UNDOING,
            what="taken_over",
            reason=given.step.reason,
            actor=given.step.actor,
            time=self._hiring.clock(),
        )
        with told():
            left = await take_over_hire(self._hiring, record)
        if left is None:
            return steps.TakenOver(ended=True)
        return steps.TakenOver(
            active=await self._contract_state(left.hire.contract_id) in _CONCLUDED,
            contract_id=left.hire.contract_id,
            fundings=tuple(_left(*each, env=self._how.env) for each in left.fundings),
        )

    async def _contract_state(self, contract_id: str | None) -> int | None:
        if contract_id is None:
            return None
        request = contract_pb2.GetContractRequest(contract_id=contract_id)
        try:
            found = await ask(self._contracts.GetContract, request)
        except ApplicationError as error:
            if error.type == "NOT_FOUND":
                return None
            raise
        return found.contract.state


def _left(funding: Funding, terms: Terms, *, env: str) -> steps.LeftFunding:
    totals = terms.totals
    order = steps.FundingOrder(
        funding_id=funding.funding_id,
        revision=funding.revision,
        contract_id=funding.contract_id,
        milestone_id=funding.milestone_id,
        organisation_id=funding.organisation_id,
        customer_id=funding.customer_id,
        workflow_id=funding.workflow_id,
        env=env,
        totals=HireTotals(
            amount=totals.amount,
            marketplace_fee=totals.marketplace_fee,
            contract_fee=totals.contract_fee,
            currency=totals.currency,
        ),
    )
    if funding.charge_id is None:
        return steps.LeftFunding(order=order)
    charge = PaymentOutcome(
        status=PaymentStatus.PAID, intent_id=funding.intent_id, charge_id=funding.charge_id
    )
    return steps.LeftFunding(order=order, charge=charge)
