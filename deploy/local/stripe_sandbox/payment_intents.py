"""Payment intents: the life of one payment from order to final state."""

from deploy.local.stripe_sandbox import (
    charges,
    confirmation,
    customers,
    lists,
    money,
    payment_methods,
    refunds,
)
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.errors import StripeError, invalid, refused
from deploy.local.stripe_sandbox.values import Json

CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
)
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_PLAIN = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
_CLIENT_FIELDS = [
    "id",
    "object",
    "amount",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "description",
    "last_payment_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_types",
    "processing",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "status",
]
_NOT_YET = (
    "application",
    "application_fee_amount",
    "canceled_at",
    "cancellation_reason",
    "last_payment_error",
    "latest_charge",
    "next_action",
    "on_behalf_of",
    "payment_method_configuration_details",
    "processing",
    "review",
    "transfer_data",
)
_NO_RETURN_URL = (
    "This {noun} is configured to accept payment methods enabled in your Dashboard. Because some "
    "of these payment methods might redirect your customer off of your page, you must provide a "
    "`return_url`. If you don't want to accept redirect-based payment methods, set "
    "`automatic_payment_methods[enabled]` to `true` and "
    "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
    "Payment Intents."
)


def create(call: Call) -> Json:
    """Create an intent, confirmed at once when asked to."""
    amount, currency = money.ordered(call)
    confirm_now = bool(call.param("confirm"))
    for name in ("off_session", "return_url"):
        if name in call.params and not confirm_now:
            message = f"{name} can only be given when confirm is true."
            raise invalid(message, param=name)
    if call.param("confirmation_method") == "manual":
        message = "The sandbox confirms automatically only."
        raise invalid(message, param="confirmation_method")
    if customer := call.param("customer"):
        customers.living(call, customer, "customer")
    method = payment_methods.payable(call, call.params, customer)
    identity = new_id("pi")
    body: Json = {
        "id": identity,
        **dict.fromkeys(_NOT_YET),
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": _automatic(call),
        "capture_method": call.param("capture_method") or "automatic_async",
        "client_secret": f"{identity}_{new_id('secret', 25)}",
        "confirmation_method": "automatic",
        "created": call.now,
        "currency": currency,
        "customer": customer,
        "livemode": False,
        "metadata": merged_metadata({}, call.params.get("metadata")),
        "payment_method": method["id"] if method else None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card", "us_bank_account"],
        "status": "requires_confirmation" if method else "requires_payment_method",
        **{name: call.param(name) for name in _PLAIN},
    }
    call.create(body)
    call.emit("payment_intent.created", body)
    return _confirm(call, body, method) if confirm_now else body


def retrieve(call: Call, identity: str) -> Json:
    """Read an intent; a publishable key must show its client secret and sees less."""
    body = call.find("payment_intent", identity)
    return for_client(call, body, _CLIENT_FIELDS)


def index(call: Call) -> Json:
    """List intents, by customer and time."""
    return lists.page(call, "payment_intent")


def update(call: Call, identity: str) -> Json:
    """Change an intent that is not final; metadata and description can always be changed."""
    body = call.find("payment_intent", identity)
    final = body["status"] not in CONFIRMABLE
    if final and set(call.params) - {"metadata", "description", "expand"}:
        raise unexpected(body, "This PaymentIntent could not be updated", "updated")
    if "amount" in call.params or "currency" in call.params:
        body["amount"], body["currency"] = money.ordered(call, body["amount"], body["currency"])
    if customer := call.param("customer"):
        customers.living(call, customer, "customer")
        body["customer"] = customer
    for name in (*_PLAIN, "capture_method"):
        if name in call.params:
            body[name] = call.param(name)
    method = payment_methods.payable(call, call.params, body["customer"])
    if method is not None:
        body["payment_method"] = method["id"]
    if not final:
        body["last_payment_error"] = None
        asked_anew = {"amount", "currency", "customer"} & call.params.keys()
        if method is not None or (asked_anew and body["status"] == "requires_action"):
            body |= {"status": "requires_confirmation", "next_action": None}
    body["metadata"] = merged_metadata(body["metadata"], call.params.get("metadata"))
    return call.save(body)


def confirm(call: Call, identity: str) -> Json:
    """Confirm, with another payment method perhaps; raises 402 when it is declined.

    A publishable key with the client secret may do it too, as Stripe.js does.
    """
    body = call.find("payment_intent", identity)
    check_secret(call, body)
    method = None
    if body["status"] in CONFIRMABLE:
        method = payment_methods.payable(call, call.params, body["customer"])
    if "setup_future_usage" in call.params:
        body["setup_future_usage"] = call.param("setup_future_usage")
    try:
        return for_client(call, _confirm(call, body, method), _CLIENT_FIELDS)
    except StripeError as error:
        if "payment_intent" in error.error:
            error.error["payment_intent"] = for_client(
                call, error.error["payment_intent"], _CLIENT_FIELDS
            )
        raise


def capture(call: Call, identity: str) -> Json:
    """Take what manual capture has authorised, all or less; the rest is let go."""
    body = call.find("payment_intent", identity)
    if body["status"] != "requires_capture":
        raise unexpected(body, "This PaymentIntent could not be captured", "captured")
    amount = int(call.param("amount_to_capture", body["amount"]))
    if not 1 <= amount <= body["amount_capturable"]:
        message = "The amount to capture must not exceed what is capturable."
        raise refused(message, code="amount_too_large", param="amount_to_capture")
    charge = call.find("charge", body["latest_charge"])
    charge |= {"captured": True, "amount_captured": amount}
    call.save(charge)
    call.emit("charge.captured", charge)
    if rest := charge["amount"] - amount:
        charge = refunds.let_go(call, charge, rest)
    body |= {"status": "succeeded", "amount_capturable": 0, "amount_received": amount}
    call.save(body)
    call.emit("payment_intent.succeeded", body)
    confirmation.settle(call, body, charge, charges.means_of(call, charge))
    return body


def cancel(call: Call, identity: str) -> Json:
    """Cancel an intent that has not succeeded and is not being processed."""
    body = call.find("payment_intent", identity)
    if body["status"] not in CANCELABLE:
        raise unexpected(body, "You cannot cancel this PaymentIntent", "canceled", CANCELABLE)
    if body["status"] == "requires_capture":
        charge = call.find("charge", body["latest_charge"])
        refunds.let_go(call, charge, charge["amount"])
    body |= {
        "status": "canceled",
        "canceled_at": call.now,
        "cancellation_reason": call.param("cancellation_reason"),
        "amount_capturable": 0,
        "next_action": None,
    }
    call.save(body)
    call.emit("payment_intent.canceled", body)
    return body


def unexpected(
    body: Json, sentence: str, done: str, allowed: tuple[str, ...] = CONFIRMABLE
) -> Exception:
    """Refuse because of the intent's state; the answer carries the intent."""
    message = (
        f"{sentence} because it has a status of {body['status']}. Only a PaymentIntent with one of "
        f"the following statuses may be {done}: {', '.join(allowed)}."
    )
    return refused(message, code="payment_intent_unexpected_state", payment_intent=body)


def check_secret(call: Call, body: Json) -> None:
    """Let a publishable key pass only with the object's client secret."""
    given = call.param("client_secret")
    if (call.publishable or given) and given != body["client_secret"]:
        noun = body["object"]
        message = f"The client_secret provided does not match the {noun} `{body['id']}`."
        code = f"{noun}_invalid_parameter" if noun == "payment_intent" else None
        raise invalid(message, code=code, param="client_secret")


def for_client(call: Call, body: Json, fields: list[str]) -> Json:
    """Show a publishable key only what Stripe shows to browsers."""
    if not call.publishable:
        return body
    check_secret(call, body)
    return {name: body[name] for name in fields}


def check_return_url(call: Call, body: Json, noun: str) -> None:
    """Refuse a server's confirm that could need a redirect and says nowhere to come back to."""
    automatic = body["automatic_payment_methods"] or {}
    redirects = automatic.get("allow_redirects", "always") == "always"
    if redirects and not call.publishable and not call.param("return_url"):
        raise refused(_NO_RETURN_URL.format(noun=noun), param="return_url")


def _confirm(call: Call, body: Json, method: Json | None) -> Json:
    if body["status"] == "succeeded":
        message = (
            "You cannot confirm this PaymentIntent because it has already succeeded after being "
            "previously confirmed."
        )
        raise refused(message, code="payment_intent_unexpected_state", payment_intent=body)
    if body["status"] not in CONFIRMABLE:
        raise unexpected(body, "You cannot confirm this PaymentIntent", "confirmed")
    if method is None and body["payment_method"]:
        method = call.find("payment_method", body["payment_method"])
    if method is None:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken."
        )
        raise refused(message, code="payment_intent_unexpected_state", payment_intent=body)
    check_return_url(call, body, "PaymentIntent")
    off_session = call.param("off_session") not in (None, False)
    return confirmation.attempt(call, body, method, off_session=off_session)


def _automatic(call: Call) -> Json | None:
    given = call.param("automatic_payment_methods")
    if given is None:
        return {"allow_redirects": "always", "enabled": True}
    if not given["enabled"]:
        return None
    return {"allow_redirects": given.get("allow_redirects", "always"), "enabled": True}
