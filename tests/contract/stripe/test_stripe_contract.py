"""What the sandbox and Stripe's test mode must both do; the code relies on nothing else of Stripe.

Runs against the sandbox. `HIREFLOW_TEST_STRIPE_KEY=sk_test_… pytest tests/contract/stripe` runs it
against Stripe; no test needs a clean account or leaves money behind.
"""

import uuid
from typing import Any

import pytest
import stripe

from tests.contract.stripe.conftest import Side

DECLINES = [
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
]
AUTOMATIC: Any = {"enabled": True, "allow_redirects": "never"}


async def an_intent(side: Side, **more: Any) -> stripe.PaymentIntent:
    """An order of 10.00 that nobody has paid yet."""
    params: Any = {"amount": 1000, "currency": "usd", "automatic_payment_methods": AUTOMATIC}
    return await side.client.v1.payment_intents.create_async(params | more)


async def confirmed(side: Side, intent: str, method: str) -> stripe.PaymentIntent:
    """The intent after its confirmation with a test payment method."""
    return await side.client.v1.payment_intents.confirm_async(intent, {"payment_method": method})


async def refused(call: Any, code: str | None) -> stripe.InvalidRequestError:
    """The refusal of a call, which must carry this code."""
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await call
    assert caught.value.code == code
    return caught.value


@pytest.mark.parametrize(("token", "code", "decline_code"), DECLINES)
async def test_a_decline_names_its_reason_and_leaves_the_intent_open(
    stripe_side: Side, token: str, code: str, decline_code: str
) -> None:
    intent = await an_intent(stripe_side)
    with pytest.raises(stripe.CardError) as caught:
        await confirmed(stripe_side, intent.id, token)
    assert caught.value.error is not None
    assert (caught.value.code, caught.value.error.decline_code) == (code, decline_code)
    seen = await stripe_side.client.v1.payment_intents.retrieve_async(intent.id)
    assert seen.status == "requires_payment_method"
    assert seen.last_payment_error is not None
    assert seen.last_payment_error.decline_code == decline_code
    paid = await confirmed(stripe_side, intent.id, "pm_card_visa")
    assert (paid.status, paid.amount_received) == ("succeeded", 1000)


async def test_a_card_that_asks_for_authentication_parks_the_intent(stripe_side: Side) -> None:
    intent = await an_intent(stripe_side)
    parked = await confirmed(stripe_side, intent.id, "pm_card_threeDSecure2Required")
    assert parked.status == "requires_action"
    assert parked.next_action is not None
    assert parked.next_action.type == "use_stripe_sdk"
    paid = await confirmed(stripe_side, intent.id, "pm_card_visa")
    assert paid.status == "succeeded"


async def test_a_repeat_with_the_same_key_is_replayed(stripe_side: Side) -> None:
    key = str(uuid.uuid4())
    made = []
    for _ in range(2):
        params: Any = {"amount": 1000, "currency": "usd", "automatic_payment_methods": AUTOMATIC}
        made.append(
            await stripe_side.client.v1.payment_intents.create_async(
                params, {"idempotency_key": key}
            )
        )
    assert made[0].id == made[1].id
    assert stripe_side.record.headers["idempotent-replayed"] == "true"


async def test_a_key_with_other_parameters_is_refused(stripe_side: Side) -> None:
    key = str(uuid.uuid4())
    create = stripe_side.client.v1.customers.create_async
    await create({"name": "A"}, {"idempotency_key": key})
    with pytest.raises(stripe.IdempotencyError):
        await create({"name": "B"}, {"idempotency_key": key})


async def test_an_unknown_parameter_is_refused_by_name(stripe_side: Side) -> None:
    error = await refused(an_intent(stripe_side, colour="red"), "parameter_unknown")
    assert error.param == "colour"


async def test_an_amount_below_the_minimum_is_refused(stripe_side: Side) -> None:
    await refused(an_intent(stripe_side, amount=10), "amount_too_small")


async def test_a_paid_intent_is_not_canceled(stripe_side: Side) -> None:
    paid = await an_intent(stripe_side, payment_method="pm_card_visa", confirm=True)
    cancel = stripe_side.client.v1.payment_intents.cancel_async
    await refused(cancel(paid.id), "payment_intent_unexpected_state")


async def test_a_canceled_intent_is_not_confirmed(stripe_side: Side) -> None:
    intent = await an_intent(stripe_side)
    canceled = await stripe_side.client.v1.payment_intents.cancel_async(intent.id)
    assert canceled.status == "canceled"
    await refused(
        confirmed(stripe_side, intent.id, "pm_card_visa"), "payment_intent_unexpected_state"
    )


async def test_a_refund_never_exceeds_what_is_left(stripe_side: Side) -> None:
    paid = await an_intent(stripe_side, payment_method="pm_card_visa", confirm=True)
    refund = stripe_side.client.v1.refunds.create_async
    part = await refund({"payment_intent": paid.id, "amount": 400})
    assert (part.amount, part.status) == (400, "succeeded")
    await refused(refund({"payment_intent": paid.id, "amount": 601}), None)
    await refund({"payment_intent": paid.id})
    await refused(refund({"payment_intent": paid.id}), "charge_already_refunded")


async def test_an_unknown_object_is_missing(stripe_side: Side) -> None:
    retrieve = stripe_side.client.v1.payment_intents.retrieve_async
    error = await refused(retrieve("pi_none"), "resource_missing")
    assert error.http_status == 404


async def test_events_of_a_payment_are_listed(stripe_side: Side) -> None:
    paid = await an_intent(stripe_side, payment_method="pm_card_visa", confirm=True)
    found = await stripe_side.client.v1.events.list_async({"type": "payment_intent.succeeded"})
    assert paid.id in [event.data.object["id"] for event in found.data]
