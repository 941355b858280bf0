"""A pull ends when it is told to, also in the instant in which something arrives."""

import asyncio
from uuid import uuid4

import pytest
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig

from services.common.bus import EVENTS, Bus
from services.common.pull import Pull


async def test_a_pull_that_is_cancelled_as_a_heartbeat_arrives_ends(bus: Bus) -> None:
    name = f"idle-{uuid4().hex}"
    jetstream = await bus.jetstream()
    nothing = "hireflow.nobody.v1.nothing.*"
    await jetstream.add_consumer(EVENTS, ConsumerConfig(durable_name=name, filter_subject=nothing))
    async with Pull.bind(bus.client, EVENTS, name, heartbeat=1.0) as pull:
        waiting = asyncio.create_task(pull.next_batch())
        await asyncio.sleep(0.2)  # until it waits for a message
        heartbeat = Msg(bus.client, data=b"", headers={"Status": "100"})
        # Both in one turn of the loop: the library takes the message and forgets the cancellation.
        pull._inbox._pending_queue.put_nowait(heartbeat)  # noqa: SLF001 - where the server's arrive
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 10)
