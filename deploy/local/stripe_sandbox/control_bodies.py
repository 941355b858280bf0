"""The bodies of the control API's verbs."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Nothing(_Body):
    """A verb without arguments."""


class Advance(_Body):
    """How far to move the clock."""

    advance_seconds: int = Field(ge=0)


class Balance(_Body):
    """Whether the platform's balance is empty."""

    empty: bool = True


class Resend(_Body):
    """Which endpoint; all that the event was for, when absent."""

    endpoint: str | None = None


class Authenticate(_Body):
    """How 3-D Secure ended."""

    outcome: Literal["success", "fail"]


class Settle(_Body):
    """How a bank debit or a payout ended; a failed debit may name its code."""

    outcome: Literal["succeed", "fail"]
    code: str = "insufficient_funds"


class FailRefund(_Body):
    """Why the bank sent the refund back."""

    reason: str = "expired_or_canceled_card"


class OpenDispute(_Body):
    """Why the cardholder disputes."""

    reason: str = "fraudulent"


class CloseDispute(_Body):
    """Who won."""

    outcome: Literal["won", "lost"]
