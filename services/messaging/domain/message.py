"""One message, who wrote it, what its text may be, and what its author may do with it later."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from services.common.errors import Problems, Refused
from services.messaging.domain.attachment import Attachment, check_attachments

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
class Content:
    """What somebody wants to say."""

    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said before an edit. `number` counts from 1."""

    number: int
    text: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it stands in its thread. `sequence` counts from 1 without a gap.

    A deleted message has neither text nor attachments; all else of it stays.
    """

    message_id: str
    thread_id: str
    sequence: int
    kind: MessageKind
    sender: Sender
    text: str
    create_time: datetime
    attachments: tuple[Attachment, ...] = ()
    edit_count: int = 0
    edit_time: datetime | None = None
    delete_time: datetime | None = None

    def version(self) -> Version:
        """Give what it says now as the version that the next edit leaves behind."""
        return Version(self.edit_count + 1, self.text, self.edit_time or self.create_time)

    def edit(self, author: Sender, text: str, now: datetime) -> Self:
        """Reword it; the same text again changes nothing, and what was attached stays.

        Raises:
            Refused: MESSAGE_NOT_OWN, MESSAGE_DELETED.

        """
        self._require_own(author)
        if self.delete_time is not None:
            raise Refused("MESSAGE_DELETED", "the message was deleted: write a new one")
        if text == self.text:
            return self
        time = max(now, self.edit_time or self.create_time)
        return replace(self, text=text, edit_count=self.edit_count + 1, edit_time=time)

    def delete(self, author: Sender, now: datetime) -> Self:
        """Take it back; a second time changes nothing. Raises Refused MESSAGE_NOT_OWN."""
        self._require_own(author)
        if self.delete_time is not None:
            return self
        time = max(now, self.edit_time or self.create_time)
        return replace(self, text="", attachments=(), delete_time=time)

    def _require_own(self, author: Sender) -> None:
        # A system message is a service's, and services neither edit nor delete.
        if self.sender != author:
            raise Refused("MESSAGE_NOT_OWN", "only its author may change a message")


def check_text(text: str, noted: Problems) -> None:
    """Note what is wrong with a text that somebody wants to send."""
    noted.require(text.strip(), "text", "must not be blank")
    short = len(text) <= TEXT_LIMIT
    noted.require(short, "text", f"must have at most {TEXT_LIMIT:,} characters")
    # PostgreSQL stores no NUL, and no screen shows the other control characters.
    clean = all(each >= " " or each in _LAYOUT for each in text)
    noted.require(clean, "text", "must have no control characters but line breaks and tabs")


def check_content(content: Content, noted: Problems) -> None:
    """Note what is wrong with a new message; its text may be empty beside attachments."""
    if content.text or not content.attachments:
        check_text(content.text, noted)
    check_attachments(content.attachments, noted)
