"""What is charged and given back: frozen orders, and how each stands at the provider."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.common.errors import Refused


class FundingState(StrEnum):
    """How a funding stands. At most one of a milestone is OPEN or PAID."""

    OPEN = "OPEN"
    PAID = "PAID"
    CANCELED = "CANCELED"
    REFUNDED = "REFUNDED"


_NEXT = {
    FundingState.OPEN: {FundingState.PAID, FundingState.CANCELED},
    FundingState.PAID: {FundingState.REFUNDED},
    # A charge that the provider made after all is given back, whatever we had closed.
    FundingState.CANCELED: {FundingState.REFUNDED},
    FundingState.REFUNDED: set[FundingState](),
}


@dataclass(frozen=True, slots=True)
class FundingDraft:
    """What is to be charged, frozen before the provider hears of it. Amounts are minor units."""

    funding_id: str
    hire_id: str
    milestone_id: str
    contract_id: str
    organisation_id: str
    workflow_id: str
    revision: int
    customer_id: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class FundingChange:
    """What a step learned of a funding."""

    funding_id: str
    state: FundingState
    intent_id: str | None = None
    charge_id: str | None = None


@dataclass(frozen=True, slots=True)
class Funding(FundingDraft):
    """A funding: its one intent at the provider, and the charge once it succeeded.

    `creates_failed` counts the creates that the provider answered with a failure of its own, which
    it keeps under their key: each further one needs another.
    """

    state: FundingState
    intent_id: str | None
    charge_id: str | None
    create_sent_at: datetime | None
    creates_failed: int = 0

    @property
    def closed(self) -> bool:
        """Whether nothing can be charged under it any more, or was given back."""
        return self.state in {FundingState.CANCELED, FundingState.REFUNDED}

    def require(self, change: FundingChange) -> None:
        """Refuse a change that the provider can never have made; the present state may repeat.

        Raises Refused WRONG_STATE.
        """
        if change.state is not self.state and change.state not in _NEXT[self.state]:
            message = f"funding {self.funding_id} is {self.state} and cannot become {change.state}"
            raise Refused("WRONG_STATE", message)


@dataclass(frozen=True, slots=True)
class RefundDraft:
    """A charge to be given back in full; `refund_id` is ours. The amount is in minor units."""

    refund_id: str
    funding_id: str
    charge_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class RefundRow(RefundDraft):
    """A refund: when it was first sent, and the provider's id once it exists."""

    sent_at: datetime | None
    provider_id: str | None
