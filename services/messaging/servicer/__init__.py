"""MessagingService over gRPC: messages to arguments, use case, answer to message.

Who may call comes first, then every bad field at once, then the work.
"""

from services.messaging.servicer.messages import MessageCalls
from services.messaging.servicer.threads import ThreadCalls
from services.messaging.servicer.watching import WatchCalls


class MessagingServicer(ThreadCalls, MessageCalls, WatchCalls):
    """Answers the calls of MessagingService."""
