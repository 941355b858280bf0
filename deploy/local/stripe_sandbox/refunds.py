"""Refunds: money back to the payer, at once, later, or not at all."""

from deploy.local.stripe_sandbox import balance, charges, lists, money
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.errors import invalid, missing, refused
from deploy.local.stripe_sandbox.values import Json


def create(call: Call) -> Json:
    """Refund a charge or an intent's successful charge, in full or in part.

    Raises 400 `charge_already_refunded`, `charge_disputed`, or for more than is left. Transfers
    made from the charge are not touched.
    """
    charge = _charge(call)
    if charge["disputed"]:
        raise refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left <= 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise refused(message, code="charge_already_refunded")
    amount = money.positive(int(call.param("amount", left)))
    if amount > left:
        message = (
            f"Refund amount (${amount / 100:,.2f}) is greater than unrefunded amount on charge "
            f"(${left / 100:,.2f})"
        )
        raise refused(message, param="amount")
    means = charges.means_of(call, charge)
    pending = means.refund == "pending" or means.bank
    body = _make(call, charge, amount, "pending" if pending else "succeeded")
    call.emit("refund.created", body)
    _count(call, charge, amount)
    call.emit("charge.refunded", charge)
    return body


def retrieve(call: Call, identity: str) -> Json:
    """Read a refund."""
    return call.find("refund", identity)


def update(call: Call, identity: str) -> Json:
    """Change the metadata."""
    body = call.find("refund", identity)
    body["metadata"] = merged_metadata(body["metadata"], call.params.get("metadata"))
    call.save(body)
    _announce(call, body)
    return body


def index(call: Call) -> Json:
    """List refunds, by charge or payment intent."""
    return lists.page(call, "refund")


def cancel(call: Call, identity: str) -> Json:
    """Cancel a refund that still waits; refunds to cards never do."""
    body = call.find("refund", identity)
    if body["status"] != "requires_action":
        message = (
            f"Refund {identity} cannot be canceled because it has a status of {body['status']}. "
            "Only refunds with a status of requires_action can be canceled."
        )
        raise refused(message)
    return _undo(call, body, "canceled")


def fail(call: Call, body: Json, reason: str) -> Json:
    """Let the bank send a refund back, days later perhaps: the money is ours again."""
    body["failure_reason"] = reason
    return _undo(call, body, "failed")


def succeed(call: Call, body: Json) -> Json:
    """Let a pending refund arrive."""
    body["status"] = "succeeded"
    body.pop("pending_reason", None)
    call.save(body)
    _announce(call, body)
    return body


def let_go(call: Call, charge: Json, amount: int) -> Json:
    """Give up what manual capture held and nobody took; no money had moved."""
    _count(call, charge, amount)
    call.emit("charge.refunded", charge)
    return charge


def _charge(call: Call) -> Json:
    charge, intent = call.param("charge"), call.param("payment_intent")
    if charge and intent:
        message = "You may only specify one of these parameters: charge, payment_intent."
        raise invalid(message, code="parameters_exclusive")
    if charge:
        found = call.find("charge", charge, "charge")
    elif intent:
        paid = call.find("payment_intent", intent, "payment_intent")
        found = call.store.get(paid["latest_charge"] or "", "charge") or {}
    else:
        raise missing("payment_intent")
    if not found.get("captured"):
        subject = f"PaymentIntent ({intent})" if intent else f"Charge ({charge})"
        message = f"This {subject} does not have a successful charge to refund."
        raise refused(message, param="payment_intent" if intent else "charge")
    return found


def _make(call: Call, charge: Json, amount: int, status: str) -> Json:
    identity = new_id("re")
    bank = charge["id"].startswith("py_")
    kind = "payment_refund" if bank else "refund"
    # The money of a young charge is still pending, and so is what goes back of it.
    source = call.store.get(charge["balance_transaction"] or "") or {}
    due = max(call.now, int(source.get("available_on", 0)))
    posted = balance.post(call, kind, -amount, charge["currency"], identity, available_on=due)
    body: Json = {
        "id": identity,
        "object": "refund",
        "amount": amount,
        "balance_transaction": posted["id"],
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "metadata": merged_metadata({}, call.params.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "reason": call.param("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    if bank:
        body["destination_details"] = {"type": "us_bank_transfer", "us_bank_transfer": {}}
    else:
        body["destination_details"] = {
            "type": "card",
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
        }
    if status == "pending":
        body["pending_reason"] = "processing"
    return call.create(body)


def _undo(call: Call, body: Json, status: str) -> Json:
    posted = balance.post(call, "refund_failure", body["amount"], body["currency"], body["id"])
    body |= {"status": status, "failure_balance_transaction": posted["id"]}
    body.pop("pending_reason", None)
    call.save(body)
    charge = call.find("charge", body["charge"])
    _count(call, charge, -body["amount"])
    _announce(call, body)
    if status == "failed":
        call.emit("refund.failed", body)
    call.emit("charge.updated", charge)
    return body


def _announce(call: Call, body: Json) -> None:
    call.emit("charge.refund.updated", body)
    call.emit("refund.updated", body)


def _count(call: Call, charge: Json, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    call.save(charge)
