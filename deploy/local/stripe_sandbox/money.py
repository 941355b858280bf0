"""Amounts and currencies as Stripe accepts them: integer minor units, ISO codes in lower case."""

from deploy.local.stripe_sandbox.call import Call
from deploy.local.stripe_sandbox.errors import invalid, missing

MINIMUM = 50
MAXIMUM = 99_999_999
CURRENCIES = frozenset(
    [
        "aud",
        "brl",
        "cad",
        "chf",
        "czk",
        "dkk",
        "eur",
        "gbp",
        "hkd",
        "huf",
        "inr",
        "jpy",
        "mxn",
        "nok",
        "nzd",
        "pln",
        "ron",
        "sek",
        "sgd",
        "thb",
        "usd",
    ]
)


def ordered(call: Call, amount: int | None = None, currency: str | None = None) -> tuple[int, str]:
    """Give the amount and currency that a request orders, or else those that stand already.

    Raises 400: `parameter_missing`, `amount_too_small` (under 0.50), `amount_too_large`,
    `parameter_invalid_integer`, or an unknown currency.
    """
    found = call.param("amount", amount)
    if found is None:
        raise missing("amount")
    return charged(int(found)), currency_of(call, currency)


def charged(amount: int) -> int:
    """Check what a card can be charged."""
    positive(amount)
    if amount < MINIMUM:
        raise invalid("Amount must be at least $0.50 usd", code="amount_too_small", param="amount")
    return amount


def positive(amount: int) -> int:
    """Check an amount that may be small: a refund, a transfer, a payout."""
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, code="parameter_invalid_integer", param="amount")
    if amount > MAXIMUM:
        message = "Amount must be no more than $999,999.99"
        raise invalid(message, code="amount_too_large", param="amount")
    return amount


def currency_of(call: Call, present: str | None = None) -> str:
    """Give the request's currency in lower case."""
    given = call.param("currency", present)
    if not given:
        raise missing("currency")
    if given.lower() not in CURRENCIES:
        known = ", ".join(sorted(CURRENCIES))
        message = f"Invalid currency: {given}. Stripe currently supports these currencies: {known}"
        raise invalid(message, param="currency")
    return str(given.lower())
