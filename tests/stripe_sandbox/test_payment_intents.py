import pytest
import stripe

from tests.stripe_sandbox.payments import (
    a_customer,
    a_paid_intent,
    a_saved_method,
    an_intent,
    declined,
    refused,
    types_of,
)
from tests.stripe_sandbox.process import Control

DECLINES = [
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
]


async def test_an_intent_without_a_method_waits_for_one(client: stripe.StripeClient) -> None:
    intent = await an_intent(client, metadata={"funding_id": "f1"})
    assert intent.status == "requires_payment_method"
    assert (intent.amount, intent.amount_received, intent.currency) == (50495, 0, "usd")
    assert intent.client_secret is not None
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert intent.metadata["funding_id"] == "f1"


async def test_an_intent_with_a_method_waits_for_its_confirmation(
    client: stripe.StripeClient,
) -> None:
    customer, method = await a_saved_method(client, "pm_card_mastercard")
    intent = await an_intent(client, customer=customer, payment_method=method)
    assert (intent.status, intent.payment_method) == ("requires_confirmation", method)


async def test_a_confirmed_intent_is_paid_and_its_charge_is_booked_after_the_answer(
    client: stripe.StripeClient,
) -> None:
    customer, method = await a_saved_method(client, "pm_card_visa")
    intent = await an_intent(client, customer=customer, transfer_group="contract_1")
    paid = await client.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": method, "expand": ["latest_charge"]}
    )
    assert (paid.status, paid.amount_received) == ("succeeded", 50495)
    charge = paid.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.balance_transaction is None
    later = await client.v1.charges.retrieve_async(charge.id, {"expand": ["balance_transaction"]})
    assert isinstance(later.balance_transaction, stripe.BalanceTransaction)
    assert (later.balance_transaction.fee, later.balance_transaction.net) == (1494, 49001)
    assert (later.payment_intent, later.transfer_group) == (intent.id, "contract_1")
    assert await types_of(client, intent.id, charge.id) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
    ]


async def test_synchronous_capture_books_the_charge_at_once(client: stripe.StripeClient) -> None:
    paid = await a_paid_intent(client, capture_method="automatic", expand=["latest_charge"])
    assert isinstance(paid.latest_charge, stripe.Charge)
    assert paid.latest_charge.balance_transaction is not None


@pytest.mark.parametrize(("token", "code", "decline_code"), DECLINES)
async def test_a_declined_card_leaves_the_intent_open_for_another_method(
    client: stripe.StripeClient, token: str, code: str, decline_code: str | None
) -> None:
    customer, good = await a_saved_method(client, "pm_card_visa")
    intent = await an_intent(client, customer=customer)
    error = await declined(
        client.v1.payment_intents.confirm_async(intent.id, {"payment_method": token})
    )
    assert error.error is not None
    assert (error.error.code, error.error.decline_code) == (code, decline_code)
    assert error.error.payment_intent is not None
    assert error.error.payment_intent.status == "requires_payment_method"
    open_still = await client.v1.payment_intents.retrieve_async(intent.id)
    assert open_still.status == "requires_payment_method"
    assert open_still.payment_method is None
    assert open_still.last_payment_error is not None
    assert open_still.last_payment_error.code == code
    paid = await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": good})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)
    charges = await client.v1.charges.list_async({"payment_intent": intent.id})
    assert [charge.status for charge in charges.data] == ["succeeded", "failed"]
    assert await types_of(client, intent.id, *(charge.id for charge in charges.data)) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
    ]


async def test_a_card_that_fails_later_can_be_saved(client: stripe.StripeClient) -> None:
    customer, method = await a_saved_method(client, "pm_card_chargeCustomerFail")
    await declined(an_intent(client, customer=customer, payment_method=method, confirm=True))


async def test_a_final_intent_is_neither_confirmed_nor_canceled_again(
    client: stripe.StripeClient,
) -> None:
    paid = await a_paid_intent(client)
    intents = client.v1.payment_intents
    error = await refused(intents.cancel_async(paid.id), "payment_intent_unexpected_state")
    assert error.error is not None
    assert error.error.payment_intent is not None
    assert error.error.payment_intent.id == paid.id
    await refused(intents.confirm_async(paid.id), "payment_intent_unexpected_state")
    await refused(intents.update_async(paid.id, {"amount": 100}), "payment_intent_unexpected_state")
    told = await intents.update_async(paid.id, {"metadata": {"note": "kept"}})
    assert told.metadata["note"] == "kept"


async def test_a_canceled_intent_stays_canceled(client: stripe.StripeClient) -> None:
    customer, method = await a_saved_method(client, "pm_card_visa")
    intent = await an_intent(client, customer=customer, payment_method=method)
    intents = client.v1.payment_intents
    canceled = await intents.cancel_async(intent.id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert canceled.canceled_at is not None
    await refused(intents.cancel_async(intent.id), "payment_intent_unexpected_state")
    await refused(intents.confirm_async(intent.id), "payment_intent_unexpected_state")
    assert (await types_of(client, intent.id))[-1] == "payment_intent.canceled"


async def test_an_intent_is_not_confirmed_without_a_method(client: stripe.StripeClient) -> None:
    intent = await an_intent(client)
    await refused(
        client.v1.payment_intents.confirm_async(intent.id), "payment_intent_unexpected_state"
    )


async def test_a_method_of_another_customer_is_refused(client: stripe.StripeClient) -> None:
    _, foreign = await a_saved_method(client, "pm_card_visa")
    mine = await a_customer(client)
    error = await refused(an_intent(client, customer=mine, payment_method=foreign, confirm=True))
    assert error.param == "payment_method"
    await refused(an_intent(client, payment_method=foreign))
    found = await client.v1.payment_intents.list_async({"customer": mine})
    assert found.data == []


async def test_a_server_must_say_where_a_redirect_comes_back_to(
    client: stripe.StripeClient,
) -> None:
    customer, method = await a_saved_method(client, "pm_card_visa")
    intent = await client.v1.payment_intents.create_async(
        {"amount": 1000, "currency": "usd", "customer": customer, "payment_method": method}
    )
    error = await refused(client.v1.payment_intents.confirm_async(intent.id))
    assert error.param == "return_url"
    paid = await client.v1.payment_intents.confirm_async(
        intent.id, {"return_url": "https://example.com/back"}
    )
    assert paid.status == "succeeded"


async def test_an_unattached_method_pays_once(client: stripe.StripeClient) -> None:
    paid = await an_intent(client, payment_method="pm_card_visa", confirm=True)
    assert isinstance(paid.payment_method, str)
    again = await an_intent(client)
    await refused(
        client.v1.payment_intents.confirm_async(again.id, {"payment_method": paid.payment_method})
    )


async def test_a_method_can_be_kept_for_later_while_it_pays(client: stripe.StripeClient) -> None:
    customer = await a_customer(client)
    paid = await an_intent(
        client,
        customer=customer,
        payment_method="pm_card_visa",
        confirm=True,
        setup_future_usage="off_session",
    )
    methods = await client.v1.payment_methods.list_async({"customer": customer})
    assert [method.id for method in methods.data] == [paid.payment_method]


async def test_an_open_intent_can_be_changed(client: stripe.StripeClient) -> None:
    intent = await an_intent(client, metadata={"a": "1", "b": "2"})
    changed = await client.v1.payment_intents.update_async(
        intent.id, {"amount": 2000, "metadata": {"a": "", "c": "3"}}
    )
    assert (changed.amount, changed.metadata.to_dict()) == (2000, {"b": "2", "c": "3"})


async def test_manual_capture_takes_less_and_lets_the_rest_go(client: stripe.StripeClient) -> None:
    held = await a_paid_intent(client, capture_method="manual", amount=10000)
    assert (held.status, held.amount_capturable) == ("requires_capture", 10000)
    taken = await client.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 6000})
    assert (taken.status, taken.amount_received) == ("succeeded", 6000)
    other = await a_paid_intent(client, capture_method="manual", amount=10000)
    canceled = await client.v1.payment_intents.cancel_async(other.id)
    assert (canceled.status, canceled.amount_capturable) == ("canceled", 0)
    assert isinstance(canceled.latest_charge, str)
    charge = await client.v1.charges.retrieve_async(canceled.latest_charge)
    assert (charge.refunded, charge.captured) == (True, False)


@pytest.mark.parametrize("outcome", ["succeed", "fail"])
async def test_a_bank_debit_is_processed_first(
    client: stripe.StripeClient, control: Control, outcome: str
) -> None:
    intent = await a_paid_intent(client, "pm_usBankAccount_processing")
    assert intent.status == "processing"
    await refused(
        client.v1.payment_intents.cancel_async(intent.id), "payment_intent_unexpected_state"
    )
    await control.post(f"/payment_intents/{intent.id}/settle", outcome=outcome)
    settled = await client.v1.payment_intents.retrieve_async(
        intent.id, {"expand": ["latest_charge"]}
    )
    assert isinstance(settled.latest_charge, stripe.Charge)
    types = await types_of(client, intent.id, settled.latest_charge.id)
    assert types[:3] == ["payment_intent.created", "charge.pending", "payment_intent.processing"]
    if outcome == "succeed":
        assert (settled.status, settled.amount_received) == ("succeeded", 50495)
        assert types[3:] == ["charge.succeeded", "payment_intent.succeeded", "charge.updated"]
    else:
        assert settled.status == "requires_payment_method"
        assert settled.last_payment_error is not None
        assert settled.last_payment_error.code == "insufficient_funds"
        assert types[3:] == ["charge.failed", "payment_intent.payment_failed"]


async def test_a_customer_and_its_lists(client: stripe.StripeClient) -> None:
    paid = await a_paid_intent(client)
    other = await a_paid_intent(client)
    found = await client.v1.payment_intents.list_async({"customer": str(paid.customer)})
    assert [intent.id for intent in found.data] == [paid.id]
    charges = await client.v1.charges.list_async({"customer": str(other.customer)})
    assert [charge.payment_intent for charge in charges.data] == [other.id]
