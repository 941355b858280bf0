"""A Stripe charge as the hire workflow tells it; the service itself never asks Stripe."""

from dataclasses import dataclass

from services.common.errors import Refused


@dataclass(frozen=True, slots=True)
class Charge:
    """What was charged, in minor units, for which funding."""

    charge_id: str
    payment_intent_id: str
    funding_id: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class RecordedCharge:
    """What a charge was booked as: it funded the milestone, or was given back in full.

    `refund_id` is empty for a charge that funded.
    """

    charge: Charge
    contract_id: str
    milestone_id: str
    refund_id: str = ""

    def require_same(self, other: "RecordedCharge | None") -> None:
        """Accept a repeat of what is recorded.

        Raises:
            Refused: CHARGE_RECORDED where the charge, its funding or its refund was booked as
                something else.

        """
        if self != other:
            raise _recorded_otherwise()

    def require_refund_of(self, milestone_id: str) -> None:
        """Accept that its refund is booked for a milestone, which must be its own.

        Raises:
            Refused: CHARGE_RECORDED where the refund is another milestone's.

        """
        if self.milestone_id != milestone_id:
            raise _recorded_otherwise()


def _recorded_otherwise() -> Refused:
    told = "the charge, its funding or its refund is recorded already, as something else"
    return Refused("CHARGE_RECORDED", told)
