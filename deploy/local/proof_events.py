"""Whether the events of a running stack are through: taken, applied, and none given up."""

import asyncio

import httpx
import nats
from nats.js import JetStreamContext
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.audit.stream import STREAM
from deploy.local.data_dir import DataDir
from deploy.local.events_desk import open_desk
from deploy.local.journey import CATCH_UP_SECONDS
from deploy.local.state import read_status

_HELD = "hireflow_consumer_held"


async def unfinished(data: DataDir, nats_url: str) -> list[str]:
    """Tell in words what is not through, once nothing is or the time is over; bounded.

    Held back is what the processes' figures tell, which are a few seconds old at most.

    Raises:
        StackFailure: no service runs on the data directory.

    """
    deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
    connection = await nats.connect(nats_url)
    try:
        while True:
            left = await _left(data, connection.jetstream())
            if not left or asyncio.get_running_loop().time() > deadline:
                return left
            await asyncio.sleep(0.05)  # between two looks at the consumers
    finally:
        await connection.close()


async def _left(data: DataDir, stream: JetStreamContext) -> list[str]:
    consumers = await stream.consumers_info(STREAM)
    lasting = [consumer for consumer in consumers if consumer.config.durable_name]
    left = [f"{each.name} has more to take" for each in lasting if each.num_pending]
    left += [f"{each.name} has more to acknowledge" for each in lasting if each.num_ack_pending]
    if not lasting:
        left.append("no consumer takes events")
    if left:
        return left
    async with open_desk(data) as desk:
        left = [
            f"{each.consumer} gave up {each.event_type}" for each in await desk.dead_letters("")
        ]
    held = await _held(data)
    for each in lasting:
        number = held.get(each.name)
        if number is None:
            left.append(f"{each.name} does not tell what it holds back")
        elif number:
            left.append(f"{each.name} holds back {number:g}")
    return left


async def _held(data: DataDir) -> dict[str, float]:
    """Read how many events each consumer holds back, as its process tells Prometheus."""
    processes = read_status(data).content["processes"]
    told: dict[str, float] = {}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for each in processes:
            if each["pid"] and "metrics" in each["addresses"]:
                answer = await client.get(each["addresses"]["metrics"])
                told |= _held_in(answer.raise_for_status().text)
    return told


def _held_in(text: str) -> dict[str, float]:
    return {
        sample.labels["hireflow_consumer"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == _HELD
    }
