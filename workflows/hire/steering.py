"""What people, operators and the provider may say to a running hire, and when it is refused.

A word is accepted or refused at once and only noted here; the story honours it at its next turn.
"""

from temporalio import workflow

from workflows.hire.contract import (
    CancelOrder,
    DeadlineExtension,
    HireInput,
    OperatorOrder,
    PaymentHint,
    PaymentRetry,
    Stage,
    TermsOffer,
)
from workflows.hire.machine import StepMachine, refusal
from workflows.payments.funding import Funding


class SteeredHire(StepMachine):
    """The part of a hire's workflow that listens."""

    def __init__(self, hire: HireInput) -> None:
        # Step 1 is the request itself, written when the hire was asked for.
        super().__init__(hire, Stage.PROPOSAL_REVIEW, reached=1)
        self._funding: Funding | None = None
        self._offers: list[TermsOffer] = []
        self._offered = 1
        self._cancel: CancelOrder | None = None
        self._paid = False
        self._skip: OperatorOrder | None = None
        self._refund: OperatorOrder | None = None

    @workflow.signal
    def payment_hint(self, _hint: PaymentHint) -> None:
        """Something happened to an intent; the funding reads it."""
        if self._funding is not None:
            self._funding.hint()

    @workflow.update
    def offer_terms(self, offer: TermsOffer, /) -> None:
        """Offer other terms; the verdict appears on the hire."""
        self._offered = offer.revision
        self._offers.append(offer)

    @offer_terms.validator
    def _may_offer_terms(self, offer: TermsOffer, /) -> None:
        if self._paid:
            raise refusal("PAYMENT_ALREADY_SUCCEEDED", "the first terms are paid")
        self._require_not_ending()
        if offer.revision <= self._offered:
            raise refusal("CONFLICT", "newer terms were offered meanwhile")

    @workflow.update
    def retry_payment(self, retry: PaymentRetry, /) -> None:
        """Try the payment again with another method, or let the client confirm."""
        if self._funding is not None:
            self._funding.retry(retry.payment, retry.actor)

    @retry_payment.validator
    def _may_retry_payment(self, _retry: PaymentRetry, /) -> None:
        if self._paid:
            raise refusal("PAYMENT_NOT_EXPECTED", "the hire is paid")
        self._require_not_ending()
        if self._funding is None:
            raise refusal("PAYMENT_NOT_EXPECTED", "the hire does not wait for a payment yet")
        if self._funding.attempt_in_flight:
            raise refusal("PAYMENT_IN_PROGRESS", "a payment attempt is in flight")

    @workflow.update
    def cancel_hire(self, order: CancelOrder, /) -> None:
        """Cancel before the pivot; the story honours it at its next named point."""
        self._cancel = self._cancel or order

    @cancel_hire.validator
    def _may_cancel(self, _order: CancelOrder, /) -> None:
        if self._cancel:
            return
        if self._stage is Stage.UNDOING:
            raise refusal("HIRE_ENDING", "the hire is being undone for another reason")
        if self._paid:
            raise refusal("PAST_PIVOT", "the payment succeeded; the hire only goes forward")

    @workflow.update
    def skip_thread(self, order: OperatorOrder, /) -> None:
        """Go on without the job thread; a try under way that still opens it is kept."""
        self._skip = order

    @skip_thread.validator
    def _may_skip_thread(self, _order: OperatorOrder, /) -> None:
        if self._refund is not None:
            raise refusal("HIRE_ENDING", "the hire is being refunded in full")
        if self._stage is not Stage.THREAD_CREATION:
            raise refusal("WRONG_STATE", "the hire is not opening its thread")
        if self._skip is not None:
            raise refusal("CONFLICT", "another operator skipped the thread")

    @workflow.update
    def refund_in_full(self, order: OperatorOrder, /) -> None:
        """Give everything back past the pivot; a try under way that ends the hire HIRED wins."""
        self._refund = order

    @refund_in_full.validator
    def _may_refund_in_full(self, _order: OperatorOrder, /) -> None:
        if self._refund is not None or self._stage is Stage.UNDOING:
            raise refusal("HIRE_ENDING", "the hire is being undone already")
        if not self._paid:
            raise refusal("WRONG_STATE", "nothing is paid yet: cancel the hire instead")

    @workflow.update
    def extend_deadline(self, extension: DeadlineExtension, /) -> None:
        """Give the client longer to pay, within the policy."""
        if self._funding is not None:
            self._funding.extend(extension)

    @extend_deadline.validator
    def _may_extend_deadline(self, extension: DeadlineExtension, /) -> None:
        self._require_not_ending()
        if self._funding is None or not self._funding.collecting:
            raise refusal("PAYMENT_NOT_EXPECTED", "the hire waits for no payment")
        present, latest = self._funding.extensible
        if not present < extension.deadline <= latest:
            told = (
                f"the new deadline must be after {present:%F %T} and not after {latest:%F %T} UTC"
            )
            raise refusal("DEADLINE_OUT_OF_BOUNDS", told)

    def _require_not_ending(self) -> None:
        if self._cancel or self._stage is Stage.UNDOING:
            raise refusal("HIRE_ENDING", "the hire is being undone")
