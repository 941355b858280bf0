from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.payments import (
    a_customer,
    a_saved_method,
    an_intent,
    declined,
    refused,
    types_of,
)


async def test_a_customer_lives_and_is_deleted(client: stripe.StripeClient) -> None:
    customers = client.v1.customers
    made = await customers.create_async(
        {
            "email": "a@example.com",
            "name": "A",
            "metadata": {"organisation": "o1"},
            "address": {"line1": "1 Road", "country": "US"},
        }
    )
    changed = await customers.update_async(made.id, {"name": "B", "address": ""})
    assert (changed.name, changed.address, changed.metadata) == ("B", None, made.metadata)
    _, method = await a_saved_method(client, "pm_card_visa")
    await refused(
        customers.update_async(made.id, {"invoice_settings": {"default_payment_method": method}}),
        "resource_missing",
    )
    deleted = await customers.delete_async(made.id)
    assert deleted.deleted
    assert (await customers.retrieve_async(made.id)).deleted
    await refused(customers.update_async(made.id, {"name": "C"}), "resource_missing")
    await refused(an_intent(client, customer=made.id), "resource_missing")
    assert made.id not in [found.id for found in (await customers.list_async()).data]
    assert await types_of(client, made.id) == [
        "customer.created",
        "customer.updated",
        "customer.deleted",
    ]


async def test_each_use_of_a_token_makes_a_new_method(client: stripe.StripeClient) -> None:
    customer, first = await a_saved_method(client, "pm_card_visa")
    second = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer})
    assert first != second.id
    assert second.card is not None
    assert (second.card.brand, second.card.last4) == ("visa", "4242")
    listed = await client.v1.customers.payment_methods.list_async(customer, {"type": "card"})
    assert [method.id for method in listed.data] == [second.id, first]
    one = await client.v1.customers.payment_methods.retrieve_async(customer, first)
    assert one.customer == customer


async def test_a_detached_method_is_gone_for_good(client: stripe.StripeClient) -> None:
    customer, method = await a_saved_method(client, "pm_card_mastercard")
    methods = client.v1.payment_methods
    detached = await methods.detach_async(method)
    assert detached.customer is None
    assert (await methods.list_async({"customer": customer})).data == []
    await refused(methods.attach_async(method, {"customer": customer}))
    await refused(methods.detach_async(method))
    await refused(an_intent(client, customer=customer, payment_method=method))
    assert await types_of(client, method) == [
        "payment_method.attached",
        "payment_method.detached",
    ]


async def test_a_method_belongs_to_one_customer(client: stripe.StripeClient) -> None:
    _, method = await a_saved_method(client, "pm_card_visa")
    other = await a_customer(client)
    await refused(client.v1.payment_methods.attach_async(method, {"customer": other}))
    await refused(
        client.v1.customers.payment_methods.retrieve_async(other, method), "resource_missing"
    )


async def test_a_card_that_is_declined_on_sight_is_not_saved(client: stripe.StripeClient) -> None:
    customer = await a_customer(client)
    error = await declined(
        client.v1.payment_methods.attach_async(
            "pm_card_visa_chargeDeclinedInsufficientFunds", {"customer": customer}
        )
    )
    assert error.error is not None
    assert error.error.decline_code == "insufficient_funds"
    assert (await client.v1.payment_methods.list_async({"customer": customer})).data == []


@pytest.mark.parametrize(
    ("number", "brand"), [("4242424242424242", "visa"), ("5555 5555 5555 4444", "mastercard")]
)
async def test_a_test_number_makes_a_card(
    client: stripe.StripeClient, number: str, brand: str
) -> None:
    card: Any = {"number": number, "exp_month": 5, "exp_year": 2035, "cvc": "123"}
    made = await client.v1.payment_methods.create_async({"type": "card", "card": card})
    assert made.card is not None
    assert (made.card.brand, made.card.exp_month, made.customer) == (brand, 5, None)
    customer = await a_customer(client)
    attached = await client.v1.payment_methods.attach_async(made.id, {"customer": customer})
    assert (attached.id, attached.customer) == (made.id, customer)


async def test_a_number_that_is_no_test_number_is_refused(client: stripe.StripeClient) -> None:
    card: Any = {"number": "4111111111111112", "exp_month": 5, "exp_year": 2035}
    error = await declined(client.v1.payment_methods.create_async({"type": "card", "card": card}))
    assert error.code == "incorrect_number"
