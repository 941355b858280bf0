"""Reads the event stream once, as any consumer could, without leaving a trace on it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import nats
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from deploy.local.audit.facts import SeenEvent
from hireflow.common.v1.event_options_pb2 import event
from hireflow.contracts.v1 import contract_events_pb2
from hireflow.hiring.v1 import hire_events_pb2
from hireflow.jobs.v1 import job_events_pb2
from hireflow.messaging.v1 import thread_events_pb2
from hireflow.proposals.v1 import proposal_events_pb2

STREAM = "HIREFLOW"
_BATCH = 500
_FORGOTTEN_SECONDS = 60.0
_FETCH_SECONDS = 10.0
_FILES: tuple[FileDescriptor, ...] = (
    contract_events_pb2.DESCRIPTOR,
    hire_events_pb2.DESCRIPTOR,
    job_events_pb2.DESCRIPTOR,
    proposal_events_pb2.DESCRIPTOR,
    thread_events_pb2.DESCRIPTOR,
)
EVENT_TYPES: Mapping[str, type[Message]] = {
    descriptor.GetOptions().Extensions[event].type: GetMessageClass(descriptor)
    for file in _FILES
    for descriptor in file.message_types_by_name.values()
    if descriptor.GetOptions().HasExtension(event)
}


async def read_stream(
    nats_url: str, since: datetime
) -> Mapping[tuple[str, str], Sequence[SeenEvent]]:
    """Read every event stored since a moment, by aggregate and its id, in the stream's order.

    A stream that is not there, as in the first moments after its server lost everything, stores
    nothing: whoever misses an event of it looks again.

    Raises:
        nats.errors.Error: the server does not answer.
        TimeoutError: it stopped answering on the way.

    """
    connection = await nats.connect(nats_url)
    events: dict[tuple[str, str], list[SeenEvent]] = defaultdict(list)
    try:
        stream = connection.jetstream()
        # An unnamed consumer that acknowledges nothing: the server forgets it by itself, though not
        # while a busy machine keeps the reader waiting.
        reading = ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            deliver_policy=DeliverPolicy.BY_START_TIME,
            opt_start_time=since,
            inactive_threshold=_FORGOTTEN_SECONDS,
        )
        try:
            subscription = await stream.pull_subscribe(">", stream=STREAM, config=reading)
        except NotFoundError:
            return events
        left = (await subscription.consumer_info()).num_pending or 0
        while left > 0:
            messages = await subscription.fetch(min(left, _BATCH), timeout=_FETCH_SECONDS)
            left -= len(messages)
            for message in messages:
                seen = _seen(message)
                events[seen.aggregate, seen.aggregate_id].append(seen)
        await subscription.unsubscribe()
    finally:
        await connection.close()
    return events


def _seen(message: Msg) -> SeenEvent:
    headers = message.headers or {}
    known = EVENT_TYPES.get(headers["ce-type"])
    return SeenEvent(
        id=headers["ce-id"],
        type=headers["ce-type"],
        aggregate=headers["ce-aggregatetype"],
        aggregate_id=headers["ce-subject"],
        version=int(headers["ce-aggregateversion"]),
        message=known.FromString(message.data) if known else None,
    )
