"""What the hire asks of a payment provider: small ports and the values they speak in.

Amounts are integer minor units; currencies are ISO 4217 in upper case on our side, whatever the
provider writes. A business outcome (a declined card, a payment that needs the client) is a value;
an outcome that is not known is `Unknown`, to be asked about again; a request that the provider
will never accept is `Rejected`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class IntentStatus(StrEnum):
    """The states of a payment intent that matter to a funding."""

    NEEDS_METHOD = "NEEDS_METHOD"
    NEEDS_CONFIRMATION = "NEEDS_CONFIRMATION"
    NEEDS_ACTION = "NEEDS_ACTION"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    CANCELED = "CANCELED"

    @property
    def final(self) -> bool:
        """Whether the provider will never change it again."""
        return self in {IntentStatus.SUCCEEDED, IntentStatus.CANCELED}


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment intent as the provider tells it now."""

    intent_id: str
    status: IntentStatus
    amount: int
    amount_received: int
    currency: str
    funding_id: str | None
    charge_id: str | None
    decline_code: str | None


@dataclass(frozen=True, slots=True)
class IntentOrder:
    """What an intent is created from; frozen in a row before it is sent the first time."""

    funding_id: str
    customer_id: str
    amount: int
    currency: str
    env: str
    workflow_id: str
    transfer_group: str


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as the provider tells it now; `failed` may become true long after it was made.

    `refund_id` is ours, from the metadata; None if it is none that we made.
    """

    provider_id: str
    amount: int
    failed: bool
    refund_id: str | None = None


class DisputeStatus(StrEnum):
    """How a dispute stands; an inquiry has taken no money."""

    INQUIRY = "INQUIRY"
    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute of a charge as the provider tells it now."""

    dispute_id: str
    charge_id: str
    intent_id: str | None
    amount: int
    currency: str
    status: DisputeStatus


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """A payment method saved with a customer."""

    method_id: str
    customer_id: str | None
    type: str
    brand: str
    last4: str
    expiry_month: int
    expiry_year: int
    created: datetime


@dataclass(frozen=True, slots=True)
class Setup:
    """A setup intent; its secret goes to the client and nowhere else."""

    setup_id: str
    client_secret: str


class Unknown(Exception):
    """The provider's answer is not known: network, 409, 429 or 5xx. Ask again, same key."""


class ServerFailed(Unknown):
    """The provider answered 5xx and keeps that answer under the key: read first, then a new key.

    See docs.stripe.com/api/idempotent_requests: a stored 500 is replayed for 24 hours.
    """


class Rejected(Exception):
    """The provider refuses the request for good; repeating it cannot help.

    `code` is the provider's own word, such as "resource_missing".
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Intents(Protocol):
    """Charging: every write takes an idempotency key that lives 24 hours at the provider."""

    async def create(self, order: IntentOrder, key: str) -> Intent:
        """Create an unconfirmed intent. Same key, same order: the same intent."""
        ...

    async def find(self, order: IntentOrder, since: datetime) -> Intent | None:
        """Look an order's intent up by list and metadata, for keys that are too old."""
        ...

    async def confirm(self, intent_id: str, method_id: str, key: str) -> Intent:
        """Confirm with a method. Declined or already final: the intent as it is, no error."""
        ...

    async def read(self, intent_id: str) -> Intent:
        """Read an intent."""
        ...

    async def cancel(self, intent_id: str) -> Intent:
        """Cancel if still possible; the answer tells what the intent is now."""
        ...

    async def client_secret(self, intent_id: str) -> str:
        """Fetch the secret with which a client confirms; never store it."""
        ...


class Refunds(Protocol):
    """Giving charges back."""

    async def create(self, charge_id: str, refund_id: str, amount: int, key: str) -> Refund:
        """Refund a charge. `refund_id` is ours and stands in the metadata."""
        ...

    async def find(self, charge_id: str, refund_id: str) -> Refund | None:
        """Look a refund up by list and metadata, for keys that are too old."""
        ...

    async def read(self, provider_id: str) -> Refund:
        """Read a refund."""
        ...


class Disputes(Protocol):
    """Charges that the employer's bank contests."""

    async def read(self, dispute_id: str) -> Dispute:
        """Read a dispute."""
        ...


class Customers(Protocol):
    """An organisation's customer and its saved methods."""

    async def create(self, organisation_id: str, key: str) -> str:
        """Create the customer; answer with its id."""
        ...

    async def setup(self, customer_id: str, key: str) -> Setup:
        """Begin saving a method."""
        ...

    async def methods(self, customer_id: str) -> list[SavedMethod]:
        """List the saved methods, newest first."""
        ...

    async def detach(self, customer_id: str, method_id: str) -> bool:
        """Forget a method of this customer; false if the customer has no such method."""
        ...
