"""Threads and messages as the proto writes them."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from hireflow.common.v1 import actor_pb2
from hireflow.messaging.v1 import channel_pb2, thread_pb2
from services.common.errors import Problems
from services.messaging.domain import (
    Attachment,
    Change,
    ChangeKind,
    ChannelMember,
    Content,
    Message,
    MessageKind,
    SeenThread,
    Sender,
    Thread,
    ThreadKind,
    Version,
)

_KINDS: dict[int, ThreadKind] = {
    thread_pb2.ThreadKind.Value(f"THREAD_KIND_{kind}"): kind for kind in ThreadKind
}


def read_kinds(number: int, noted: Problems) -> frozenset[ThreadKind]:
    """Read the kind that a list is asked for, noting an unknown one; unspecified means all."""
    noted.require(number in {0, *_KINDS}, "kind", "must be a known kind")
    return frozenset({_KINDS[number]}) if number in _KINDS else frozenset(ThreadKind)


def read_oldest_first(order: int, noted: Problems) -> bool:
    """Read in which direction messages are listed, noting an unknown one; newest first if none."""
    noted.require(order in thread_pb2.MessageOrder.values(), "order", "must be a known order")
    return order == thread_pb2.MESSAGE_ORDER_OLDEST_FIRST


def thread_kind(kind: ThreadKind) -> "thread_pb2.ThreadKind.ValueType":
    """Write what a thread is for."""
    return thread_pb2.ThreadKind.Value(f"THREAD_KIND_{kind}")


def message_kind(kind: MessageKind) -> "thread_pb2.MessageKind.ValueType":
    """Write what kind of message it is."""
    return thread_pb2.MessageKind.Value(f"MESSAGE_KIND_{kind}")


def actor(sender: Sender) -> actor_pb2.Actor:
    """Write who sent a message."""
    return actor_pb2.Actor(
        kind=actor_pb2.ActorKind.Value(f"ACTOR_KIND_{sender.kind}"), id=sender.id
    )


def seen_message(seen: SeenThread) -> thread_pb2.Thread:
    """Write a thread as its reader sees it."""
    written = thread_message(seen)
    written.unread_count = seen.unread_count
    return written


def thread_message(thread: Thread) -> thread_pb2.Thread:
    """Write a thread to one who has no read marks."""
    return thread_pb2.Thread(
        thread_id=thread.thread_id,
        kind=thread_kind(thread.kind),
        organisation_id=thread.organisation_id,
        job_id=thread.job_id,
        proposal_id=thread.proposal_id,
        contract_id=thread.contract_id,
        trainer_ids=thread.trainer_ids,
        message_count=thread.message_count,
        create_time=_timestamp(thread.create_time),
        last_message_time=_timestamp(thread.last_message_time),
        name=thread.name,
    )


def member_message(member: ChannelMember) -> channel_pb2.ChannelMember:
    """Write a trainer in a channel."""
    return channel_pb2.ChannelMember(
        trainer_id=member.trainer_id, join_time=_timestamp(member.join_time)
    )


def message_message(message: Message) -> thread_pb2.Message:
    """Write a message of a thread."""
    written = thread_pb2.Message(
        message_id=message.message_id,
        thread_id=message.thread_id,
        sequence=message.sequence,
        kind=message_kind(message.kind),
        sender=actor(message.sender),
        text=message.text,
        create_time=_timestamp(message.create_time),
        attachments=[thread_pb2.Attachment(**asdict(each)) for each in message.attachments],
        edit_count=message.edit_count,
    )
    if message.edit_time is not None:
        written.edit_time.FromDatetime(message.edit_time)
    if message.delete_time is not None:
        written.delete_time.FromDatetime(message.delete_time)
    return written


def change_message(change: Change | None) -> thread_pb2.WatchThreadResponse:
    """Write what happened in a thread; nothing in a stream's first answer."""
    written = thread_pb2.WatchThreadResponse()
    match change:
        case None:
            pass
        case Change(kind=ChangeKind.READ, message=Message() as message, person=Sender() as reader):
            mark = thread_pb2.ReadMark(reader=actor(reader), sequence=message.sequence)
            written.read.CopyFrom(mark)
        case Change(kind=kind, message=Message() as message):
            getattr(written, kind.lower()).CopyFrom(message_message(message))
        case Change(kind=kind, person=Sender() as person):
            getattr(written, kind.lower()).CopyFrom(actor(person))
    return written


def version_message(version: Version) -> thread_pb2.MessageVersion:
    """Write what a message said before an edit."""
    return thread_pb2.MessageVersion(
        number=version.number, text=version.text, create_time=_timestamp(version.create_time)
    )


def read_content(text: str, attachments: Iterable[thread_pb2.Attachment]) -> Content:
    """Read what somebody wants to say."""
    files = (
        Attachment(each.name, each.media_type, each.size_bytes, each.sha256, each.address)
        for each in attachments
    )
    return Content(text, tuple(files))


def _timestamp(time: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
