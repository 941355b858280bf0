"""Confirming a payment intent: authentication, the issuer's answer, and what follows from it."""

from urllib.parse import urlencode

from deploy.local.stripe_sandbox import charges, disputes, payment_methods
from deploy.local.stripe_sandbox.call import Call, new_id
from deploy.local.stripe_sandbox.cards import Decline, Means
from deploy.local.stripe_sandbox.errors import StripeError, declined
from deploy.local.stripe_sandbox.values import Json

AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again.",
)


def attempt(call: Call, intent: Json, method: Json, *, off_session: bool) -> Json:
    """Try to take the money; the intent ends in whichever state the payment method leads to.

    Raises 402 `card_error`, keeping what it wrote, when the issuer declines.
    """
    intent |= {
        "payment_method": method["id"],
        "last_payment_error": None,
        "next_action": None,
        "processing": None,
    }
    means = payment_methods.means_of(call, method)
    if needs_authentication(call, method, means, off_session=off_session):
        if off_session:
            charge = charges.make(call, intent, method, "failed", decline=AUTHENTICATION_REQUIRED)
            intent["latest_charge"] = charge["id"]
            raise _declined(call, intent, method, AUTHENTICATION_REQUIRED, charge)
        intent["status"] = "requires_action"
        intent["next_action"] = next_action(intent, call.param("return_url"), call.base_url)
        call.save(intent)
        call.emit("payment_intent.requires_action", intent)
        return intent
    return _take(call, intent, method, means, authenticated=False)


def finish_authentication(call: Call, intent: Json, *, succeeded: bool) -> Json:
    """Do what follows when the cardholder has passed or failed 3-D Secure.

    Called from the client's side: a decline after it is a state of the intent, no error.
    """
    method = call.find("payment_method", intent["payment_method"])
    means = payment_methods.means_of(call, method)
    intent["next_action"] = None
    if not succeeded:
        _declined(call, intent, method, AUTHENTICATION_FAILED, None)
        return intent
    try:
        return _take(call, intent, method, means, authenticated=True)
    except StripeError as error:
        if not error.commits:
            raise
        return intent


def settle_processing(call: Call, intent: Json, decline: Decline | None) -> Json:
    """End a bank debit that was under way: it succeeds, or fails with a reason."""
    charge = call.find("charge", intent["latest_charge"])
    method = call.find("payment_method", intent["payment_method"])
    if decline is None:
        charge |= {
            "status": "succeeded",
            "paid": True,
            "captured": True,
            "amount_captured": charge["amount"],
        }
        call.save(charge)
        call.emit("charge.succeeded", charge)
        return _succeed(call, intent, charge, payment_methods.means_of(call, method))
    charge |= {
        "status": "failed",
        "failure_code": decline.code,
        "failure_message": decline.message,
    }
    call.save(charge)
    call.emit("charge.failed", charge)
    _declined(call, intent, method, decline, charge)
    return intent


def needs_authentication(call: Call, method: Json, means: Means, *, off_session: bool) -> bool:
    """Tell whether the cardholder must act now."""
    if means.authentication == "unless_set_up":
        return not (off_session and call.store.hidden(method["id"]).get("set_up"))
    return means.authentication == "always"


def next_action(intent: Json, return_url: str | None, base_url: str) -> Json:
    """Give Stripe's instruction to the client: a redirect with a return address, else Stripe.js."""
    noun = intent["object"]
    if return_url:
        page = f"{base_url}/_sandbox/{noun}s/{intent['id']}/authenticate"
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {
                "return_url": return_url,
                "url": f"{page}?{urlencode({'return_url': return_url})}",
            },
        }
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "type": "three_d_secure_redirect",
            "stripe_js": f"{base_url}/_sandbox/{noun}s/{intent['id']}/authenticate",
            "source": new_id("src"),
        },
    }


def _take(call: Call, intent: Json, method: Json, means: Means, *, authenticated: bool) -> Json:
    if means.bank:
        charge = charges.make(call, intent, method, "pending")
        intent |= {"status": "processing", "latest_charge": charge["id"]}
        call.save(intent)
        call.emit("payment_intent.processing", intent)
        return intent
    manual = intent["capture_method"] == "manual"
    charge = charges.make(
        call,
        intent,
        method,
        "failed" if means.decline else "succeeded",
        captured=not manual,
        decline=means.decline,
        authenticated=authenticated,
    )
    intent["latest_charge"] = charge["id"]
    if means.decline:
        raise _declined(call, intent, method, means.decline, charge)
    _keep_method(call, intent, method)
    if manual:
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        call.save(intent)
        call.emit("payment_intent.amount_capturable_updated", intent)
        return intent
    return _succeed(call, intent, charge, means)


def _succeed(call: Call, intent: Json, charge: Json, means: Means) -> Json:
    intent |= {
        "status": "succeeded",
        "amount_received": charge["amount_captured"],
        "last_payment_error": None,
        "next_action": None,
    }
    call.save(intent)
    call.emit("payment_intent.succeeded", intent)
    settle(call, intent, charge, means)
    return intent


def settle(call: Call, intent: Json, charge: Json, means: Means) -> None:
    """Book the charge: at once, or after the answer where capture is asynchronous."""

    def book() -> None:
        booked = charges.settle(call, charge, means)
        if means.disputed:
            disputes.open_on(call, booked, "fraudulent")

    if intent["capture_method"] == "automatic_async":
        call.after_answer(book)
    else:
        book()


def _keep_method(call: Call, intent: Json, method: Json) -> None:
    if method["customer"] is None:
        if intent["customer"] and intent["setup_future_usage"]:
            payment_methods.bind(call, method, intent["customer"])
        else:
            call.store.hide(method["id"], used_up=True)
    if intent["setup_future_usage"] == "off_session":
        call.store.hide(method["id"], set_up=True)


def _declined(
    call: Call, intent: Json, method: Json, decline: Decline, charge: Json | None
) -> StripeError:
    """Put the intent back to where another method can pay it; give the error that tells so."""
    paid_with = {"payment_method": method} | ({"charge": charge["id"]} if charge else {})
    error = declined(decline, **paid_with)
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "processing": None,
        "last_payment_error": dict(error.error),
    }
    call.save(intent)
    call.emit("payment_intent.payment_failed", intent)
    error.error["payment_intent"] = intent
    return error
