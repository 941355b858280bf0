"""The rules of threads and messages, pure: who writes when, and what is told before a hire."""

from services.messaging.domain.message import (
    TEXT_LIMIT,
    Message,
    MessageKind,
    Sender,
    SenderKind,
    check_text,
)
from services.messaging.domain.thread import WELCOME, Engagement, Proposal, Thread, ThreadKind

__all__ = [
    "TEXT_LIMIT",
    "WELCOME",
    "Engagement",
    "Message",
    "MessageKind",
    "Proposal",
    "Sender",
    "SenderKind",
    "Thread",
    "ThreadKind",
    "check_text",
]
