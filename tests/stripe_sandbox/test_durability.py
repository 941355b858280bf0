import asyncio
import gc
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import stripe
import typer
from typer.testing import CliRunner

from deploy.local.forking import ForkServer
from deploy.local.stripe_sandbox.__main__ import serve
from tests.stripe_sandbox.client import CheckedClient, Record, connect
from tests.stripe_sandbox.conftest import every_event
from tests.stripe_sandbox.payments import a_paid_intent, an_intent
from tests.stripe_sandbox.process import Control, SandboxProcess
from tests.stripe_sandbox.receiver import Receiver

CREATED = 30


@pytest.fixture
async def mortal(tmp_path: Path, forks: ForkServer) -> AsyncIterator[SandboxProcess]:
    process = SandboxProcess(tmp_path / "folder" / "mortal.sqlite", forks)
    await process.start()
    yield process
    await process.kill()


async def test_what_was_answered_survives_kill_nine(
    mortal: SandboxProcess, receiver: Receiver
) -> None:
    record = Record()
    http = CheckedClient(record)
    client = connect(mortal.base, http)
    control = Control(mortal.base)
    endpoint = await client.v1.webhook_endpoints.create_async(
        {"url": receiver.url, "enabled_events": ["payment_intent.succeeded"]}
    )
    receiver.secret = endpoint.secret or ""
    await control.post("/webhooks/hold")
    await control.post("/clock", advance_seconds=3600)
    paid = await a_paid_intent(client)
    waiting = await an_intent(client, metadata={"funding_id": "f1"})
    made = await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    events = await every_event(mortal.base)
    await mortal.kill()
    await mortal.start()
    assert await every_event(mortal.base) == events
    again = await client.v1.payment_intents.retrieve_async(paid.id)
    assert again.to_dict() == paid.to_dict()
    found = await client.v1.payment_intents.retrieve_async(waiting.id)
    assert found.metadata.to_dict() == {"funding_id": "f1"}
    replayed = await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    assert replayed.id == made.id
    assert record.headers["idempotent-replayed"] == "true"
    later = await client.v1.customers.create_async({"name": "B"})
    assert 0 <= later.created - made.created < 3600
    assert receiver.attempts == 0
    await control.post("/webhooks/release")
    assert await receiver.received(1) == ["payment_intent.succeeded"]
    assert not record.problems
    await control.http.aclose()
    await http.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_killed_in_a_burst_it_keeps_one_intent_for_each_key(mortal: SandboxProcess) -> None:
    http = CheckedClient(Record())
    client = connect(mortal.base, http)

    async def create(number: int) -> str:
        params: stripe.params.PaymentIntentCreateParams = {"amount": 1000, "currency": "usd"}
        made = await client.v1.payment_intents.create_async(
            params, {"idempotency_key": f"fund:{number}"}
        )
        return made.id

    burst = [asyncio.create_task(create(number)) for number in range(CREATED)]
    await asyncio.wait(burst[:10], return_when=asyncio.FIRST_COMPLETED)
    await mortal.kill()
    answered = await asyncio.gather(*burst, return_exceptions=True)
    await mortal.start()
    again = [await create(number) for number in range(CREATED)]
    kept = [found for found in answered if isinstance(found, str)]
    assert kept
    assert set(kept) <= set(again)
    listed = await client.v1.payment_intents.list_async({"limit": 100})
    assert {intent.id for intent in listed.data} == set(again)
    assert len(listed.data) == CREATED
    events = await every_event(mortal.base)
    assert [event["type"] for event in events] == ["payment_intent.created"] * CREATED
    await http.close()
    # httpcore leaves sockets whose write broke to the collector: here, not in a later test.
    del burst, answered
    gc.collect()


async def test_it_stops_although_a_request_is_held(mortal: SandboxProcess) -> None:
    http = CheckedClient(Record())
    client = connect(mortal.base, http)
    control = Control(mortal.base)
    await control.post("/faults", kind="commit_then_hang")
    held = asyncio.create_task(client.v1.customers.create_async({"name": "A"}))
    await control.held()
    started = time.monotonic()
    await mortal.stop()
    assert time.monotonic() - started < 5
    with pytest.raises(stripe.APIConnectionError):
        await held
    await mortal.start()
    assert [found.name for found in (await client.v1.customers.list_async()).data] == ["A"]
    await control.http.aclose()
    await http.close()


@pytest.mark.parametrize("listen", ["0.0.0.0:12111", "example.com:12111", "127.0.0.1", ":1"])
def test_any_address_but_loopback_is_refused(tmp_path: Path, listen: str) -> None:
    program = typer.Typer()
    program.command()(serve)
    ended = CliRunner().invoke(program, ["--listen", listen, "--data", str(tmp_path / "x.sqlite")])
    assert ended.exit_code == 2
    assert "loopback" in ended.stderr or "port" in ended.stderr
    assert not (tmp_path / "x.sqlite").exists()
