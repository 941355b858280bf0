"""Takes in what the provider tells of money after its hire went on or ended.

The workflow id is the lock: `late-fact/{object_id}`. Whatever was told, the object itself is read;
something told meanwhile has it read again.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.hire.contract import (
    HIRE_BLOCKED,
    LateFact,
    LateFactResult,
    LateOutcome,
    OperatorOrder,
)
from workflows.hire.machine import reason_of
from workflows.hire.steps import FORWARD_AT_PROVIDER, SILENCE

TAKE_IN = "take_in_late_fact"
_BANKS_PACE = timedelta(hours=1)


@workflow.defn(name="LateFactWorkflow")
class LateFactWorkflow:
    """Look at the object, until nothing was told after the last look and all of it is booked."""

    @workflow.init
    def __init__(self, fact: LateFact) -> None:
        self._fact = fact
        self._told = 0
        self._looked = 0
        self._blocked = False

    @workflow.run
    async def run(self, fact: LateFact) -> LateFactResult:
        """Take in what the object says now."""
        while True:
            self._looked = self._told
            result = await self._look()
            if result is None:
                # Blocked: an operator, or whatever is told next, has it looked at again.
                await workflow.wait_condition(self._anew)
            elif result.outcome is LateOutcome.PROCESSING:
                await self._wait_for_the_bank()
            elif not self._anew():
                workflow.set_current_details(f"{result.outcome}: `{fact.object_id}`")
                await workflow.wait_condition(workflow.all_handlers_finished)
                return result

    async def _look(self) -> LateFactResult | None:
        try:
            result: LateFactResult = await workflow.execute_activity(
                TAKE_IN,
                self._fact,
                result_type=LateFactResult,
                start_to_close_timeout=FORWARD_AT_PROVIDER.start_to_close,
                heartbeat_timeout=SILENCE,
                retry_policy=FORWARD_AT_PROVIDER.retry,
                summary=f"Read {self._fact.object_id} and book what is new",
            )
        except ActivityError as error:
            self._block(reason_of(error))
            return None
        if self._blocked:
            self._blocked = False
            workflow.upsert_search_attributes([HIRE_BLOCKED.value_unset()])
        return result

    def _block(self, reason: str) -> None:
        self._blocked = True
        workflow.upsert_search_attributes([HIRE_BLOCKED.value_set(reason)])
        workflow.set_current_details(
            f"**BLOCKED**: {reason}. An operator looks at `{self._fact.object_id}` at Stripe and "
            "retries with retry_step."
        )

    async def _wait_for_the_bank(self) -> None:
        try:
            await workflow.wait_condition(
                self._anew, timeout=_BANKS_PACE, timeout_summary="wait for the bank's decision"
            )
        except TimeoutError:
            return

    def _anew(self) -> bool:
        return self._told > self._looked

    @workflow.signal
    def look_again(self) -> None:
        """Something was told of the object."""
        self._told += 1

    @workflow.update
    def retry_step(self, _order: OperatorOrder) -> None:
        """Look again now, on an operator's word."""
        self._told += 1

    @retry_step.validator
    def _may_retry_step(self, _order: OperatorOrder) -> None:
        if not self._blocked:
            message = "the late fact is not blocked"
            raise ApplicationError(message, type="WRONG_STATE", non_retryable=True)
