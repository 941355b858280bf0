"""What the steps of a hire do that an operator ordered."""

from collections.abc import Callable
from typing import Any

from temporalio import activity

from hireflow.contracts.v1 import contract_pb2
from services.common.errors import Refused
from workflows.hire import steps
from workflows.hire.activities import Neighbours, ask, charge_message
from workflows.hire.contract import Stage
from workflows.hire.failures import told
from workflows.hiring.domain import StepRecord
from workflows.hiring.use_cases.steps import Hiring, record_step


class OperatorActivities:
    """Recording an operator's order, and closing the contract of a full refund."""

    def __init__(self, hiring: Hiring, neighbours: Neighbours) -> None:
        self._hiring = hiring
        self._contracts = neighbours.contracts

    def all(self) -> list[Callable[..., Any]]:
        """List the activities, for the worker."""
        return [self.note_order, self.refund_contract]

    @activity.defn(name=steps.NOTE_ORDER.name)
    async def note_order(self, given: steps.OrderInput) -> steps.OrderOutcome:
        """Record the order. It decides against the hire's last step: of a hire that ended, none.

        From then on a late try of an earlier step, which has a smaller number, writes nothing.
        """
        with told():
            try:
                await record_step(self._hiring, self._record(given, Stage(given.stage), given.what))
            except Refused:
                return steps.OrderOutcome(taken=False)
        return steps.OrderOutcome(taken=True)

    @activity.defn(name=steps.REFUND_CONTRACT.name)
    async def refund_contract(self, given: steps.RefundContractInput) -> None:
        """Book the refund and close the contract, whatever an earlier step made of the charge."""
        await ask(
            self._contracts.RefundContract,
            contract_pb2.RefundContractRequest(
                request_id=given.key,
                contract_id=given.order.contract_id,
                milestone_id=given.order.milestone_id,
                charge=charge_message(given.order, given.intent_id, given.charge_id),
                refund_id=given.provider_refund_id,
                reason=given.end_reason,
            ),
        )
        with told():
            await record_step(self._hiring, self._record(given, Stage.UNDOING, "contract_refunded"))

    def _record(self, given: steps.StepInput, stage: Stage, what: str) -> StepRecord:
        return StepRecord(
            hire_id=given.step.hire_id,
            number=given.step.number,
            stage=stage,
            what=what,
            reason=given.step.reason,
            actor=given.step.actor,
            time=self._hiring.clock(),
        )
