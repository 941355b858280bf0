"""What the events of threads do here: they tell which one is a proposal's."""

from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.messaging.v1 import thread_events_pb2, thread_pb2
from services.common.inbox import Received, Subscription
from services.common.outbox import event_type
from services.proposals.use_cases import viewing


async def on_thread_created(tx: AsyncConnection, event: Received) -> None:
    """Keep which thread is a proposal's."""
    thread = event.message(thread_events_pb2.ThreadCreated)
    if thread.kind == thread_pb2.THREAD_KIND_PROPOSAL:
        await viewing.learn_thread(tx, thread.proposal_id, thread.thread_id)


THREADS = Subscription(
    consumer="proposals-threads",
    subjects=("hireflow.messaging.v1.thread.*", "hireflow.messaging.v1.message.*"),
    handlers={event_type(thread_events_pb2.ThreadCreated): on_thread_created},
    read_model=("thread",),
)
