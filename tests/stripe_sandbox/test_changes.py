"""Every object's own small changes, each announced by its event."""

import stripe

from tests.stripe_sandbox.payments import (
    a_paid_intent,
    a_saved_method,
    a_trainer_account,
    refused,
    types_of,
)
from tests.stripe_sandbox.process import Control


async def test_a_saved_method_changes(client: stripe.StripeClient) -> None:
    _, method = await a_saved_method(client, "pm_card_visa")
    changed = await client.v1.payment_methods.update_async(
        method,
        {
            "card": {"exp_month": 1, "exp_year": 2040},
            "billing_details": {"name": "A", "address": {"country": "US"}},
            "metadata": {"a": "1"},
        },
    )
    assert changed.card is not None
    assert (changed.card.exp_year, changed.billing_details.name) == (2040, "A")
    assert (await types_of(client, method))[-1] == "payment_method.updated"
    loose = await client.v1.payment_methods.create_async(
        {"type": "card", "card": {"number": "4242424242424242", "exp_month": 1, "exp_year": 2040}}
    )
    await refused(client.v1.payment_methods.update_async(loose.id, {"metadata": {"a": "1"}}))


async def test_an_open_setup_intent_changes(client: stripe.StripeClient) -> None:
    customer, method = await a_saved_method(client, "pm_card_visa")
    setup = await client.v1.setup_intents.create_async({})
    changed = await client.v1.setup_intents.update_async(
        setup.id, {"customer": customer, "payment_method": method, "metadata": {"a": "1"}}
    )
    assert (changed.status, changed.customer) == ("requires_confirmation", customer)


async def test_a_charge_and_its_refund_change(client: stripe.StripeClient) -> None:
    paid = await a_paid_intent(client)
    charge = str(paid.latest_charge)
    changed = await client.v1.charges.update_async(
        charge, {"transfer_group": "contract_1", "metadata": {"a": "1"}}
    )
    assert changed.transfer_group == "contract_1"
    found = await client.v1.charges.list_async({"transfer_group": "contract_1"})
    assert [each.id for each in found.data] == [charge]
    refund = await client.v1.refunds.create_async({"charge": charge, "amount": 100})
    told = await client.v1.refunds.update_async(refund.id, {"metadata": {"b": "2"}})
    assert told.metadata is not None
    assert told.metadata["b"] == "2"
    assert (await types_of(client, refund.id))[-1] == "refund.updated"


async def test_an_account_and_its_transfer_change(
    client: stripe.StripeClient, control: Control
) -> None:
    account = await a_trainer_account(client, control)
    changed = await client.v1.accounts.update_async(
        account, {"email": "t@example.com", "capabilities": {"card_payments": {"requested": True}}}
    )
    assert changed.capabilities is not None
    assert (changed.email, changed.capabilities.card_payments) == ("t@example.com", "active")
    assert [each.id for each in (await client.v1.accounts.list_async()).data] == [account]
    paid = await a_paid_intent(client)
    made = await client.v1.transfers.create_async(
        {"destination": account, "currency": "usd", "source_transaction": str(paid.latest_charge)}
    )
    assert (made.amount, made.transfer_group) == (50495, f"group_{paid.id}")
    told = await client.v1.transfers.update_async(made.id, {"description": "week 1"})
    assert told.description == "week 1"
    reversal = await client.v1.transfers.reversals.create_async(made.id, {"amount": 1})
    seen = await client.v1.transfers.reversals.retrieve_async(made.id, reversal.id)
    assert seen.amount == 1
    shown = await client.v1.transfers.retrieve_async(
        made.id, {"expand": ["destination_payment", "balance_transaction"]}
    )
    assert isinstance(shown.destination_payment, stripe.Charge)
    assert shown.destination_payment.source_transfer == made.id


async def test_a_pending_payout_is_canceled(client: stripe.StripeClient) -> None:
    await a_paid_intent(client, "pm_card_bypassPending", amount=10000)
    made = await client.v1.payouts.create_async({"amount": 9680, "currency": "usd"})
    await refused(
        client.v1.payouts.create_async({"amount": 1, "currency": "usd"}), "balance_insufficient"
    )
    canceled = await client.v1.payouts.cancel_async(made.id)
    assert canceled.status == "canceled"
    assert [each.id for each in (await client.v1.payouts.list_async()).data] == [made.id]
    balance = await client.v1.balance.retrieve_async()
    assert balance.available[0].amount == 9680
    assert await types_of(client, made.id) == ["payout.created", "payout.canceled"]
