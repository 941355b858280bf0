"""On whom a running hire waits, and what it does next if nobody does anything."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.hiring.domain.hire import Hire, WaitingFor, WaitsOn


class NextAction(StrEnum):
    """What a hire does by itself."""

    UNDO_AT_DEADLINE = "UNDO_AT_DEADLINE"
    READ_PAYMENT = "READ_PAYMENT"
    RETRY_STEP = "RETRY_STEP"


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next automatic action, or none, and its time if one is set."""

    action: NextAction | None
    time: datetime | None = None


def outlook(hire: Hire) -> Outlook:
    """Tell what a running hire does next if nobody does anything."""
    if hire.waits_on is WaitsOn.OPERATOR:
        return Outlook(None)
    if hire.waiting_for is WaitingFor.BANK:
        return Outlook(NextAction.READ_PAYMENT)
    if hire.waits_on is WaitsOn.CLIENT:
        return Outlook(NextAction.UNDO_AT_DEADLINE, hire.wait_deadline)
    return Outlook(NextAction.RETRY_STEP)
