"""How the steps of a hire are run: numbered, tried, insisted on, and told to operators."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.hire import steps
from workflows.hire.contract import (
    HIRE_BLOCKED,
    HIRE_DEADLINE,
    HIRE_STAGE,
    WORKFLOW_ACTOR,
    Actor,
    HireRef,
    Stage,
)
from workflows.hire.steps import Activity, In, Out, PaymentOutcome, StepRef, Timing


def reason_of(error: ActivityError) -> str:
    """Name why an activity failed: its own reason if it is final, else that time ran out."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.non_retryable and cause.type:
        return cause.type
    return "STAGE_TIMED_OUT"


class StepMachine:
    """The part of a hire's workflow that runs its steps; the story is told elsewhere."""

    def __init__(self, hire: HireRef, stage: Stage, reached: int) -> None:
        self._about = hire
        self._stage = stage
        self._step = reached
        self._blocked = False
        self._operator_retries = 0

    def next_step(self, actor: Actor = WORKFLOW_ACTOR, reason: str | None = None) -> StepRef:
        """Give the next step of the story its number."""
        self._step += 1
        return StepRef(hire_id=self._about.hire_id, number=self._step, actor=actor, reason=reason)

    async def attempt(
        self, activity: Activity[In, Out], given: In, timing: Timing, within: timedelta
    ) -> Out:
        """Run an activity with tries until `within` has passed; then raise ActivityError."""
        answer: Out = await workflow.execute_activity(
            activity.name,
            given,
            result_type=activity.gives,
            schedule_to_close_timeout=within,
            start_to_close_timeout=timing.start_to_close,
            retry_policy=timing.retry,
            summary=activity.summary,
        )
        return answer

    async def insist(self, activity: Activity[In, Out], given: In) -> Out:
        """Run an activity until it succeeds; where it cannot, park for an operator."""
        while True:
            try:
                answer: Out = await workflow.execute_activity(
                    activity.name,
                    given,
                    result_type=activity.gives,
                    start_to_close_timeout=steps.FORWARD.start_to_close,
                    retry_policy=steps.FORWARD.retry,
                    summary=activity.summary,
                )
            except ActivityError as error:
                await self._wait_for_operator(activity.name, reason_of(error))
                # A step's number is used once: the block took its own.
                again = self.next_step(given.step.actor, given.step.reason)
                given = given.model_copy(update={"step": again})
            else:
                return answer

    def parked(self, outcome: PaymentOutcome, deadline: datetime) -> None:
        """Tell operators that the payment waits, for what and until when."""
        workflow.upsert_search_attributes(
            [HIRE_STAGE.value_set(Stage.FUNDING), HIRE_DEADLINE.value_set(deadline)]
        )
        self._describe(f"waiting for the payment ({outcome.status}) until {deadline:%F %R} UTC")

    async def _wait_for_operator(self, activity: str, reason: str) -> None:
        seen = self._operator_retries
        self._blocked = True
        # An operator is waited for without end: a deadline shown before is over.
        workflow.upsert_search_attributes(
            [HIRE_BLOCKED.value_set(reason), HIRE_DEADLINE.value_unset()]
        )
        self._describe(f"BLOCKED in {activity}: {reason}. An operator retries with retry_step.")
        await workflow.execute_activity(
            steps.BLOCK.name,
            steps.BlockInput(
                step=self.next_step(reason=reason), key=self._key, stage=self._stage.value
            ),
            start_to_close_timeout=steps.FORWARD.start_to_close,
            retry_policy=steps.FORWARD.retry,
            summary=steps.BLOCK.summary,
        )
        await workflow.wait_condition(lambda: self._operator_retries > seen)
        self._blocked = False
        workflow.upsert_search_attributes([HIRE_BLOCKED.value_unset()])

    def _show_ended(self) -> None:
        workflow.upsert_search_attributes(
            [HIRE_STAGE.value_set(Stage.ENDED), HIRE_DEADLINE.value_unset()]
        )

    def _enter(self, stage: Stage, what: str) -> None:
        self._stage = stage
        self._describe(what)

    def _describe(self, what: str) -> None:
        workflow.set_current_details(
            f"**{self._stage.replace('_', ' ').capitalize()}**: {what}\n\n"
            f"- hire `{self._about.hire_id}`\n"
            f"- job `{self._about.job_id}`"
        )

    @property
    def _key(self) -> str:
        return f"{self._about.env}:{self._about.hire_id}"
