import pytest
import stripe

from tests.stripe_sandbox.payments import (
    a_paid_intent,
    a_saved_method,
    an_intent,
    refused,
    types_of,
)
from tests.stripe_sandbox.process import Control


async def paid_charge(client: stripe.StripeClient, card: str = "pm_card_visa") -> stripe.Charge:
    paid = await a_paid_intent(client, card, amount=10000)
    return await client.v1.charges.retrieve_async(str(paid.latest_charge))


async def test_a_charge_is_refunded_in_parts_and_never_beyond(client: stripe.StripeClient) -> None:
    charge = await paid_charge(client)
    refunds = client.v1.refunds
    part = await refunds.create_async(
        {
            "payment_intent": str(charge.payment_intent),
            "amount": 4000,
            "reason": "requested_by_customer",
            "metadata": {"refund_id": "r1"},
        }
    )
    assert (part.status, part.amount, part.charge) == ("succeeded", 4000, charge.id)
    assert not (await client.v1.charges.retrieve_async(charge.id)).refunded
    error = await refused(refunds.create_async({"charge": charge.id, "amount": 6001}))
    assert error.param == "amount"
    rest = await refunds.create_async({"charge": charge.id})
    assert rest.amount == 6000
    full = await client.v1.charges.retrieve_async(charge.id, {"expand": ["refunds"]})
    assert (full.refunded, full.amount_refunded) == (True, 10000)
    assert full.refunds is not None
    assert [refund.id for refund in full.refunds.data] == [rest.id, part.id]
    await refused(refunds.create_async({"charge": charge.id}), "charge_already_refunded")
    listed = await refunds.list_async({"payment_intent": str(charge.payment_intent)})
    assert [refund.id for refund in listed.data] == [rest.id, part.id]
    await refused(refunds.cancel_async(part.id))
    assert (await types_of(client, charge.id, part.id))[-3:] == [
        "refund.created",
        "charge.refunded",
        "charge.refunded",
    ]


async def test_an_unpaid_intent_has_nothing_to_refund(client: stripe.StripeClient) -> None:
    intent = await an_intent(client)
    await refused(client.v1.refunds.create_async({"payment_intent": intent.id}))
    await refused(client.v1.refunds.create_async({}), "parameter_missing")


async def test_a_refund_can_fail_later_and_the_money_is_ours_again(
    client: stripe.StripeClient, control: Control
) -> None:
    charge = await paid_charge(client)
    refund = await client.v1.refunds.create_async({"charge": charge.id})
    await control.post(f"/refunds/{refund.id}/fail", reason="lost_or_stolen_card")
    failed = await client.v1.refunds.retrieve_async(
        refund.id, {"expand": ["failure_balance_transaction"]}
    )
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert isinstance(failed.failure_balance_transaction, stripe.BalanceTransaction)
    assert failed.failure_balance_transaction.amount == 10000
    open_again = await client.v1.charges.retrieve_async(charge.id)
    assert (open_again.refunded, open_again.amount_refunded) == (False, 0)
    assert await types_of(client, refund.id) == [
        "refund.created",
        "charge.refund.updated",
        "refund.updated",
        "refund.failed",
    ]
    again = await client.v1.refunds.create_async({"charge": charge.id})
    assert again.status == "succeeded"


async def test_a_pending_refund_arrives(client: stripe.StripeClient, control: Control) -> None:
    charge = await paid_charge(client, "pm_card_pendingRefund")
    refund = await client.v1.refunds.create_async({"charge": charge.id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    await control.post(f"/refunds/{refund.id}/succeed")
    assert (await client.v1.refunds.retrieve_async(refund.id)).status == "succeeded"


@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_a_dispute_is_opened_and_decided(
    client: stripe.StripeClient, control: Control, outcome: str
) -> None:
    charge = await paid_charge(client)
    opened = await control.post(f"/charges/{charge.id}/dispute", reason="product_not_received")
    dispute = await client.v1.disputes.retrieve_async(opened["id"])
    assert (dispute.status, dispute.amount) == ("needs_response", 10000)
    assert dispute.balance_transactions[0].net == -11500
    assert (await client.v1.charges.retrieve_async(charge.id)).disputed
    await refused(client.v1.refunds.create_async({"charge": charge.id}), "charge_disputed")
    sent = await client.v1.disputes.update_async(
        dispute.id, {"evidence": {"product_description": "taught"}, "submit": True}
    )
    assert sent.status == "under_review"
    await control.post(f"/disputes/{dispute.id}/close", outcome=outcome)
    closed = await client.v1.disputes.retrieve_async(dispute.id)
    assert closed.status == outcome
    await refused(client.v1.disputes.close_async(dispute.id))
    types = await types_of(client, dispute.id)
    assert types[:3] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
    ]
    reinstated = ["charge.dispute.funds_reinstated"] if outcome == "won" else []
    assert types[3:] == ["charge.dispute.closed", *reinstated]


async def test_a_card_may_dispute_by_itself_and_the_merchant_accept(
    client: stripe.StripeClient,
) -> None:
    customer, method = await a_saved_method(client, "pm_card_createDispute")
    paid = await an_intent(client, customer=customer, payment_method=method, confirm=True)
    (dispute,) = (await client.v1.disputes.list_async({"payment_intent": paid.id})).data
    assert (await client.v1.disputes.close_async(dispute.id)).status == "lost"
