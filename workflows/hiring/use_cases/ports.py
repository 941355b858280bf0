"""What hiring asks of its neighbours and of the running workflow; implemented in the wiring."""

from typing import Protocol

from workflows.hire.contract import (
    CancelOrder,
    HireInput,
    OperatorOrder,
    OperatorVerb,
    PaymentRetry,
    TermsOffer,
)
from workflows.hiring.domain import JobFacts, LateKind, ProposalFacts, Totals


class NotRunning(Exception):
    """The hire's workflow does not run: not started yet, or over."""


class Neighbours(Protocol):
    """What proposals, jobs and contracts tell; each answer may be outdated when it arrives.

    Every method raises Unavailable when the neighbour does not answer.
    """

    async def proposal(self, proposal_id: str) -> ProposalFacts | None:
        """Read a proposal; None if there is none."""
        ...

    async def job(self, job_id: str) -> JobFacts | None:
        """Read a job; None if there is none."""
        ...

    async def quote(self, amount: int, currency: str) -> Totals:
        """Ask what a first milestone costs. Raises InvalidInput."""
        ...


class Stories(Protocol):
    """The workflows of hires. Updates are answered once they are accepted.

    Every method raises Unavailable when no worker or no server answers in a few seconds.
    """

    async def start(self, hire: HireInput, *, again: bool) -> None:
        """Start a hire's workflow; `again` when that may have been done before.

        Waits briefly where the former hire of the proposal is still closing.
        """
        ...

    async def offer_terms(self, proposal_id: str, hire_id: str, offer: TermsOffer) -> None:
        """Offer other terms. Raises NotRunning, or Conflict and Refused as the story refuses."""
        ...

    async def retry_payment(
        self, proposal_id: str, hire_id: str, key: str, retry: PaymentRetry
    ) -> None:
        """Have the payment tried again, once per key. Raises as `offer_terms` does."""
        ...

    async def cancel_hire(
        self, proposal_id: str, hire_id: str, key: str, order: CancelOrder
    ) -> None:
        """Have the hire cancelled, once per key. Raises as `offer_terms` does."""
        ...

    async def give_order(
        self, proposal_id: str, hire_id: str, verb: OperatorVerb, key: str, order: OperatorOrder
    ) -> None:
        """Give an operator's order, once per key. Raises as `offer_terms` does."""
        ...


class Hints(Protocol):
    """Where a hint goes that something happened to an intent."""

    async def hint(self, workflow_id: str, intent_id: str) -> None:
        """Signal a workflow. Raises NotRunning if none runs under the id, or Unavailable."""
        ...

    async def late_fact(self, kind: LateKind, object_id: str) -> None:
        """Have an object at the provider looked at, again if that is under way.

        Raises Unavailable.
        """
        ...
