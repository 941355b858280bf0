"""One sandbox process for these tests, empty at the start of each, every answer checked."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import stripe

from deploy.local.forking import ForkServer
from tests.stripe_sandbox.client import PUBLISHABLE_KEY, SECRET_KEY, CheckedClient, Record, connect
from tests.stripe_sandbox.process import Control, SandboxProcess
from tests.stripe_sandbox.receiver import Receiver
from tests.stripe_sandbox.schema import problem_of_event


@pytest.fixture(scope="session")
async def sandbox(
    tmp_path_factory: pytest.TempPathFactory, forks: ForkServer
) -> AsyncIterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("stripe") / "sandbox.sqlite", forks)
    await process.start()
    yield process
    await process.stop()


@pytest.fixture(scope="session")
async def session_control(sandbox: SandboxProcess) -> AsyncIterator[Control]:
    control = Control(sandbox.base)
    yield control
    await control.http.aclose()


@pytest.fixture
async def control(session_control: Control) -> Control:
    await session_control.post("/reset")
    return session_control


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[CheckedClient]:
    checked = CheckedClient(Record())
    yield checked
    await checked.close()


@pytest.fixture
async def record(
    control: Control, sandbox: SandboxProcess, http: CheckedClient
) -> AsyncIterator[Record]:
    """What the SDK was answered in this test; at the end its answers and all events must fit."""
    found = http.record = Record()
    yield found
    events = await every_event(sandbox.base)
    found.problems += [
        f"{event['type']}: {problem}"
        for event in events
        if (problem := problem_of_event(event)) is not None
    ]
    assert not found.problems, "\n".join(found.problems)
    assert found.answers, "no answer was checked"


@pytest.fixture
def client(sandbox: SandboxProcess, http: CheckedClient, record: Record) -> stripe.StripeClient:
    return connect(sandbox.base, http)


@pytest.fixture
def browser(sandbox: SandboxProcess, http: CheckedClient, record: Record) -> stripe.StripeClient:
    """What Stripe.js is: the publishable key and, per call, a client secret."""
    return connect(sandbox.base, http, PUBLISHABLE_KEY)


@pytest.fixture
async def hasty(sandbox: SandboxProcess, record: Record) -> AsyncIterator[stripe.StripeClient]:
    """A client that gives up after half a second."""
    impatient = CheckedClient(record, timeout=0.5)
    yield connect(sandbox.base, impatient)
    await impatient.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver.open() as found:
        yield found


async def every_event(base: str) -> list[dict[str, Any]]:
    """All events, oldest first, page by page."""
    found: list[dict[str, Any]] = []
    async with httpx.AsyncClient(base_url=base, trust_env=False, auth=(SECRET_KEY, "")) as http:
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = json.loads((await http.get("/v1/events", params=query)).content)
            found += page["data"]
            if not page["has_more"]:
                return found[::-1]
            query["starting_after"] = found[-1]["id"]
