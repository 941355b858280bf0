"""The rules of threads and messages, pure: who writes when, and what is told before a hire."""

from services.messaging.domain.attachment import ATTACHMENTS_LIMIT, Attachment
from services.messaging.domain.change import Change, ChangeKind
from services.messaging.domain.mark import ReadMark
from services.messaging.domain.message import (
    TEXT_LIMIT,
    Content,
    Message,
    MessageKind,
    Sender,
    SenderKind,
    Version,
    check_content,
    check_text,
)
from services.messaging.domain.thread import (
    WELCOME,
    Engagement,
    Proposal,
    SeenThread,
    Thread,
    ThreadKind,
)

__all__ = [
    "ATTACHMENTS_LIMIT",
    "TEXT_LIMIT",
    "WELCOME",
    "Attachment",
    "Change",
    "ChangeKind",
    "Content",
    "Engagement",
    "Message",
    "MessageKind",
    "Proposal",
    "ReadMark",
    "SeenThread",
    "Sender",
    "SenderKind",
    "Thread",
    "ThreadKind",
    "Version",
    "check_content",
    "check_text",
]
