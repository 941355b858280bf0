"""Stripe's test payment methods: which token and which number behaves how.

From https://docs.stripe.com/testing and the ACH Direct Debit testing page.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Decline:
    """How an issuer says no: Stripe's error code, the issuer's reason, the sentence shown."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Means:
    """A test card or bank account and how it behaves.

    `authentication`: `always`; `unless_set_up` (asks on session, and off session until a setup
    intent was authenticated). `attaches` is False for cards that the issuer already declines when
    they are saved. `settles` is about bank debits only and is a default for the control API.
    """

    number: str
    brand: str = "visa"
    funding: str = "credit"
    decline: Decline | None = None
    authentication: Literal["never", "always", "unless_set_up"] = "never"
    attaches: bool = True
    available_at_once: bool = False
    disputed: bool = False
    refund: Literal["succeeds", "pending", "fails_later"] = "succeeds"
    bank: bool = False


def _declined(code: str | None, message: str = "Your card was declined.") -> Decline:
    return Decline("card_declined", code, message)


_GENERIC = _declined("generic_decline")
_FUNDS = _declined("insufficient_funds", "Your card has insufficient funds.")
_EXPIRED = Decline("expired_card", None, "Your card has expired.")
_CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
_PROCESSING = Decline(
    "processing_error",
    None,
    "An error occurred while processing your card. Try again in a little bit.",
)
_BANK_FUNDS = Decline(
    "insufficient_funds",
    None,
    "The customer's account has insufficient funds to cover this payment.",
)
_BANK_CLOSED = Decline("account_closed", None, "The customer's bank account has been closed.")
_BANK_NONE = Decline("no_account", None, "The customer's bank account could not be located.")

MEANS: dict[str, Means] = {
    "pm_card_visa": Means("4242424242424242"),
    "pm_card_visa_debit": Means("4000056655665556", funding="debit"),
    "pm_card_mastercard": Means("5555555555554444", "mastercard"),
    "pm_card_mastercard_debit": Means("5200828282828210", "mastercard", "debit"),
    "pm_card_amex": Means("378282246310005", "amex"),
    "pm_card_discover": Means("6011111111111117", "discover"),
    "pm_card_bypassPending": Means("4000000000000077", available_at_once=True),
    "pm_card_visa_chargeDeclined": Means("4000000000000002", decline=_GENERIC, attaches=False),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Means(
        "4000000000009995", decline=_FUNDS, attaches=False
    ),
    "pm_card_visa_chargeDeclinedLostCard": Means(
        "4000000000009987", decline=_declined("lost_card"), attaches=False
    ),
    "pm_card_visa_chargeDeclinedStolenCard": Means(
        "4000000000009979", decline=_declined("stolen_card"), attaches=False
    ),
    "pm_card_chargeDeclinedExpiredCard": Means(
        "4000000000000069", decline=_EXPIRED, attaches=False
    ),
    "pm_card_chargeDeclinedIncorrectCvc": Means("4000000000000127", decline=_CVC, attaches=False),
    "pm_card_chargeDeclinedProcessingError": Means(
        "4000000000000119", decline=_PROCESSING, attaches=False
    ),
    "pm_card_chargeCustomerFail": Means("4000000000000341", decline=_GENERIC),
    "pm_card_authenticationRequired": Means("4000002760003184", authentication="always"),
    "pm_card_threeDSecure2Required": Means("4000000000003220", authentication="always"),
    "pm_card_authenticationRequiredOnSetup": Means(
        "4000002500003155", authentication="unless_set_up"
    ),
    "pm_card_threeDSecureRequiredChargeDeclined": Means(
        "4000008400001629", authentication="always", decline=_GENERIC
    ),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": Means(
        "4000008260003178", authentication="always", decline=_FUNDS
    ),
    "pm_card_createDispute": Means("4000000000000259", disputed=True),
    "pm_card_refundFail": Means("4000000000005126", refund="fails_later"),
    "pm_card_pendingRefund": Means("4000000000007726", refund="pending"),
    "pm_usBankAccount_success": Means("000123456789", bank=True),
    "pm_usBankAccount_processing": Means("000000000009", bank=True),
    "pm_usBankAccount_insufficientFunds": Means("000222222227", bank=True, decline=_BANK_FUNDS),
    "pm_usBankAccount_accountClosed": Means("000111111113", bank=True, decline=_BANK_CLOSED),
    "pm_usBankAccount_noAccount": Means("000111111116", bank=True, decline=_BANK_NONE),
}
ALIASES = {
    "pm_card_us": "pm_card_visa",
    "pm_card_chargeDeclined": "pm_card_visa_chargeDeclined",
    "pm_card_chargeDeclinedInsufficientFunds": "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_usBankAccount": "pm_usBankAccount_success",
}
BY_NUMBER = {means.number: token for token, means in MEANS.items()}


def token_of(name: str) -> str | None:
    """Give the canonical token of a test payment method's name; None when it is none."""
    canonical = ALIASES.get(name, name)
    return canonical if canonical in MEANS else None
