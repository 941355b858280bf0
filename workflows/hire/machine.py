"""How the steps of a hire are run: numbered, tried, insisted on, and told to operators."""

from collections.abc import Callable
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
    OperatorOrder,
    Stage,
)
from workflows.hire.steps import Activity, In, Out, PaymentOutcome, StepRef, Timing


def reason_of(error: ActivityError) -> str:
    """Name why an activity failed: its own reason if it is final, else that time ran out."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.non_retryable and cause.type:
        return cause.type
    return "STAGE_TIMED_OUT"


def refusal(reason: str, message: str) -> ApplicationError:
    """Make the answer to an update that is not accepted; the reason is an ErrorReason."""
    return ApplicationError(message, type=reason, non_retryable=True)


class Overruled(Exception):
    """An operator's word ended the tries of a step, and no try had succeeded."""


ORDER_SHAPE = '{"reason": "a_word", "actor": {"kind": "OPERATOR", "id": "you"}}'
EXTENSION_SHAPE = f'{{"deadline": "2030-01-31T12:00:00Z", {ORDER_SHAPE[1:]}'


def never() -> bool:
    """Overrule nothing."""
    return False


class StepMachine:
    """The part of a hire's workflow that runs its steps; the story is told elsewhere."""

    def __init__(self, hire: HireRef, stage: Stage, reached: int) -> None:
        self._about = hire
        self._stage = stage
        self._step = reached
        self._blocked = False
        self._retry: OperatorOrder | None = None
        # The updates with which an operator may end the tries of the step under way.
        self._may: tuple[str, ...] = ()

    @workflow.update
    def retry_step(self, order: OperatorOrder, /) -> None:
        """Try a blocked step again now, on an operator's word."""
        self._retry = order

    @retry_step.validator
    def _may_retry_step(self, _order: OperatorOrder, /) -> None:
        if not self._blocked:
            raise refusal("WRONG_STATE", "it is not blocked: what it does is tried by itself")
        if self._retry is not None:
            raise refusal("CONFLICT", "another operator asked for the same")

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
            heartbeat_timeout=steps.SILENCE,
            retry_policy=timing.retry,
            summary=activity.summary,
        )
        return answer

    async def insist(
        self,
        activity: Activity[In, Out],
        given: In,
        overruled: Callable[[], bool] = never,
    ) -> Out:
        """Run an activity until it succeeds; where it cannot, park for an operator.

        Raises:
            Overruled: `overruled` came true, and the try that was under way then did not succeed.

        """
        while True:
            try:
                return await self._try(activity, given, overruled)
            except ActivityError as error:
                if not overruled():
                    await self._wait_for_operator(activity.name, reason_of(error), overruled)
            # A step's number is used once: the block took its own.
            again = self.next_step(given.step.actor, given.step.reason)
            given = given.model_copy(update={"step": again})

    async def note(self, order: OperatorOrder, what: str) -> bool:
        """Record an operator's order as a step; false if the hire ended before it."""
        noted = steps.OrderInput(
            step=self.next_step(order.actor, order.reason),
            key=self._key,
            stage=self._stage.value,
            what=what,
        )
        return (await self._tried(steps.NOTE_ORDER, noted)).taken

    def parked(self, outcome: PaymentOutcome, deadline: datetime) -> None:
        """Tell operators that the payment waits, for what and until when."""
        workflow.upsert_search_attributes(
            [HIRE_STAGE.value_set(Stage.FUNDING), HIRE_DEADLINE.value_set(deadline)]
        )
        self._describe(
            f"waiting for the payment ({outcome.status})",
            f"undone at {deadline:%F %R} UTC, unless it is paid",
            f"`extend_deadline` with `{EXTENSION_SHAPE}`",
        )

    async def _try(
        self, activity: Activity[In, Out], given: In, overruled: Callable[[], bool]
    ) -> Out:
        if overruled():
            raise Overruled
        tries = self._tried(activity, given)
        await workflow.wait_condition(lambda: tries.done() or overruled())
        if not tries.done():
            # Ends the tries to come. The one under way is waited for: it may still succeed.
            tries.cancel()
        answer: Out = await tries
        return answer

    def _tried(self, activity: Activity[In, Out], given: In) -> "workflow.ActivityHandle[Out]":
        """Start an activity that is tried without end, up to 60 s apart."""
        timing = steps.FORWARD_AT_PROVIDER if activity.asks_provider else steps.FORWARD
        return workflow.start_activity(
            activity.name,
            given,
            result_type=activity.gives,
            start_to_close_timeout=timing.start_to_close,
            heartbeat_timeout=steps.SILENCE,
            retry_policy=timing.retry,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=activity.summary,
        )

    async def _wait_for_operator(
        self, activity: str, reason: str, overruled: Callable[[], bool] = never
    ) -> None:
        self._blocked = True
        # An operator is waited for without end: a deadline shown before is over.
        workflow.upsert_search_attributes(
            [
                HIRE_STAGE.value_set(self._stage),
                HIRE_BLOCKED.value_set(reason),
                HIRE_DEADLINE.value_unset(),
            ]
        )
        verbs = ", ".join(f"`{verb}`" for verb in ("retry_step", *self._may))
        self._describe(
            f"BLOCKED in {activity}: {reason}",
            "nothing, until an operator decides",
            f"{verbs}, each with `{ORDER_SHAPE}`",
        )
        block = steps.BlockInput(
            step=self.next_step(reason=reason), key=self._key, stage=self._stage.value
        )
        await self._tried(steps.BLOCK, block)
        await workflow.wait_condition(lambda: self._retry is not None or overruled())
        self._blocked = False
        workflow.upsert_search_attributes([HIRE_BLOCKED.value_unset()])
        order, self._retry = self._retry, None
        if order is not None:
            await self.note(order, "retry_ordered")

    def _show_ended(self) -> None:
        workflow.upsert_search_attributes(
            [HIRE_STAGE.value_set(Stage.ENDED), HIRE_DEADLINE.value_unset()]
        )

    def _enter(self, stage: Stage, what: str, *may: str) -> None:
        self._stage = stage
        self._may = may
        verbs = ", ".join(f"`{verb}`" for verb in may)
        self._describe(
            what,
            "tried again until it succeeds, at most 60 s apart" if may else "",
            f"{verbs}, each with `{ORDER_SHAPE}`" if may else "",
        )

    def _describe(self, what: str, then: str = "", may: str = "") -> None:
        told = (
            f"**{self._stage.replace('_', ' ').capitalize()}**: {what}\n\n"
            f"- hire `{self._about.hire_id}`\n"
            f"- job `{self._about.job_id}`"
        )
        told += f"\n- next by itself: {then}" if then else ""
        told += f"\n- an operator may send: {may}" if may else ""
        workflow.set_current_details(told)

    @property
    def _key(self) -> str:
        return f"{self._about.env}:{self._about.hire_id}"
