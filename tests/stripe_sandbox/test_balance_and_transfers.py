import stripe

from tests.stripe_sandbox.payments import (
    a_paid_intent,
    a_trainer_account,
    refused,
    types_of,
)
from tests.stripe_sandbox.process import Control

DAY = 24 * 3600


async def available(client: stripe.StripeClient) -> int:
    return (await client.v1.balance.retrieve_async()).available[0].amount


async def test_a_charge_is_pending_for_two_days_less_the_fee(
    client: stripe.StripeClient, control: Control
) -> None:
    paid = await a_paid_intent(client, amount=10000)
    balance = await client.v1.balance.retrieve_async()
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 9680)
    (posted,) = (
        await client.v1.balance_transactions.list_async({"source": str(paid.latest_charge)})
    ).data
    assert (posted.type, posted.amount, posted.fee, posted.status) == (
        "charge",
        10000,
        320,
        "pending",
    )
    await control.post("/clock", advance_seconds=2 * DAY + 1)
    assert await available(client) == 9680
    later = await client.v1.balance_transactions.retrieve_async(posted.id)
    assert later.status == "available"


async def test_an_account_is_onboarded_before_it_receives(
    client: stripe.StripeClient, control: Control
) -> None:
    account = await client.v1.accounts.create_async(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    )
    assert account.capabilities is not None
    assert account.capabilities.transfers == "inactive"
    await refused(
        client.v1.transfers.create_async(
            {"amount": 100, "currency": "usd", "destination": account.id}
        ),
        "insufficient_capabilities_for_transfer",
    )
    link = await client.v1.account_links.create_async(
        {
            "account": account.id,
            "type": "account_onboarding",
            "return_url": "https://example.com/done",
            "refresh_url": "https://example.com/again",
        }
    )
    visited = await control.http.get(link.url)
    assert visited.headers["location"] == "https://example.com/done"
    ready = await client.v1.accounts.retrieve_async(account.id)
    assert ready.payouts_enabled
    assert ready.capabilities is not None
    assert ready.capabilities.transfers == "active"
    assert await types_of(client, account.id) == ["account.updated"]


async def test_a_custom_account_that_accepted_the_terms_is_active(
    client: stripe.StripeClient,
) -> None:
    account = await client.v1.accounts.create_async(
        {
            "type": "custom",
            "country": "US",
            "capabilities": {"transfers": {"requested": True}},
            "tos_acceptance": {"date": 1_700_000_000, "ip": "127.0.0.1"},
        }
    )
    assert account.capabilities is not None
    assert account.capabilities.transfers == "active"


async def test_a_charges_own_money_can_be_transferred_while_it_is_pending(
    client: stripe.StripeClient, control: Control
) -> None:
    account = await a_trainer_account(client, control)
    paid = await a_paid_intent(client, amount=10000, transfer_group="contract_1")
    charge = str(paid.latest_charge)
    create = client.v1.transfers.create_async
    await refused(
        create({"amount": 9000, "currency": "usd", "destination": account}), "balance_insufficient"
    )
    made = await create(
        {
            "amount": 9000,
            "currency": "usd",
            "destination": account,
            "source_transaction": charge,
            "transfer_group": "contract_1",
        }
    )
    assert (made.amount, made.transfer_group) == (9000, "contract_1")
    error = await refused(
        create(
            {
                "amount": 1001,
                "currency": "usd",
                "destination": account,
                "source_transaction": charge,
            }
        )
    )
    assert error.param == "amount"
    await client.v1.refunds.create_async({"charge": charge})
    untouched = await client.v1.transfers.retrieve_async(made.id)
    assert untouched.amount_reversed == 0
    found = await client.v1.transfers.list_async({"transfer_group": "contract_1"})
    assert [transfer.id for transfer in found.data] == [made.id]
    assert await types_of(client, made.id) == ["transfer.created"]


async def test_a_transfer_is_reversed_in_parts_and_never_beyond(
    client: stripe.StripeClient, control: Control
) -> None:
    account = await a_trainer_account(client, control)
    paid = await a_paid_intent(client, amount=10000)
    made = await client.v1.transfers.create_async(
        {
            "amount": 5000,
            "currency": "usd",
            "destination": account,
            "source_transaction": str(paid.latest_charge),
        }
    )
    reversals = client.v1.transfers.reversals
    part = await reversals.create_async(made.id, {"amount": 2000, "metadata": {"why": "x"}})
    assert (part.amount, part.transfer) == (2000, made.id)
    await refused(reversals.create_async(made.id, {"amount": 3001}))
    await reversals.create_async(made.id)
    whole = await client.v1.transfers.retrieve_async(made.id)
    assert (whole.reversed, whole.amount_reversed) == (True, 5000)
    await refused(reversals.create_async(made.id))
    listed = await reversals.list_async(made.id)
    assert [found.amount for found in listed.data] == [3000, 2000]
    assert (await types_of(client, made.id))[1:] == ["transfer.reversed", "transfer.reversed"]


async def test_money_that_bypasses_pending_can_be_transferred_at_once(
    client: stripe.StripeClient, control: Control
) -> None:
    account = await a_trainer_account(client, control)
    await a_paid_intent(client, "pm_card_bypassPending", amount=10000)
    assert await available(client) == 9680
    create = client.v1.transfers.create_async
    await create({"amount": 9680, "currency": "usd", "destination": account})
    assert await available(client) == 0


async def test_a_test_can_empty_the_balance(client: stripe.StripeClient, control: Control) -> None:
    account = await a_trainer_account(client, control)
    paid = await a_paid_intent(client, "pm_card_bypassPending", amount=10000)
    await control.post("/balance", empty=True)
    transfer = client.v1.transfers.create_async
    params: stripe.params.TransferCreateParams = {
        "amount": 100,
        "currency": "usd",
        "destination": account,
        "source_transaction": str(paid.latest_charge),
    }
    await refused(transfer(params), "balance_insufficient")
    await refused(
        client.v1.payouts.create_async({"amount": 100, "currency": "usd"}), "balance_insufficient"
    )
    await control.post("/balance", empty=False)
    assert (await transfer(params)).amount == 100


async def test_a_connected_account_is_paid_out_and_its_bank_may_send_it_back(
    client: stripe.StripeClient, control: Control
) -> None:
    account = await a_trainer_account(client, control)
    await a_paid_intent(client, "pm_card_bypassPending", amount=10000)
    await client.v1.transfers.create_async(
        {"amount": 4500, "currency": "usd", "destination": account}
    )
    there: stripe.RequestOptions = {"stripe_account": account}
    await refused(
        client.v1.payouts.create_async({"amount": 4501, "currency": "usd"}, there),
        "balance_insufficient",
    )
    made = await client.v1.payouts.create_async({"amount": 4500, "currency": "usd"}, there)
    assert made.status == "pending"
    await control.post(f"/payouts/{made.id}/settle", outcome="fail")
    failed = await client.v1.payouts.retrieve_async(made.id, {}, there)
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    events = await client.v1.events.list_async({"type": "payout.failed"}, there)
    assert [event.account for event in events.data] == [account]
    again = await client.v1.payouts.create_async({"amount": 4500, "currency": "usd"}, there)
    await control.post(f"/payouts/{again.id}/settle", outcome="succeed")
    paid = await client.v1.payouts.retrieve_async(again.id, {}, there)
    assert paid.status == "paid"
