"""A dependency that is down, at start or later: named, NOT_SERVING, and back by itself."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hireflow.hiring.v1 import hire_pb2
from tests.e2e.conftest import System
from tests.waiting import until, until_logged

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
HIRING = hire_pb2.DESCRIPTOR.services_by_name["HiringService"].full_name
WHOLE = ""


async def health(address: str, service: str) -> int:
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=service)
        return int((await stub.Check(request, wait_for_ready=True, timeout=30)).status)


async def until_health(address: str, service: str, expected: int) -> None:
    async def held() -> bool:
        return await health(address, service) == expected

    await until(held)


async def hires(system: System) -> None:
    journey = await system.proposed("pm_card_visa")
    started = await journey.start(await journey.start_request())
    hire = await system.ended(journey, started.hire.hire_id)
    assert hire.state == hire_pb2.HIRE_STATE_HIRED


@pytest.mark.parametrize("process", ["hiring", "worker"])
async def test_a_process_started_without_temporal_says_so_and_serves_once_it_is_there(
    system: System, process: str
) -> None:
    stack, log = system.stack, system.stack.process(process).log
    address = getattr(stack.addresses, process)
    await stack.kill("temporal")
    await stack.kill(process)
    before = len(log.read_text())
    starting = asyncio.create_task(stack.start(process))
    await until_logged(log, before, "dependency down", '"temporal"')
    assert await health(address, WHOLE) == NOT_SERVING
    assert not starting.done()
    await stack.start("temporal")
    await asyncio.wait_for(starting, 60)
    assert await health(address, WHOLE) == SERVING
    await hires(system)


async def test_temporal_that_goes_away_is_waited_for_by_the_api_and_the_worker(
    system: System,
) -> None:
    stack = system.stack
    await stack.kill("temporal")
    for process in ("hiring", "worker"):
        await until_health(getattr(stack.addresses, process), WHOLE, NOT_SERVING)
    await until_health(stack.addresses.hiring, HIRING, NOT_SERVING)
    await stack.start("temporal")
    for process in ("hiring", "worker"):
        await until_health(getattr(stack.addresses, process), WHOLE, SERVING)
    await until_health(stack.addresses.hiring, HIRING, SERVING)
    await hires(system)


async def test_stripe_that_goes_away_is_told_while_what_needs_no_stripe_goes_on(
    system: System,
) -> None:
    stack = system.stack
    journey = await system.proposed("pm_card_visa")
    started = await journey.start(await journey.start_request())
    await system.ended(journey, started.hire.hire_id)
    logs = {name: stack.process(name).log for name in ("hiring", "worker")}
    before = {name: len(log.read_text()) for name, log in logs.items()}
    await stack.kill("stripe")
    for name, log in logs.items():
        await until_logged(log, before[name], "dependency down", '"stripe"')
        await until_health(getattr(stack.addresses, name), WHOLE, NOT_SERVING)
    assert await health(stack.addresses.hiring, HIRING) == SERVING
    hire = await system.hire(journey, started.hire.hire_id)
    assert hire.state == hire_pb2.HIRE_STATE_HIRED
    await stack.start("stripe")
    for name in logs:
        await until_health(getattr(stack.addresses, name), WHOLE, SERVING)
    await hires(system)


async def test_a_process_started_without_stripe_serves_what_needs_none(system: System) -> None:
    stack = system.stack
    await stack.kill("stripe")
    await stack.kill("hiring")
    starting = asyncio.create_task(stack.start("hiring"))
    await until_health(stack.addresses.hiring, HIRING, SERVING)
    assert await health(stack.addresses.hiring, WHOLE) == NOT_SERVING
    await stack.start("stripe")
    await asyncio.wait_for(starting, 60)
    await hires(system)
