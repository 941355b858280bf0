"""Setup intents: saving a payment method for later, authenticated where the card asks for it."""

from deploy.local.stripe_sandbox import confirmation, customers, lists, payment_methods
from deploy.local.stripe_sandbox import payment_intents as payments
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.cards import Decline
from deploy.local.stripe_sandbox.errors import StripeError, declined, refused
from deploy.local.stripe_sandbox.values import Json

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTHENTICATION_FAILED = Decline(
    "setup_intent_authentication_failure",
    None,
    "The latest attempt to set up the payment method has failed because authentication failed.",
)
_CLIENT_FIELDS = [
    "id",
    "object",
    "automatic_payment_methods",
    "cancellation_reason",
    "client_secret",
    "created",
    "description",
    "last_setup_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_types",
    "status",
    "usage",
]


def create(call: Call) -> Json:
    """Create a setup intent, confirmed at once when asked to."""
    if customer := call.param("customer"):
        customers.living(call, customer, "customer")
    method = payment_methods.payable(call, call.params, customer)
    identity = new_id("seti")
    given = call.param("automatic_payment_methods")
    automatic = None if given and not given["enabled"] else {"enabled": True}
    if automatic is not None:
        automatic |= {"allow_redirects": (given or {}).get("allow_redirects", "always")}
    body: Json = {
        "id": identity,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": automatic,
        "cancellation_reason": None,
        "client_secret": f"{identity}_{new_id('secret', 25)}",
        "created": call.now,
        "customer": customer,
        "description": call.param("description"),
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": merged_metadata({}, call.params.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method["id"] if method else None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card", "us_bank_account"],
        "single_use_mandate": None,
        "status": "requires_confirmation" if method else "requires_payment_method",
        "usage": call.param("usage") or "off_session",
    }
    call.create(body)
    call.emit("setup_intent.created", body)
    return _confirm(call, body, method) if call.param("confirm") else body


def retrieve(call: Call, identity: str) -> Json:
    """Read a setup intent; a publishable key must show its client secret and sees less."""
    return payments.for_client(call, call.find("setup_intent", identity), _CLIENT_FIELDS)


def index(call: Call) -> Json:
    """List setup intents, by customer or payment method."""
    return lists.page(call, "setup_intent")


def update(call: Call, identity: str) -> Json:
    """Change one that is still open."""
    body = call.find("setup_intent", identity)
    _open(body, "updated")
    if customer := call.param("customer"):
        customers.living(call, customer, "customer")
        body["customer"] = customer
    if "description" in call.params:
        body["description"] = call.param("description")
    if method := payment_methods.payable(call, call.params, body["customer"]):
        body |= {"payment_method": method["id"], "status": "requires_confirmation"}
        body["next_action"] = None
    body["metadata"] = merged_metadata(body["metadata"], call.params.get("metadata"))
    return call.save(body)


def confirm(call: Call, identity: str) -> Json:
    """Confirm, as a server or, with the client secret, as Stripe.js; raises 402 when declined."""
    body = call.find("setup_intent", identity)
    payments.check_secret(call, body)
    _open(body, "confirmed")
    method = payment_methods.payable(call, call.params, body["customer"])
    return payments.for_client(call, _confirm(call, body, method), _CLIENT_FIELDS)


def cancel(call: Call, identity: str) -> Json:
    """Cancel one that is still open."""
    body = call.find("setup_intent", identity)
    _open(body, "canceled")
    body |= {
        "status": "canceled",
        "cancellation_reason": call.param("cancellation_reason"),
        "next_action": None,
    }
    call.save(body)
    call.emit("setup_intent.canceled", body)
    return body


def finish_authentication(call: Call, body: Json, *, succeeded: bool) -> Json:
    """Do what follows when the cardholder has passed or failed 3-D Secure."""
    method = call.find("payment_method", body["payment_method"])
    if succeeded:
        return _save_method(call, body, method)
    _fail(call, body, method, AUTHENTICATION_FAILED)
    return body


def _confirm(call: Call, body: Json, method: Json | None) -> Json:
    if method is None and body["payment_method"]:
        method = call.find("payment_method", body["payment_method"])
    if method is None:
        message = (
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the "
            "SetupIntent with a payment method and then confirm it again."
        )
        raise refused(message, code="setup_intent_unexpected_state", setup_intent=body)
    payments.check_return_url(call, body, "SetupIntent")
    body |= {"payment_method": method["id"], "last_setup_error": None, "next_action": None}
    means = payment_methods.means_of(call, method)
    if not means.attaches and means.decline is not None:
        raise _fail(call, body, method, means.decline)
    if means.authentication != "never":
        body["status"] = "requires_action"
        body["next_action"] = confirmation.next_action(
            body, call.param("return_url"), call.base_url
        )
        call.save(body)
        call.emit("setup_intent.requires_action", body)
        return body
    return _save_method(call, body, method)


def _save_method(call: Call, body: Json, method: Json) -> Json:
    if body["customer"] and method["customer"] is None:
        payment_methods.bind(call, method, body["customer"])
    elif method["customer"] is None:
        call.store.hide(method["id"], used_up=True)
    call.store.hide(method["id"], set_up=True)
    body |= {"status": "succeeded", "next_action": None}
    call.save(body)
    call.emit("setup_intent.succeeded", body)
    return body


def _fail(call: Call, body: Json, method: Json, decline: Decline) -> StripeError:
    """Put the intent back to where another method can be set up; give the error that tells so."""
    error = declined(decline, payment_method=method)
    body |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_setup_error": dict(error.error),
    }
    call.save(body)
    call.emit("setup_intent.setup_failed", body)
    error.error["setup_intent"] = body
    return error


def _open(body: Json, done: str) -> None:
    if body["status"] not in OPEN:
        message = (
            f"This SetupIntent cannot be {done} because it has a status of {body['status']}. Only "
            f"a SetupIntent with one of the following statuses may be {done}: {', '.join(OPEN)}."
        )
        raise refused(message, code="setup_intent_unexpected_state", setup_intent=body)
