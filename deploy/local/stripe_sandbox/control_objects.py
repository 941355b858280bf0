"""What the world outside does to objects: cardholders, banks, account owners."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from deploy.local.stripe_sandbox import (
    accounts,
    confirmation,
    control_bodies,
    disputes,
    payouts,
    refunds,
    setup_intents,
)
from deploy.local.stripe_sandbox.call import Call
from deploy.local.stripe_sandbox.cards import Decline
from deploy.local.stripe_sandbox.errors import StripeError
from deploy.local.stripe_sandbox.values import Json

Asked = dict[str, Any]


def authenticate_payment(call: Call, identity: str, asked: Asked) -> Json:
    """Pass or fail 3-D Secure of a payment intent."""
    body = _in(call.find("payment_intent", identity), "requires_action")
    return confirmation.finish_authentication(call, body, succeeded=asked["outcome"] == "success")


def authenticate_setup(call: Call, identity: str, asked: Asked) -> Json:
    """Pass or fail 3-D Secure of a setup intent."""
    body = _in(call.find("setup_intent", identity), "requires_action")
    return setup_intents.finish_authentication(call, body, succeeded=asked["outcome"] == "success")


def settle_payment(call: Call, identity: str, asked: Asked) -> Json:
    """Let a bank debit that is being processed succeed or fail."""
    body = _in(call.find("payment_intent", identity), "processing")
    decline = Decline(asked["code"], None, "The bank did not honour the debit.")
    return confirmation.settle_processing(
        call, body, None if asked["outcome"] == "succeed" else decline
    )


def dispute_charge(call: Call, identity: str, asked: Asked) -> Json:
    """Let the cardholder dispute a paid charge."""
    charge = call.find("charge", identity)
    if not charge["captured"] or charge["disputed"]:
        raise _wrong("the charge is unpaid or disputed already")
    return disputes.open_on(call, charge, asked["reason"])


def close_dispute(call: Call, identity: str, asked: Asked) -> Json:
    """Let the bank decide a dispute."""
    body = _in(call.find("dispute", identity), *disputes.OPEN)
    return disputes.settle(call, body, won=asked["outcome"] == "won")


def fail_refund(call: Call, identity: str, asked: Asked) -> Json:
    """Let the bank send a refund back."""
    body = _in(call.find("refund", identity), "pending", "succeeded")
    return refunds.fail(call, body, asked["reason"])


def succeed_refund(call: Call, identity: str, _: Asked) -> Json:
    """Let a pending refund arrive."""
    return refunds.succeed(call, _in(call.find("refund", identity), "pending"))


def settle_payout(call: Call, identity: str, asked: Asked) -> Json:
    """Let the bank take a payout or send it back, also one that it took before."""
    account = call.store.account_of(identity) if call.store.get(identity, "payout") else ""
    call.account = account or call.account
    body = _in(call.find("payout", identity), "pending", "in_transit", "paid")
    return payouts.settle(call, body, paid=asked["outcome"] == "succeed")


def onboard(call: Call, identity: str, _: Asked) -> Json:
    """Complete a connected account's onboarding."""
    return accounts.onboard(call, call.find("account", identity))


ACTIONS: dict[str, tuple[type[BaseModel], Callable[[Call, str, Asked], Json]]] = {
    "payment_intents.authenticate": (control_bodies.Authenticate, authenticate_payment),
    "setup_intents.authenticate": (control_bodies.Authenticate, authenticate_setup),
    "payment_intents.settle": (control_bodies.Settle, settle_payment),
    "charges.dispute": (control_bodies.OpenDispute, dispute_charge),
    "disputes.close": (control_bodies.CloseDispute, close_dispute),
    "refunds.fail": (control_bodies.FailRefund, fail_refund),
    "refunds.succeed": (control_bodies.Nothing, succeed_refund),
    "payouts.settle": (control_bodies.Settle, settle_payout),
    "accounts.onboard": (control_bodies.Nothing, onboard),
}


def _in(body: Json, *statuses: str) -> Json:
    if body["status"] not in statuses:
        raise _wrong(f"{body['id']} is {body['status']}, not {' or '.join(statuses)}")
    return body


def _wrong(sentence: str) -> StripeError:
    return StripeError(409, "invalid_request_error", sentence, code="sandbox_wrong_state")
