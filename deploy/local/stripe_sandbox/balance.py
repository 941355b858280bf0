"""The balance: what each movement of money left behind, and what of it can be spent now."""

from collections import defaultdict

from deploy.local.stripe_sandbox import lists
from deploy.local.stripe_sandbox.call import PLATFORM, Call, new_id
from deploy.local.stripe_sandbox.values import Json

DAY = 24 * 3600
SETTLING_SECONDS = 2 * DAY

_CATEGORIES = {
    "adjustment": "dispute",
    "payment": "charge",
    "payment_refund": "refund",
    "transfer_refund": "transfer_reversal",
    "refund_failure": "refund_failure",
}


def stripe_fee(amount: int) -> int:
    """Give Stripe's price of a card charge in minor units: 2.9 % and 30, rounded half up."""
    return (amount * 29 + 500) // 1000 + 30


def post(
    call: Call,
    kind: str,
    amount: int,
    currency: str,
    source: str,
    *,
    fee: int = 0,
    available_on: int | None = None,
    account: str | None = None,
) -> Json:
    """Write a balance transaction: `amount` less `fee` moves the account's balance."""
    due = call.now if available_on is None else available_on
    details = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees" if kind == "charge" else "Dispute fee",
        "type": "stripe_fee",
    }
    body: Json = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": due,
        "balance_type": "payments",
        "created": call.now,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": amount - fee,
        "reporting_category": _CATEGORIES.get(kind, kind),
        "source": source,
        "status": "available" if due <= call.now else "pending",
        "type": kind,
    }
    call.store.insert(account or call.account, body)
    return body


def spendable(call: Call, currency: str) -> int:
    """Give what the account could pay out or transfer now; a test may have emptied it."""
    if call.store.setting("balance_emptied", "") and call.account == PLATFORM:
        return 0
    return _sums(call)[currency][0]


def retrieve(call: Call) -> Json:
    """Give available and pending amounts per currency."""
    sums = _sums(call)
    rows = sorted(sums) or ["usd"]

    def amounts(column: int) -> list[Json]:
        return [
            {
                "amount": sums[currency][column],
                "currency": currency,
                "source_types": {"card": sums[currency][column]},
            }
            for currency in rows
        ]

    return {
        "object": "balance",
        "available": amounts(0),
        "livemode": False,
        "pending": amounts(1),
    }


def retrieve_transaction(call: Call, identity: str) -> Json:
    """Read a balance transaction."""
    return _dated(call, call.find("balance_transaction", identity))


def index(call: Call) -> Json:
    """List balance transactions, by source, type or currency."""
    found = lists.page(call, "balance_transaction")
    found["data"] = [_dated(call, body) for body in found["data"]]
    return found


def _dated(call: Call, body: Json) -> Json:
    body["status"] = "available" if body["available_on"] <= call.now else "pending"
    return body


def _sums(call: Call) -> dict[str, tuple[int, int]]:
    rows = call.store.run(
        "SELECT json_extract(body, '$.currency') AS currency,"
        " json_extract(body, '$.available_on') <= ? AS free,"
        " sum(json_extract(body, '$.net')) AS net"
        " FROM object WHERE kind = 'balance_transaction' AND account = ? GROUP BY 1, 2",
        call.now,
        call.account,
    )
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in rows:
        free, pending = found[row["currency"]]
        if row["free"]:
            found[row["currency"]] = (free + row["net"], pending)
        else:
            found[row["currency"]] = (free, pending + row["net"])
    return found
