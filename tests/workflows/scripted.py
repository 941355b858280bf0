"""Activities that answer from a script and remember what they were asked, in order.

Whole fakes under the real names, for tests of the story alone: the server, the worker and the
workflow are real.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.hire import steps
from workflows.hire.steps import PaymentOutcome, PaymentStatus

Answer = Any
SIGNATURES: tuple[steps.Activity[Any, Any], ...] = (
    steps.RESERVE,
    steps.CREATE_CONTRACT,
    steps.AMEND_CONTRACT,
    steps.TAKE_PAYMENT,
    steps.READ_PAYMENT,
    steps.SETTLE_PAYMENT,
    steps.REFUND_PAYMENT,
    steps.RECORD_REFUNDED_CHARGE,
    steps.CANCEL_CONTRACT,
    steps.RELEASE,
    steps.ACTIVATE_CONTRACT,
    steps.OPEN_THREAD,
    steps.COMPLETE_HIRE,
    steps.BLOCK,
    steps.REFUSE_TERMS,
    steps.TAKE_OVER,
    steps.NOTE_ORDER,
    steps.EXTEND_DEADLINE,
    steps.REFUND_CONTRACT,
)
PAID = PaymentOutcome(status=PaymentStatus.PAID, intent_id="pi_1", charge_id="ch_1")
NEEDS_CLIENT = PaymentOutcome(status=PaymentStatus.ACTION_NEEDED, intent_id="pi_1")
DECLINED = PaymentOutcome(
    status=PaymentStatus.DECLINED, intent_id="pi_1", decline_code="insufficient_funds"
)
PROCESSING = PaymentOutcome(status=PaymentStatus.PROCESSING, intent_id="pi_1")
CANCELED = PaymentOutcome(status=PaymentStatus.CANCELED, intent_id="pi_1")
DEFAULTS: dict[str, Answer] = {
    steps.TAKE_PAYMENT.name: PAID,
    steps.READ_PAYMENT.name: NEEDS_CLIENT,
    steps.SETTLE_PAYMENT.name: CANCELED,
    steps.REFUND_PAYMENT.name: steps.RefundOutcome(provider_id="re_1"),
    steps.NOTE_ORDER.name: steps.OrderOutcome(taken=True),
}


def refused(reason: str) -> ApplicationError:
    """Make the failure an activity raises when a service refuses for good."""
    return ApplicationError(f"refused: {reason}", type=reason, non_retryable=True)


class ScriptedActivities:
    """Answers each activity from its script, then from the defaults."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self._script: dict[str, list[Answer]] = defaultdict(list)

    def answer(self, signature: steps.Activity[Any, Any], *answers: Answer) -> None:
        """Script the next answers: a value, an exception, or an async function of the input."""
        self._script[signature.name].extend(answers)

    def names(self) -> list[str]:
        """Name the activities that were asked, in order."""
        return [name for name, _ in self.asked]

    def given(self, signature: steps.Activity[Any, Any]) -> list[Any]:
        """Show what an activity was given, time after time."""
        return [given for name, given in self.asked if name == signature.name]

    def all(self) -> list[Callable[..., Awaitable[Any]]]:
        """List the activities, for a worker."""
        return [self._activity(signature) for signature in SIGNATURES]

    def _activity(self, signature: steps.Activity[Any, Any]) -> Callable[..., Awaitable[Any]]:
        async def run(given: Any) -> Any:
            self.asked.append((signature.name, given))
            script = self._script[signature.name]
            answer = script.pop(0) if script else DEFAULTS.get(signature.name)
            if isinstance(answer, Exception):
                raise answer
            return await answer(given) if callable(answer) else answer

        run.__annotations__["given"] = signature.takes
        return activity.defn(name=signature.name)(run)
