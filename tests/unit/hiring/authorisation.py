"""Who may call each method of hiring's services: the row that every method must have.

A kind that is denied is refused with CALLER_NOT_ALLOWED whatever it asks for; a kind that is
allowed may still be told NOT_FOUND of what is not its own, PAYER_ROLE_MISSING where money moves,
and an agent APPROVAL_UNAVAILABLE.
"""

from typing import Literal

Answer = Literal["allowed", "denied"]


def _row(*allowed: str) -> dict[str, Answer]:
    kinds = ("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE")
    return {kind: "allowed" if kind in allowed else "denied" for kind in kinds}


READERS = ("EMPLOYER", "AGENT", "OPERATOR", "SERVICE")

AUTHORISATION: dict[str, dict[str, Answer]] = {
    "QuoteHire": _row(*READERS),
    "StartHire": _row("EMPLOYER", "AGENT"),
    "GetHire": _row(*READERS),
    "WatchHire": _row(*READERS),
    "ListHires": _row(*READERS),
    "RetryPayment": _row("EMPLOYER"),
    "CancelHire": _row("EMPLOYER", "AGENT"),
    "ApproveHire": _row("EMPLOYER"),
    "DeclineHire": _row("EMPLOYER"),
    "CreatePaymentSetup": _row("EMPLOYER"),
    "ListPaymentMethods": _row("EMPLOYER", "AGENT"),
    "SetDefaultPaymentMethod": _row("EMPLOYER"),
    "RemovePaymentMethod": _row("EMPLOYER"),
}

OPERATIONS: dict[str, dict[str, Answer]] = {
    "ListStuckHires": _row("OPERATOR"),
    "GetHireTimeline": _row("OPERATOR"),
    "RetryHireStep": _row("OPERATOR"),
    "SkipHireThread": _row("OPERATOR"),
    "RefundHire": _row("OPERATOR"),
    "ExtendHireDeadline": _row("OPERATOR"),
}
