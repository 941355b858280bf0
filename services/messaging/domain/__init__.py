"""The rules of threads and messages, pure: who writes when, and what is told before a hire."""

from services.messaging.domain.attachment import ATTACHMENTS_LIMIT, Attachment, check_kept
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
    ChannelMember,
    Engagement,
    Job,
    Proposal,
    SeenThread,
    Thread,
    ThreadKind,
    Work,
)

__all__ = [
    "ATTACHMENTS_LIMIT",
    "TEXT_LIMIT",
    "WELCOME",
    "Attachment",
    "Change",
    "ChangeKind",
    "ChannelMember",
    "Content",
    "Engagement",
    "Job",
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
    "Work",
    "check_content",
    "check_kept",
    "check_text",
]
