"""What most tests begin with: a customer, a saved card, an intent."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.process import Control

AUTOMATIC: Any = {"enabled": True, "allow_redirects": "never"}


async def a_customer(client: stripe.StripeClient) -> str:
    return (await client.v1.customers.create_async({"email": "employer@example.com"})).id


async def a_saved_method(client: stripe.StripeClient, token: str) -> tuple[str, str]:
    """A customer and a payment method of theirs, in this order."""
    customer = await a_customer(client)
    method = await client.v1.payment_methods.attach_async(token, {"customer": customer})
    return customer, method.id


async def an_intent(
    client: stripe.StripeClient,
    amount: int = 50495,
    **more: Any,
) -> stripe.PaymentIntent:
    params: Any = {"amount": amount, "currency": "usd", "automatic_payment_methods": AUTOMATIC}
    return await client.v1.payment_intents.create_async(params | more)


async def a_paid_intent(
    client: stripe.StripeClient, card: str = "pm_card_visa", amount: int = 50495, **more: Any
) -> stripe.PaymentIntent:
    customer, method = await a_saved_method(client, card)
    return await an_intent(
        client, amount, customer=customer, payment_method=method, confirm=True, **more
    )


async def a_trainer_account(client: stripe.StripeClient, control: Control) -> str:
    """A connected account that can receive transfers."""
    account = await client.v1.accounts.create_async(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    )
    await control.post(f"/accounts/{account.id}/onboard")
    return account.id


async def declined(call: Any) -> stripe.CardError:
    with pytest.raises(stripe.CardError) as caught:
        await call
    assert caught.value.http_status == 402
    return caught.value


async def refused(call: Any, code: str | None = None) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await call
    assert caught.value.code == code, caught.value
    return caught.value


async def types_of(client: stripe.StripeClient, *objects: str) -> list[str]:
    """The types of the events about these objects, oldest first."""
    found = await client.v1.events.list_async({"limit": 100})
    return [e.type for e in reversed(found.data) if e.data.object["id"] in objects]
