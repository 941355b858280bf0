"""Disputes: a cardholder takes a charge back; the bank decides, or the merchant accepts."""

from deploy.local.stripe_sandbox import balance, lists
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.errors import refused
from deploy.local.stripe_sandbox.values import Json

FEE = 1500
RESPONSE_SECONDS = 9 * balance.DAY
OPEN = ("needs_response", "under_review")
_EVIDENCE = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
]


def open_on(call: Call, charge: Json, reason: str) -> Json:
    """Open a dispute over what is left of a charge: the amount and a fee leave the balance."""
    amount = charge["amount_captured"] - charge["amount_refunded"]
    identity = new_id("du")
    posted = balance.post(call, "adjustment", -amount, charge["currency"], identity, fee=FEE)
    brand = (charge["payment_method_details"].get("card") or {}).get("brand", "visa")
    body: Json = {
        "id": identity,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [posted],
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(_EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": call.now + RESPONSE_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": brand,
                "case_type": "chargeback",
                "network": brand,
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": "needs_response",
    }
    call.create(body)
    charge["disputed"] = True
    call.save(charge)
    call.emit("charge.dispute.created", body)
    call.emit("charge.dispute.funds_withdrawn", body)
    return body


def retrieve(call: Call, identity: str) -> Json:
    """Read a dispute."""
    return call.find("dispute", identity)


def index(call: Call) -> Json:
    """List disputes, by charge or payment intent."""
    return lists.page(call, "dispute")


def update(call: Call, identity: str) -> Json:
    """Add evidence, and submit it when asked to; a test or `winning_evidence` decides."""
    body = _open(call.find("dispute", identity))
    evidence = call.param("evidence") or {}
    body["evidence"] |= {name: value or None for name, value in evidence.items()}
    body["metadata"] = merged_metadata(body["metadata"], call.params.get("metadata"))
    if evidence:
        body["evidence_details"]["has_evidence"] = True
    if evidence and call.param("submit", default=True):
        body["evidence_details"]["submission_count"] += 1
        body["status"] = "under_review"
    call.save(body)
    call.emit("charge.dispute.updated", body)
    verdict = evidence.get("uncategorized_text")
    if verdict in ("winning_evidence", "losing_evidence"):
        return settle(call, body, won=verdict == "winning_evidence")
    return body


def close(call: Call, identity: str) -> Json:
    """Accept the dispute: it is lost."""
    return settle(call, _open(call.find("dispute", identity)), won=False)


def settle(call: Call, body: Json, *, won: bool) -> Json:
    """Decide a dispute; won, the amount comes back and the fee does not."""
    body["status"] = "won" if won else "lost"
    if won:
        posted = balance.post(call, "adjustment", body["amount"], body["currency"], body["id"])
        body["balance_transactions"] = [*body["balance_transactions"], posted]
    call.save(body)
    call.emit("charge.dispute.closed", body)
    if won:
        call.emit("charge.dispute.funds_reinstated", body)
    return body


def _open(body: Json) -> Json:
    if body["status"] not in OPEN:
        raise refused("This dispute is already closed")
    return body
