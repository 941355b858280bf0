"""The one funding flow: charge a milestone once, whatever the card, the bank and the client do.

It runs inside the workflow that needs the money, the hire's or a milestone's. One intent serves
all attempts, so a late success of an earlier attempt can never become a second charge: the
provider refuses to confirm an intent that already succeeded. A hint from a webhook is never
believed, only followed by a read. The flow returns only when the intent is final.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.hire.contract import (
    WORKFLOW_ACTOR,
    Actor,
    DeadlineExtension,
    HirePolicy,
    PaymentChoice,
)
from workflows.hire.steps import (
    EXTEND_DEADLINE,
    READ_PAYMENT,
    SETTLE_PAYMENT,
    STRIPE,
    TAKE_PAYMENT,
    Activity,
    ExtendDeadlineInput,
    FundingOrder,
    In,
    Out,
    PaymentOutcome,
    PaymentStatus,
    ReadPaymentInput,
    SettlePaymentInput,
    StepRef,
    TakePaymentInput,
    Timing,
)


class StepRunner(Protocol):
    """The workflow around a funding: it numbers the steps and runs the activities."""

    def next_step(self, actor: Actor = WORKFLOW_ACTOR, reason: str | None = None) -> StepRef:
        """Give the next step of the story its number."""
        ...

    async def attempt(
        self, activity: Activity[In, Out], given: In, timing: Timing, within: timedelta
    ) -> Out:
        """Run an activity with tries until `within` has passed; then raise ActivityError."""
        ...

    async def insist(self, activity: Activity[In, Out], given: In) -> Out:
        """Run an activity until it succeeds, parking for an operator where it cannot."""
        ...

    def parked(self, outcome: PaymentOutcome, deadline: datetime) -> None:
        """Tell operators that the payment waits, for what and until when."""
        ...


class Stop(StrEnum):
    """Why a funding ended without money."""

    INTERRUPTED = "INTERRUPTED"
    EXPIRED = "PAYMENT_EXPIRED"
    REJECTED = "PAYMENT_REJECTED"
    TIMED_OUT = "STAGE_TIMED_OUT"


@dataclass(frozen=True)
class Collected:
    """The end of a funding: paid, or final without money for the reason told."""

    outcome: PaymentOutcome
    stopped: Stop | None = None

    @property
    def paid(self) -> bool:
        """Whether the charge succeeded, whatever the funding was stopped for."""
        return self.outcome.status is PaymentStatus.PAID


class Funding:
    """Collects the money of one order.

    `interrupted` is asked whenever the flow waits: a true answer (a cancel, other terms) makes
    the intent final first and then ends the flow, with money or without.
    """

    def __init__(
        self,
        *,
        runner: StepRunner,
        order: FundingOrder,
        payment: PaymentChoice,
        requested_at: datetime,
        policy: HirePolicy,
        interrupted: Callable[[], bool],
    ) -> None:
        self.order = order
        self._runner = runner
        self._payment = payment
        self._requested_at = requested_at
        self._policy = policy
        self._interrupted = interrupted
        self._attempt = 0
        self._hints = 0
        self._hints_seen = 0
        self._retry: tuple[PaymentChoice, datetime, Actor] | None = None
        self._parked = False
        self._polled = 0
        self._deadline = workflow.now() + policy.payment_deadline
        self._latest = workflow.now() + policy.longest_payment_deadline
        self._extension: DeadlineExtension | None = None
        self._collecting = True

    @property
    def collecting(self) -> bool:
        """Whether the payment is still waited for: nothing is final, and no end was decided."""
        return self._collecting

    @property
    def extensible(self) -> tuple[datetime, datetime]:
        """The present deadline and the latest that the policy allows."""
        return self._deadline, self._latest

    @property
    def attempt_in_flight(self) -> bool:
        """Whether an attempt is on its way to the provider or waits to be."""
        return self._retry is not None or not self._parked

    def hint(self) -> None:
        """Something happened to the intent: read it at the next turn."""
        self._hints += 1

    def retry(self, payment: PaymentChoice, actor: Actor) -> None:
        """Take up a person's new attempt at the next turn."""
        self._retry = (payment, workflow.now(), actor)

    def extend(self, extension: DeadlineExtension) -> None:
        """Wait longer from now on; the story tells it at the next turn."""
        self._deadline = extension.deadline
        self._extension = extension

    async def collect(self) -> Collected:
        """Charge, waiting as long as the deadline allows. Returns when the intent is final."""
        try:
            outcome = await self._take(self._payment, self._requested_at, WORKFLOW_ACTOR)
            while outcome.status is not PaymentStatus.PAID:
                stop = await self._park(outcome)
                if stop is not None:
                    return await self._settle(stop)
                outcome = await self._go_on(outcome)
        except ActivityError as error:
            # What the provider did is unknown or refused; only a final intent tells.
            rejected = isinstance(error.cause, ApplicationError) and error.cause.non_retryable
            return await self._settle(Stop.REJECTED if rejected else Stop.TIMED_OUT)
        self._collecting = False
        return Collected(outcome)

    async def _go_on(self, known: PaymentOutcome) -> PaymentOutcome:
        if self._extension is not None:
            await self._tell(self._extension, known)
            return known
        if self._retry is None:
            return await self._read(known)
        payment, asked_at, actor = self._retry
        if known.status is PaymentStatus.CANCELED:
            # Somebody cancelled the intent at the provider: only a new one can be paid.
            self.order = self.order.model_copy(update={"funding_id": str(workflow.uuid4())})
        outcome = await self._take(payment, asked_at, actor)
        self._retry = None
        return outcome

    async def _take(
        self, payment: PaymentChoice, asked_at: datetime, actor: Actor
    ) -> PaymentOutcome:
        self._attempt += 1
        self._hints_seen = self._hints
        # Workers may have been down for hours: then nobody expects a charge any more.
        confirm_until = asked_at + self._policy.saved_method_window
        fresh = workflow.now() <= confirm_until
        return await self._runner.attempt(
            TAKE_PAYMENT,
            TakePaymentInput(
                step=self._runner.next_step(actor),
                key=f"fund:{self.order.funding_id}",
                order=self.order,
                attempt=self._attempt,
                method_id=payment.method_id if fresh else None,
                confirm_until=confirm_until,
                deadline=self._deadline,
            ),
            STRIPE,
            self._policy.stage_deadline,
        )

    async def _read(self, known: PaymentOutcome) -> PaymentOutcome:
        self._hints_seen = self._hints
        return await self._runner.insist(
            READ_PAYMENT,
            ReadPaymentInput(
                step=self._runner.next_step(),
                key=f"fund:{self.order.funding_id}",
                order=self.order,
                known=known,
                deadline=self._deadline,
            ),
        )

    async def _tell(self, extension: DeadlineExtension, known: PaymentOutcome) -> None:
        self._extension = None
        await self._runner.insist(
            EXTEND_DEADLINE,
            ExtendDeadlineInput(
                step=self._runner.next_step(extension.actor, extension.reason),
                key=f"fund:{self.order.funding_id}",
                order=self.order,
                known=known,
                deadline=extension.deadline,
            ),
        )

    async def _settle(self, stop: Stop) -> Collected:
        """Make the intent final; a payment that is processing is waited for.

        A bank may take days: reads grow rarer, as while parked, so that history stays short.
        """
        self._collecting = False
        self._polled = 0
        while True:
            self._hints_seen = self._hints
            outcome = await self._runner.insist(
                SETTLE_PAYMENT,
                SettlePaymentInput(
                    step=self._runner.next_step(reason=stop.value),
                    key=f"fund:{self.order.funding_id}",
                    order=self.order,
                ),
            )
            if outcome.status in {PaymentStatus.PAID, PaymentStatus.CANCELED}:
                return Collected(outcome, stop)
            await self._wait(self._hinted, self._next_poll(), "wait for the bank's decision")

    async def _park(self, outcome: PaymentOutcome) -> Stop | None:
        """Wait for a hint, a retry, the next poll or an end; tell which end it is, if one."""
        self._runner.parked(outcome, self._deadline)
        self._parked = True
        left = self._deadline - workflow.now()
        pause = min(left, self._next_poll())
        if pause > timedelta(0):
            await self._wait(self._awake, pause, "wait for the payment")
        self._parked = False
        if self._interrupted():
            return Stop.INTERRUPTED
        if self._retry is None and not self._hinted() and workflow.now() >= self._deadline:
            return Stop.EXPIRED
        return None

    def _awake(self) -> bool:
        told = self._retry is not None or self._extension is not None
        return told or self._hinted() or self._interrupted()

    def _hinted(self) -> bool:
        return self._hints > self._hints_seen

    def _next_poll(self) -> timedelta:
        polls = self._policy.polls
        index = min(self._polled, len(polls) - 1)
        self._polled += 1
        return polls[index]

    async def _wait(self, awake: Callable[[], bool], pause: timedelta, why: str) -> None:
        try:
            await workflow.wait_condition(awake, timeout=pause, timeout_summary=why)
        except TimeoutError:
            return
