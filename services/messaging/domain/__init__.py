"""The rules of threads and messages, pure: who writes when, and what is told before a hire."""

from services.messaging.domain.contact_details import REMOVED, without_contact_details
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
    "REMOVED",
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
    "without_contact_details",
]
