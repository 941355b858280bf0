import asyncio
import time

import pytest
import stripe

from tests.stripe_sandbox.payments import a_saved_method, an_intent
from tests.stripe_sandbox.process import Control


async def test_a_confirm_that_commits_and_hangs_has_charged(
    client: stripe.StripeClient, control: Control
) -> None:
    customer, method = await a_saved_method(client, "pm_card_visa")
    intent = await an_intent(client, customer=customer)
    key: stripe.RequestOptions = {"idempotency_key": "confirm:1"}
    confirm = client.v1.payment_intents.confirm_async
    await control.post("/faults", kind="commit_then_hang", operation="payment_intents.confirm")
    held = asyncio.create_task(confirm(intent.id, {"payment_method": method}, key))
    hold = await control.held("payment_intents.confirm")
    assert (hold["moment"], hold["idempotency_key"]) == ("after", "confirm:1")
    assert not held.done()
    seen = await client.v1.payment_intents.retrieve_async(intent.id)
    assert seen.status == "succeeded"
    again = await confirm(intent.id, {"payment_method": method}, key)
    assert again.status == "succeeded"
    await control.release(hold)
    assert (await held).status == "succeeded"
    charges = await client.v1.charges.list_async({"payment_intent": intent.id})
    assert len(charges.data) == 1
    assert (await control.get("/holds"))["holds"] == []


async def test_a_client_that_gives_up_on_a_hang_may_ask_again(
    hasty: stripe.StripeClient, client: stripe.StripeClient, control: Control
) -> None:
    await control.post("/faults", kind="commit_then_hang", operation="customers.create")
    key: stripe.RequestOptions = {"idempotency_key": "k"}
    with pytest.raises(stripe.APIConnectionError):
        await hasty.v1.customers.create_async({"name": "A"}, key)
    await client.v1.customers.create_async({"name": "A"}, key)
    assert len((await client.v1.customers.list_async()).data) == 1
    await control.post("/holds/release")


async def test_a_connection_dropped_after_the_commit_has_committed(
    client: stripe.StripeClient, control: Control
) -> None:
    await control.post("/faults", kind="drop_connection_after_commit", operation="customers.create")
    key: stripe.RequestOptions = {"idempotency_key": "k"}
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.customers.create_async({"name": "A"}, key)
    (found,) = (await client.v1.customers.list_async()).data
    assert (await client.v1.customers.create_async({"name": "A"}, key)).id == found.id


async def test_a_failure_that_the_key_remembers_is_replayed_and_another_key_succeeds(
    client: stripe.StripeClient, control: Control
) -> None:
    await control.post("/faults", kind="500_stored", operation="customers.create")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
        assert caught.value.http_status == 500
    assert (await client.v1.customers.list_async()).data == []
    await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k:1"})
    assert len((await client.v1.customers.list_async()).data) == 1


async def test_a_request_held_before_has_done_nothing_yet(
    client: stripe.StripeClient, control: Control
) -> None:
    await control.post("/faults", kind="hold_before", operation="customers.create")
    making = asyncio.create_task(client.v1.customers.create_async({"name": "A"}))
    hold = await control.held()
    assert (await client.v1.customers.list_async()).data == []
    await control.release(hold)
    assert (await making).name == "A"


async def test_a_delayed_request_takes_its_time(
    client: stripe.StripeClient, control: Control
) -> None:
    await control.post("/faults", kind="delay_seconds", operation="balance.retrieve", seconds=0.3)
    started = time.monotonic()
    await client.v1.balance.retrieve_async()
    assert time.monotonic() - started >= 0.3


async def test_a_rule_is_about_what_it_names_and_so_many_times(
    client: stripe.StripeClient, control: Control
) -> None:
    calm = await an_intent(client, metadata={"hire": "calm"})
    unlucky = await an_intent(client, metadata={"hire": "unlucky"})
    await control.post(
        "/faults",
        kind="429",
        operation="payment_intents.*",
        method="POST",
        path="/v1/payment_intents/*/cancel",
        metadata={"hire": "unlucky"},
        times=2,
    )
    assert (await client.v1.payment_intents.cancel_async(calm.id)).status == "canceled"
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError):
            await client.v1.payment_intents.cancel_async(unlucky.id)
    assert (await client.v1.payment_intents.cancel_async(unlucky.id)).status == "canceled"
    await control.post("/faults", kind="429", operation="refunds.*", object=calm.id)
    with pytest.raises(stripe.RateLimitError):
        await client.v1.refunds.create_async({"payment_intent": calm.id})
    await control.post("/faults", kind="500_before", object=calm.id)
    await client.v1.payment_intents.retrieve_async(unlucky.id)
    with pytest.raises(stripe.APIError):
        await client.v1.payment_intents.retrieve_async(calm.id)
    assert (await control.get("/faults"))["requests"] == []


async def test_a_rule_that_makes_no_sense_is_refused(control: Control) -> None:
    for body in ({"kind": "explode"}, {"kind": "delay_seconds"}, {"kind": "429", "tmes": 2}):
        answer = await control.http.post("/faults", json=body)
        assert answer.status_code == 422


async def test_waiting_for_a_hold_that_never_comes_ends(control: Control) -> None:
    answer = await control.http.get("/wait/hold", params={"timeout": "0.05"})
    assert answer.status_code == 408
