"""Transfers to connected accounts, and their reversals."""

from dataclasses import replace

from deploy.local.stripe_sandbox import balance, lists, money
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.errors import invalid, refused
from deploy.local.stripe_sandbox.values import Json

NO_FUNDS = (
    "You have insufficient available funds in your Stripe account. Try adding funds directly to "
    "your available balance by creating Charges using the 4000000000000077 test card. See: "
    "https://stripe.com/docs/testing#available-balance"
)


def create(call: Call) -> Json:
    """Move money to a connected account.

    With `source_transaction` the charge's own money is moved, settled or not, up to the charge's
    amount over all its transfers; without, only what is available. Raises 400
    `balance_insufficient`, `insufficient_capabilities_for_transfer`, `resource_missing`.
    """
    currency = money.currency_of(call)
    account = _receiver(call)
    group = call.param("transfer_group")
    charge = call.param("source_transaction")
    if charge is None and "amount" not in call.params:
        raise invalid("Missing required param: amount.", code="parameter_missing", param="amount")
    if charge:
        amount, group, due = _from_charge(call, charge, currency, group)
    else:
        amount, due = money.positive(call.params["amount"]), call.now
        _check_funds(call, amount, currency)
    identity = new_id("tr")
    posted = balance.post(call, "transfer", -amount, currency, identity)
    body: Json = {
        "id": identity,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": posted["id"],
        "created": call.now,
        "currency": currency,
        "description": call.param("description"),
        "destination": account["id"],
        "destination_payment": _arrive(
            call, account["id"], identity, amount=amount, currency=currency, due=due
        ),
        "livemode": False,
        "metadata": merged_metadata({}, call.params.get("metadata")),
        "reversals": lists.listed([], f"/v1/transfers/{identity}/reversals"),
        "reversed": False,
        "source_transaction": charge,
        "source_type": "card",
        "transfer_group": group,
    }
    call.create(body)
    call.emit("transfer.created", body)
    return body


def retrieve(call: Call, identity: str) -> Json:
    """Read a transfer."""
    return call.find("transfer", identity)


def update(call: Call, identity: str) -> Json:
    """Change description or metadata."""
    body = call.find("transfer", identity)
    if "description" in call.params:
        body["description"] = call.param("description")
    body["metadata"] = merged_metadata(body["metadata"], call.params.get("metadata"))
    call.save(body)
    call.emit("transfer.updated", body)
    return body


def index(call: Call) -> Json:
    """List transfers, by destination or transfer group."""
    return lists.page(call, "transfer")


def reverse(call: Call, identity: str) -> Json:
    """Take a transfer back, in full or in part; raises 400 for more than is left of it."""
    body = call.find("transfer", identity)
    left = body["amount"] - body["amount_reversed"]
    if left == 0:
        raise refused(f"The transfer {identity} is already fully reversed.", param="amount")
    amount = money.positive(int(call.param("amount", left)))
    if amount > left:
        message = (
            f"Reversal amount (${amount / 100:,.2f}) is greater than the unreversed amount on "
            f"transfer (${left / 100:,.2f})"
        )
        raise refused(message, param="amount")
    reversal = new_id("trr")
    posted = balance.post(call, "transfer_refund", amount, body["currency"], reversal)
    balance.post(
        call, "payment_refund", -amount, body["currency"], reversal, account=body["destination"]
    )
    made: Json = {
        "id": reversal,
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": posted["id"],
        "created": call.now,
        "currency": body["currency"],
        "destination_payment_refund": None,
        "metadata": merged_metadata({}, call.params.get("metadata")),
        "source_refund": None,
        "transfer": identity,
    }
    call.create(made)
    body["amount_reversed"] += amount
    body["reversed"] = body["amount_reversed"] == body["amount"]
    body["reversals"]["data"] = [made, *body["reversals"]["data"]][:10]
    call.save(body)
    call.emit("transfer.reversed", body)
    return made


def reversals(call: Call, identity: str) -> Json:
    """List a transfer's reversals."""
    call.find("transfer", identity)
    return lists.page(call, "transfer_reversal", transfer=identity)


def retrieve_reversal(call: Call, identity: str, reversal: str) -> Json:
    """Read one reversal."""
    call.find("transfer", identity)
    return call.find("transfer_reversal", reversal)


def _receiver(call: Call) -> Json:
    account = call.find("account", call.params["destination"], "destination")
    if account["capabilities"].get("transfers") != "active":
        message = (
            "Your destination account needs to have at least one of the following capabilities "
            "enabled: transfers, crypto_transfers, legacy_payments"
        )
        raise refused(message, code="insufficient_capabilities_for_transfer")
    return account


def _check_funds(call: Call, amount: int, currency: str) -> None:
    if amount > balance.spendable(call, currency):
        raise refused(NO_FUNDS, code="balance_insufficient")


def _from_charge(
    call: Call, identity: str, currency: str, group: str | None
) -> tuple[int, str | None, int]:
    """Check a source charge; give the amount, the group and when the money becomes available."""
    charge = call.find("charge", identity, "source_transaction")
    if not charge["paid"] or not charge["captured"] or charge["currency"] != currency:
        message = "The source_transaction must be a paid charge of the transfer's currency."
        raise refused(message, param="source_transaction")
    if call.store.setting("balance_emptied", ""):
        raise refused(NO_FUNDS, code="balance_insufficient")
    moved = sum(
        transfer["amount"] - transfer["amount_reversed"]
        for transfer in call.store.select("transfer", source_transaction=identity)
    )
    amount = money.positive(int(call.param("amount", charge["amount"] - moved)))
    if moved + amount > charge["amount"]:
        message = (
            "Transfers using this transaction as a source must not exceed the source amount of "
            f"${charge['amount'] / 100:,.2f}. (There are already transfers using this source, "
            f"amounting to ${moved / 100:,.2f}.)"
        )
        raise refused(message, param="amount")
    if charge["transfer_group"] is None:
        charge["transfer_group"] = group or f"group_{charge['payment_intent']}"
        call.save(charge)
    elif group not in (None, charge["transfer_group"]):
        message = "The transfer_group must match that of the source_transaction."
        raise refused(message, param="transfer_group")
    posted = call.store.get(charge["balance_transaction"] or "") or {}
    return amount, charge["transfer_group"], int(posted.get("available_on", call.now))


def _arrive(
    call: Call, account: str, transfer: str, *, amount: int, currency: str, due: int
) -> str:
    """Make the payment that the connected account sees."""
    there = replace(call, account=account)
    identity = new_id("py")
    posted = balance.post(there, "payment", amount, currency, identity, available_on=due)
    there.create(
        {
            "id": identity,
            "object": "charge",
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": 0,
            "balance_transaction": posted["id"],
            "billing_details": dict.fromkeys(("address", "email", "name", "phone", "tax_id")),
            "captured": True,
            "created": call.now,
            "currency": currency,
            "customer": None,
            "disputed": False,
            "livemode": False,
            "metadata": {},
            "paid": True,
            "payment_intent": None,
            "refunded": False,
            "source_transfer": transfer,
            "status": "succeeded",
            "transfer_group": None,
        }
    )
    return identity
