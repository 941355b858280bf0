"""Payouts of an account's balance to its bank, the platform's or, by Stripe-Account, another's."""

from deploy.local.stripe_sandbox import balance, lists, money
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.errors import refused
from deploy.local.stripe_sandbox.transfers import NO_FUNDS
from deploy.local.stripe_sandbox.values import Json


def create(call: Call) -> Json:
    """Pay out what is available; raises 400 `balance_insufficient`."""
    amount, currency = money.positive(call.params["amount"]), money.currency_of(call)
    if amount > balance.spendable(call, currency):
        raise refused(NO_FUNDS, code="balance_insufficient")
    identity = new_id("po")
    posted = balance.post(call, "payout", -amount, currency, identity)
    body: Json = {
        "id": identity,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": call.now + 2 * balance.DAY,
        "automatic": False,
        "balance_transaction": posted["id"],
        "created": call.now,
        "currency": currency,
        "description": call.param("description"),
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": merged_metadata({}, call.params.get("metadata")),
        "method": call.param("method") or "standard",
        "original_payout": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": call.param("statement_descriptor"),
        "status": "pending",
        "type": "bank_account",
    }
    call.create(body)
    call.emit("payout.created", body)
    return body


def retrieve(call: Call, identity: str) -> Json:
    """Read a payout."""
    return call.find("payout", identity)


def index(call: Call) -> Json:
    """List payouts, by status."""
    return lists.page(call, "payout")


def cancel(call: Call, identity: str) -> Json:
    """Cancel a payout that is still pending."""
    body = call.find("payout", identity)
    if body["status"] != "pending":
        message = f"Payouts with a status of {body['status']} cannot be canceled."
        raise refused(message, code="payouts_not_allowed")
    _return(call, body, "payout_cancel")
    body["status"] = "canceled"
    call.save(body)
    call.emit("payout.canceled", body)
    return body


def settle(call: Call, body: Json, *, paid: bool) -> Json:
    """Let the bank take the payout or send it back."""
    if not paid:
        _return(call, body, "payout_failure")
        body |= {
            "failure_code": "account_closed",
            "failure_message": "The bank account has been closed.",
        }
    body["status"] = "paid" if paid else "failed"
    call.save(body)
    call.emit(f"payout.{body['status']}", body)
    return body


def _return(call: Call, body: Json, kind: str) -> None:
    posted = balance.post(call, kind, body["amount"], body["currency"], body["id"])
    body["failure_balance_transaction"] = posted["id"]
