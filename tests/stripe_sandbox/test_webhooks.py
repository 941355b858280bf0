import time
from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.payments import a_paid_intent
from tests.stripe_sandbox.process import Control
from tests.stripe_sandbox.receiver import Receiver


async def subscribe(
    client: stripe.StripeClient, receiver: Receiver, events: Any = ("*",)
) -> stripe.WebhookEndpoint:
    """Register the receiver, which learns its secret."""
    made = await client.v1.webhook_endpoints.create_async(
        {"url": receiver.url, "enabled_events": list(events)}
    )
    assert made.secret is not None
    receiver.secret = made.secret
    return made


async def test_events_arrive_signed_and_in_order(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    await subscribe(client, receiver)
    paid = await a_paid_intent(client)
    assert await receiver.received(6) == [
        "customer.created",
        "payment_method.attached",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
    ]
    created, succeeded = receiver.events[2], receiver.events[4]
    # Snapshots of their moment, not of now.
    assert created["data"]["object"]["status"] == "requires_confirmation"
    assert succeeded["data"]["object"]["id"] == paid.id
    assert succeeded["api_version"] == "2026-10-28.endive"


async def test_an_endpoint_shows_its_secret_once_and_gets_what_it_asked_for(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    made = await subscribe(client, receiver, ["payment_intent.succeeded"])
    seen = await client.v1.webhook_endpoints.retrieve_async(made.id)
    assert "secret" not in seen.to_dict()
    await a_paid_intent(client)
    assert await receiver.received(1) == ["payment_intent.succeeded"]
    await client.v1.webhook_endpoints.update_async(made.id, {"disabled": True})
    await a_paid_intent(client)
    await client.v1.webhook_endpoints.update_async(
        made.id, {"disabled": False, "enabled_events": ["charge.succeeded"]}
    )
    await a_paid_intent(client)
    assert await receiver.received(2) == ["payment_intent.succeeded", "charge.succeeded"]
    listed = await client.v1.webhook_endpoints.list_async()
    assert [endpoint.id for endpoint in listed.data] == [made.id]
    assert (await client.v1.webhook_endpoints.delete_async(made.id)).deleted


async def test_an_event_type_that_stripe_does_not_have_is_refused(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await subscribe(client, receiver, ["hire.completed"])


async def test_a_refused_delivery_is_tried_again(
    client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    receiver.refusals = [500, 302]
    await subscribe(client, receiver, ["customer.created"])
    await client.v1.customers.create_async({"name": "A"})
    await receiver.received(1)
    assert receiver.attempts == 3
    found = await control.get("/wait/delivery", state="delivered")
    assert [row["attempts"] for row in found["deliveries"]] == [3]
    (event,) = (await client.v1.events.list_async()).data
    assert event.pending_webhooks == 0


async def test_a_dropped_webhook_never_arrives_but_its_event_exists(
    client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    await subscribe(client, receiver, ["payment_intent.succeeded", "charge.updated"])
    await control.post("/webhooks/faults", kind="drop", event="payment_intent.*")
    await a_paid_intent(client)
    assert await receiver.received(1) == ["charge.updated"]
    found = await client.v1.events.list_async({"type": "payment_intent.succeeded"})
    assert len(found.data) == 1
    await control.post(f"/events/{found.data[0].id}/resend")
    assert (await receiver.received(2))[1] == "payment_intent.succeeded"


async def test_webhooks_can_be_duplicated_and_reordered(
    client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    await subscribe(client, receiver, ["payment_intent.created", "payment_intent.succeeded"])
    await control.post("/webhooks/faults", kind="reorder", event="payment_intent.created")
    await control.post("/webhooks/faults", kind="duplicate", event="payment_intent.succeeded")
    await a_paid_intent(client)
    types = await receiver.received(3)
    assert sorted(types) == ["payment_intent.created"] + ["payment_intent.succeeded"] * 2
    assert types[0] == "payment_intent.succeeded"
    same = [event["id"] for event in receiver.events if event["type"].endswith("succeeded")]
    assert len(set(same)) == 1


async def test_a_webhook_can_be_delayed(
    client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    await subscribe(client, receiver, ["customer.created"])
    await control.post("/webhooks/faults", kind="delay", seconds=0.4)
    started = time.monotonic()
    await client.v1.customers.create_async({"name": "A"})
    await receiver.received(1)
    assert time.monotonic() - started >= 0.4


async def test_all_webhooks_can_be_held_and_released(
    client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    await subscribe(client, receiver, ["customer.created"])
    await control.post("/webhooks/hold")
    await client.v1.customers.create_async({"name": "A"})
    await control.post("/webhooks/faults", kind="hold", event="customer.*")
    await client.v1.customers.create_async({"name": "B"})
    states = [row["state"] for row in (await control.get("/deliveries"))["deliveries"]]
    assert (states, receiver.attempts) == (["pending", "held"], 0)
    await control.post("/webhooks/release")
    await receiver.received(2)
    assert [event["data"]["object"]["name"] for event in receiver.events] == ["A", "B"]


async def test_a_test_can_wait_for_an_event(client: stripe.StripeClient, control: Control) -> None:
    paid = await a_paid_intent(client)
    found = await control.get("/wait/event", type="payment_intent.succeeded", object=paid.id)
    assert [event["data"]["object"]["id"] for event in found["events"]] == [paid.id]
