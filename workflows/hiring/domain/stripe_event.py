"""What the payment provider told by webhook, reduced to ids; where each word of it goes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.hiring.domain.funding import Funding, FundingState

# An event may overtake our own commit; what is not ours by then never will be.
PATIENCE = timedelta(minutes=15)


class LateKind(StrEnum):
    """The objects at the provider that late facts are about."""

    INTENT = "INTENT"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"


class Route(StrEnum):
    """Where an event went.

    HINTED: to the workflow of its funding. LATE_FACT: it concerns what is over, or money after the
    hire, and goes to the workflow of its object unless it tells nothing new. UNROUTABLE: nothing
    of ours, or of a kind that nobody here can book yet. WAITING: its funding is not there yet.
    IGNORED: of a type that nothing here uses.
    """

    HINTED = "HINTED"
    LATE_FACT = "LATE_FACT"
    UNROUTABLE = "UNROUTABLE"
    WAITING = "WAITING"
    IGNORED = "IGNORED"


# What the endpoint at Stripe is to be subscribed to: what is routed somewhere, and no more.
SUBSCRIBED = (
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "charge.refund.updated",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "transfer.created",
    "transfer.reversed",
    "transfer.updated",
    "payout.canceled",
    "payout.created",
    "payout.failed",
    "payout.paid",
    "payout.updated",
)
_INTENT = "payment_intent."
_LATE = {
    _INTENT: LateKind.INTENT,
    "refund.": LateKind.REFUND,
    "charge.refund.": LateKind.REFUND,
    "charge.dispute.": LateKind.DISPUTE,
}
_NOT_BOOKED = ("transfer.", "payout.")
# Told again when it is over already: what we knew from the answer to our own call.
_AGREES = {
    "payment_intent.succeeded": {FundingState.PAID, FundingState.REFUNDED},
    "payment_intent.canceled": {FundingState.CANCELED},
}


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """An event as received: ids and a status, no personal data and no secret.

    Attributes:
        object_id: the object that it tells of.
        status: the object's status when the event was made; empty if it has none.
        env: our metadata on the object: which environment made it; empty if none did.
        funding_id: our metadata: which funding it serves; empty if none.

    """

    event_id: str
    type: str
    object_id: str
    status: str
    env: str
    funding_id: str
    received_at: datetime

    @property
    def about_intent(self) -> bool:
        """Whether it may concern a hire that is under way."""
        return self.type.startswith(_INTENT)

    @property
    def late_kind(self) -> LateKind | None:
        """What its object is, where a late fact about that can be taken in."""
        return next((kind for start, kind in _LATE.items() if self.type.startswith(start)), None)

    def route(self, funding: Funding | None, env: str, now: datetime) -> Route:
        """Decide where it goes, given the funding that it names, if that exists."""
        if not self.about_intent:
            if self.late_kind is not None:
                return Route.LATE_FACT
            return Route.UNROUTABLE if self.type.startswith(_NOT_BOOKED) else Route.IGNORED
        if self.env != env or not self.funding_id:
            return Route.UNROUTABLE
        if funding is None:
            return Route.WAITING if now - self.received_at < PATIENCE else Route.UNROUTABLE
        return Route.HINTED if funding.state is FundingState.OPEN else Route.LATE_FACT

    def tells_nothing_new(self, funding: Funding | None) -> bool:
        """Whether a closed funding stands as the event says, or passed through it on its way."""
        if funding is None or funding.state is FundingState.OPEN:
            return False
        if self.type in _AGREES:
            return funding.state in _AGREES[self.type]
        return self.about_intent
