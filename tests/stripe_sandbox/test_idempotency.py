import asyncio
from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.client import Record
from tests.stripe_sandbox.payments import a_customer, an_intent, declined, refused
from tests.stripe_sandbox.process import Control

DAY = 24 * 3600


async def test_twenty_parallel_creates_with_one_key_make_one_intent(
    client: stripe.StripeClient,
) -> None:
    customer = await a_customer(client)

    async def create() -> str:
        made = await client.v1.payment_intents.create_async(
            {"amount": 5000, "currency": "usd", "customer": customer},
            {"idempotency_key": "fund:1:create"},
        )
        return made.id

    made = await asyncio.gather(*(create() for _ in range(20)))
    assert len(set(made)) == 1
    found = await client.v1.payment_intents.list_async({"customer": customer})
    assert [intent.id for intent in found.data] == made[:1]


async def test_a_repeat_gets_the_first_answer_and_says_so(
    client: stripe.StripeClient, record: Record
) -> None:
    first = await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    assert "idempotent-replayed" not in record.headers
    original = record.headers["request-id"]
    await client.v1.customers.update_async(first.id, {"name": "B"})
    again = await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    assert (again.id, again.name) == (first.id, "A")
    assert record.headers["idempotent-replayed"] == "true"
    assert record.headers["original-request"] == original
    events = await client.v1.events.list_async({"type": "customer.created"})
    assert [event.request.idempotency_key for event in events.data if event.request] == ["k"]


@pytest.mark.parametrize("same_endpoint", [True, False])
async def test_a_key_is_for_one_request(client: stripe.StripeClient, same_endpoint: bool) -> None:
    key: stripe.RequestOptions = {"idempotency_key": "k"}
    await client.v1.customers.create_async({"name": "A"}, key)
    other: Any = (
        client.v1.customers.create_async({"name": "B"}, key)
        if same_endpoint
        else client.v1.payment_intents.create_async({"amount": 500, "currency": "usd"}, key)
    )
    with pytest.raises(stripe.IdempotencyError) as caught:
        await other
    assert caught.value.http_status == 400
    assert caught.value.error is not None
    assert caught.value.error.type == "idempotency_error"


async def test_a_decline_is_remembered(client: stripe.StripeClient, record: Record) -> None:
    intent = await an_intent(client)
    for _ in range(2):
        await declined(
            client.v1.payment_intents.confirm_async(
                intent.id,
                {"payment_method": "pm_card_visa_chargeDeclined"},
                {"idempotency_key": "confirm:1"},
            )
        )
    assert record.headers["idempotent-replayed"] == "true"
    charges = await client.v1.charges.list_async({"payment_intent": intent.id})
    assert len(charges.data) == 1


async def test_a_state_that_refused_is_remembered(client: stripe.StripeClient) -> None:
    intent = await an_intent(client)
    confirm = client.v1.payment_intents.confirm_async
    await refused(
        confirm(intent.id, {}, {"idempotency_key": "c"}), "payment_intent_unexpected_state"
    )
    await client.v1.payment_intents.update_async(intent.id, {"payment_method": "pm_card_visa"})
    await refused(
        confirm(intent.id, {}, {"idempotency_key": "c"}), "payment_intent_unexpected_state"
    )
    assert (await confirm(intent.id, {}, {"idempotency_key": "d"})).status == "succeeded"


async def test_a_refused_validation_is_not_remembered(client: stripe.StripeClient) -> None:
    create = client.v1.payment_intents.create_async
    key: stripe.RequestOptions = {"idempotency_key": "k"}
    await refused(create({"amount": 1, "currency": "usd"}, key), "amount_too_small")
    assert (await create({"amount": 100, "currency": "usd"}, key)).amount == 100


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("409", 409), ("500_before", 500)])
async def test_what_was_never_executed_is_not_remembered(
    client: stripe.StripeClient, control: Control, kind: str, status: int
) -> None:
    await control.post("/faults", kind=kind, operation="customers.create")
    with pytest.raises(stripe.StripeError) as caught:
        await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    assert caught.value.http_status == status
    assert (await client.v1.customers.list_async()).data == []
    made = await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    assert made.name == "A"


async def test_a_500_after_the_commit_is_remembered_and_so_is_what_it_did(
    client: stripe.StripeClient, control: Control, record: Record
) -> None:
    await control.post("/faults", kind="commit_then_500", operation="customers.create")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
        assert caught.value.http_status == 500
    assert record.headers["idempotent-replayed"] == "true"
    assert [found.name for found in (await client.v1.customers.list_async()).data] == ["A"]


async def test_a_key_in_flight_conflicts_until_its_request_is_answered(
    client: stripe.StripeClient, control: Control
) -> None:
    await control.post("/faults", kind="hold_before", operation="customers.create")
    key: stripe.RequestOptions = {"idempotency_key": "k"}
    first = asyncio.create_task(client.v1.customers.create_async({"name": "A"}, key))
    hold = await control.held("customers.create")
    assert hold["idempotency_key"] == "k"
    with pytest.raises(stripe.APIError) as caught:
        await client.v1.customers.create_async({"name": "A"}, key)
    assert caught.value.http_status == 409
    assert caught.value.error is not None
    assert caught.value.error.code == "idempotency_key_in_use"
    await control.release(hold)
    made = await first
    assert (await client.v1.customers.create_async({"name": "A"}, key)).id == made.id


async def test_a_key_is_forgotten_after_a_day_of_the_sandboxs_clock(
    client: stripe.StripeClient, control: Control
) -> None:
    key: stripe.RequestOptions = {"idempotency_key": "k"}
    first = await client.v1.customers.create_async({"name": "A"}, key)
    await control.post("/clock", advance_seconds=DAY - 60)
    assert (await client.v1.customers.create_async({"name": "A"}, key)).id == first.id
    await control.post("/clock", advance_seconds=120)
    second = await client.v1.customers.create_async({"name": "A"}, key)
    assert second.id != first.id
    assert second.created - first.created >= DAY


async def test_reads_need_no_key(client: stripe.StripeClient, record: Record) -> None:
    await client.v1.customers.list_async({}, {"idempotency_key": "k"})
    await client.v1.balance.retrieve_async()
    assert "idempotent-replayed" not in record.headers
