"""One message, who wrote it, and what its text may be."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.common.errors import Problems

TEXT_LIMIT = 10_000
_LAYOUT = frozenset("\n\r\t")


class MessageKind(StrEnum):
    """The kinds of message."""

    TEXT = "TEXT"
    SYSTEM = "SYSTEM"


class SenderKind(StrEnum):
    """Who may write; operators change nothing here."""

    EMPLOYER = "EMPLOYER"
    AGENT = "AGENT"
    TRAINER = "TRAINER"
    SERVICE = "SERVICE"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote: an identity, never a name."""

    kind: SenderKind
    id: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it stands in its thread. `sequence` counts from 1 without a gap."""

    message_id: str
    thread_id: str
    sequence: int
    kind: MessageKind
    sender: Sender
    text: str
    create_time: datetime


def check_text(text: str, noted: Problems) -> None:
    """Note what is wrong with a text that somebody wants to send."""
    noted.require(text.strip(), "text", "must not be blank")
    short = len(text) <= TEXT_LIMIT
    noted.require(short, "text", f"must have at most {TEXT_LIMIT:,} characters")
    # PostgreSQL stores no NUL, and no screen shows the other control characters.
    clean = all(each >= " " or each in _LAYOUT for each in text)
    noted.require(clean, "text", "must have no control characters but line breaks and tabs")
