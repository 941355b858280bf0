"""What the checker can say against a hire."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of findings.

    LOST: something that must exist does not, or money that nobody knows of does. DOUBLED: it
    exists twice. STUCK: a hire neither ended nor waits for somebody who may take their time.
    LEDGER: Stripe and the ledger differ. RESERVATION: positions or proposals are held for nobody.
    EVENTS: the stream has a gap, a repeat, or tells another story than the rows. END: the hire,
    its contract and its workflow do not agree on how it ended. PROMISE: it did not become what a
    client was told. PROCESS: a process ended untold, did not come back, or told of a defect.
    """

    LOST = "LOST"
    DOUBLED = "DOUBLED"
    STUCK = "STUCK"
    LEDGER = "LEDGER"
    RESERVATION = "RESERVATION"
    EVENTS = "EVENTS"
    END = "END"
    PROMISE = "PROMISE"
    PROCESS = "PROCESS"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence that does not hold, told with what was read."""

    kind: Kind
    hire_id: str
    told: str
