"""What happens in a thread, one thing after the other."""

from dataclasses import dataclass
from enum import StrEnum

from services.messaging.domain.message import Message, Sender


class ChangeKind(StrEnum):
    """What can happen in a thread."""

    SENT = "SENT"
    EDITED = "EDITED"
    DELETED = "DELETED"
    READ = "READ"
    JOINED = "JOINED"
    LEFT = "LEFT"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened. `number` counts from 1 in each thread without a gap.

    Attributes:
        message: the message written, edited or deleted, as it stands by now; otherwise the one
            that was read; None where people joined or left.
        person: who read, joined or left.

    """

    number: int
    kind: ChangeKind
    message: Message | None
    person: Sender | None
