"""Who may call each method of ContractsService: the row that every method must have.

A kind that is denied is refused with CALLER_NOT_ALLOWED whatever it asks for; a kind that is
allowed may still be told NOT_FOUND of what is not its own, and a trainer is shown no costs.
"""

from typing import Literal

Answer = Literal["allowed", "denied"]


def _row(*allowed: str) -> dict[str, Answer]:
    kinds = ("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE")
    return {kind: "allowed" if kind in allowed else "denied" for kind in kinds}


AUTHORISATION: dict[str, dict[str, Answer]] = {
    "QuoteMilestone": _row("EMPLOYER", "AGENT", "OPERATOR", "SERVICE"),
    "GetContract": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
    "ListContracts": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
    "GetInvoice": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
    "ListInvoices": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
    "ListLedgerEntries": _row("EMPLOYER", "AGENT", "OPERATOR", "SERVICE"),
    "CreateContract": _row("SERVICE"),
    "AmendContract": _row("SERVICE"),
    "CancelContract": _row("SERVICE"),
    "ActivateContract": _row("SERVICE"),
    "RecordRefundedCharge": _row("SERVICE"),
    "RecordRefundFailed": _row("SERVICE"),
    "RecordDispute": _row("SERVICE"),
    "VerifyLedger": _row("OPERATOR"),
    "RefundContract": _row("SERVICE"),
}
