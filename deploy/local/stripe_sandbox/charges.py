"""Charges: one attempt to take money each, failed ones included."""

from typing import Any, Literal

from deploy.local.stripe_sandbox import balance, lists, payment_methods
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.cards import Decline, Means
from deploy.local.stripe_sandbox.values import Json

_NOT_YET = (
    "application",
    "application_fee",
    "application_fee_amount",
    "balance_transaction",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_number",
    "receipt_url",
    "review",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
)
AUTHORISED_SECONDS = 7 * balance.DAY


def retrieve(call: Call, identity: str) -> Json:
    """Read a charge."""
    return call.find("charge", identity)


def update(call: Call, identity: str) -> Json:
    """Change description, receipt address, transfer group or metadata."""
    body = call.find("charge", identity)
    for name in ("description", "receipt_email", "transfer_group", "shipping"):
        if name in call.params:
            body[name] = call.param(name)
    body["metadata"] = merged_metadata(body["metadata"], call.params.get("metadata"))
    call.save(body)
    call.emit("charge.updated", body)
    return body


def index(call: Call) -> Json:
    """List charges, by customer, payment intent or transfer group."""
    return lists.page(call, "charge")


def make(
    call: Call,
    intent: Json,
    method: Json,
    status: Literal["succeeded", "pending", "failed"],
    *,
    captured: bool = True,
    decline: Decline | None = None,
    authenticated: bool = False,
) -> Json:
    """Make the charge of one attempt and announce it; the money moves in `settle`."""
    means = payment_methods.means_of(call, method)
    paid = status == "succeeded"
    body: Json = {
        "id": new_id("py" if means.bank else "ch"),
        **dict.fromkeys(_NOT_YET),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid and captured else 0,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "SANDBOX",
        "captured": paid and captured,
        "created": call.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        # A copy: metadata of the intent at the time of the charge, later changes stay apart.
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(decline),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(call, means, method, intent, authenticated),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "shipping": intent["shipping"],
        "status": status,
        "transfer_group": intent["transfer_group"],
    }
    call.create(body, token=call.store.hidden(method["id"])["token"])
    call.emit(f"charge.{status}", body)
    return body


def settle(call: Call, charge: Json, means: Means) -> Json:
    """Put a captured charge's money on the balance, less Stripe's fee: `charge.updated`."""
    amount = charge["amount_captured"]
    due = call.now if means.available_at_once else call.now + balance.SETTLING_SECONDS
    fee = min(500, (amount * 8 + 500) // 1000) if means.bank else balance.stripe_fee(amount)
    posted = balance.post(
        call,
        "payment" if means.bank else "charge",
        amount,
        charge["currency"],
        charge["id"],
        fee=fee,
        available_on=due,
    )
    charge["balance_transaction"] = posted["id"]
    call.save(charge)
    call.emit("charge.updated", charge, {"balance_transaction": None})
    return charge


def means_of(call: Call, charge: Json) -> Means:
    """Tell how the card or account behind a charge behaves."""
    method = call.store.get(charge["payment_method"])
    if method is None:
        raise KeyError(charge["payment_method"])
    return payment_methods.means_of(call, method)


def _outcome(decline: Decline | None) -> Json:
    return {
        "advice_code": "try_again_later" if decline else None,
        "network_advice_code": None,
        "network_decline_code": "01" if decline else None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": (decline.decline_code or decline.code) if decline else None,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": ("The bank returned a decline." if decline else "Payment complete."),
        "type": "issuer_declined" if decline else "authorized",
    }


def _details(
    call: Call, means: Means, method: Json, intent: Json, authenticated: bool
) -> dict[str, Any]:
    if means.bank:
        bank = method["us_bank_account"]
        left_out = ("financial_connections_account", "networks", "status_details")
        kept_bank = {name: value for name, value in bank.items() if name not in left_out}
        return {
            "type": "us_bank_account",
            "us_bank_account": kept_bank | {"payment_reference": None},
        }
    card = method["card"]
    kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    proof = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("3ds"),
        "version": "2.2.0",
    }
    details = {name: card[name] for name in kept} | {
        "amount_authorized": intent["amount"],
        "authorization_code": None,
        "installments": None,
        "last4": card["last4"],
        "mandate": None,
        "network": card["brand"],
        "network_token": {"used": False},
        "three_d_secure": proof if authenticated else None,
        "wallet": None,
    }
    if intent["capture_method"] == "manual":
        details["capture_before"] = call.now + AUTHORISED_SECONDS
    return {"type": "card", "card": details}
