"""Payment methods: test tokens and numbers become cards and bank accounts of a customer."""

import hashlib

from deploy.local.stripe_sandbox import cards, lists
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.cards import Means
from deploy.local.stripe_sandbox.errors import (
    StripeError,
    declined,
    invalid,
    missing,
    no_such,
    refused,
)
from deploy.local.stripe_sandbox.values import Json, Value

_USED_UP = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
    "attachment, shared with a connected account without Customer attachment, or was detached from "
    "a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach "
    "it to a Customer first."
)


def create(call: Call) -> Json:
    """Create one from a test card number or a test bank account number, attached to nobody."""
    return _from_data(call, call.params)


def retrieve(call: Call, identity: str) -> Json:
    """Read one."""
    return call.find("payment_method", identity)


def retrieve_of_customer(call: Call, customer: str, identity: str) -> Json:
    """Read one of this customer's."""
    return owned(call, identity, customer, None)


def update(call: Call, identity: str) -> Json:
    """Change billing details, expiry or metadata of an attached one."""
    body = call.find("payment_method", identity)
    if body["customer"] is None:
        message = "You must save this PaymentMethod to a customer before you can update it."
        raise refused(message, param="payment_method")
    body["metadata"] = merged_metadata(body["metadata"], call.params.get("metadata"))
    body["billing_details"] = _billing(call.param("billing_details"), body["billing_details"])
    body["allow_redisplay"] = call.param("allow_redisplay") or body["allow_redisplay"]
    for name in ("exp_month", "exp_year"):
        if name in (call.param("card") or {}):
            body["card"][name] = call.param("card")[name]
    call.save(body)
    call.emit("payment_method.updated", body)
    return body


def index(call: Call) -> Json:
    """List attached ones, by customer and type."""
    return lists.page(call, "payment_method")


def index_of_customer(call: Call, customer: str) -> Json:
    """List this customer's."""
    call.find("customer", customer)
    return lists.page(call, "payment_method", customer=customer)


def attach(call: Call, identity: str) -> Json:
    """Attach to a customer; each use of a test token makes a new payment method.

    Raises 402 `card_declined` for test cards that an issuer declines on sight.
    """
    customer = call.param("customer")
    if not customer:
        raise missing("customer")
    return attach_to(call, identity, customer)


def detach(call: Call, identity: str) -> Json:
    """Detach from its customer, for ever."""
    body = call.find("payment_method", identity)
    if body["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is "
        raise refused(message + "impossible.", param="payment_method")
    return release(call, body)


def release(call: Call, body: Json) -> Json:
    """Take a payment method from its customer."""
    previous = {"customer": body["customer"]}
    body["customer"] = None
    call.save(body)
    call.store.hide(body["id"], used_up=True)
    call.emit("payment_method.detached", body, previous)
    return body


def attach_to(call: Call, identity: str, customer: str) -> Json:
    """Attach one, from a token or an id."""
    found = call.store.get(customer, "customer", call.account)
    if found is None or found.get("deleted"):
        raise no_such("customer", customer, "customer", 400)
    body = known(call, identity, "payment_method", path=True)
    if body["customer"] == customer:
        return body
    if body["customer"] is not None:
        message = "The payment method you provided has already been attached to a customer."
        raise refused(message, param="payment_method")
    _usable(call, body)
    means = means_of(call, body)
    if not means.attaches and means.decline is not None:
        raise declined(means.decline)
    return bind(call, body, customer)


def bind(call: Call, body: Json, customer: str) -> Json:
    """Make a payment method the customer's, asking nobody."""
    body["customer"] = customer
    call.save(body)
    call.emit("payment_method.attached", body)
    return body


def known(call: Call, identity: str, param: str, *, path: bool = False) -> Json:
    """Give the payment method of an id, or a new one for a test token."""
    token = cards.token_of(identity)
    if token is not None:
        return _of_token(call, token, {})
    body = call.store.get(identity, "payment_method", call.account)
    if body is None:
        raise no_such("PaymentMethod", identity, param, 404 if path else 400)
    return body


def owned(call: Call, identity: str, customer: str, param: str | None) -> Json:
    """Give a payment method that is this customer's; raises `resource_missing` otherwise."""
    body = call.store.get(identity, "payment_method", call.account)
    if body is None or body["customer"] != customer:
        raise no_such("PaymentMethod", identity, param or "payment_method", 400 if param else 404)
    return body


def payable(call: Call, params: Json, customer: str | None) -> Json | None:
    """Give the payment method that a request wants to pay or set up with; None when it names none.

    Raises 400 when it is another customer's, or cannot be used again.
    """
    if data := params.get("payment_method_data"):
        return _from_data(call, data)
    identity = params.get("payment_method")
    if not identity:
        return None
    body = known(call, identity, "payment_method")
    if body["customer"] is not None and body["customer"] != customer:
        message = (
            f"The customer does not have a payment method with the ID {body['id']}. The payment "
            "method must be attached to the customer."
            if customer
            else "The payment method you provided is attached to a customer so for security "
            "purposes you must provide the customer in the request."
        )
        raise refused(message, param="payment_method")
    _usable(call, body)
    return body


def means_of(call: Call, body: Json) -> Means:
    """Tell how a payment method behaves."""
    return cards.MEANS[call.store.hidden(body["id"])["token"]]


def _usable(call: Call, body: Json) -> None:
    if body["customer"] is None and call.store.hidden(body["id"]).get("used_up"):
        raise refused(_USED_UP, param="payment_method")


def _from_data(call: Call, data: Json) -> Json:
    kind = data.get("type")
    if kind is None:
        raise missing("type")
    if kind not in ("card", "us_bank_account"):
        raise invalid(f"The sandbox has no payment method of type {kind}.", param="type")
    details = data.get(kind)
    if not details:
        raise missing(kind)
    if isinstance(details, dict) and str(details.get("token", "")).startswith("tok_"):
        token = cards.token_of(f"pm_card_{details['token'][4:]}")
        field = "token"
    else:
        field = "number" if kind == "card" else "account_number"
        number = str(details.get(field) or "").replace(" ", "")
        if not number:
            raise missing(f"{kind}[{field}]")
        token = cards.BY_NUMBER.get(number)
    if token is None:
        code = "incorrect_number" if kind == "card" else None
        raise StripeError(
            402,
            "card_error" if kind == "card" else "invalid_request_error",
            "Your card number is incorrect." if kind == "card" else "Unknown test account.",
            code=code,
            param=field,
        )
    return _of_token(call, token, data)


def _of_token(call: Call, token: str, data: Json) -> Json:
    means = cards.MEANS[token]
    kind = "us_bank_account" if means.bank else "card"
    body: Json = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": data.get("allow_redisplay") or "unspecified",
        "billing_details": _billing(data.get("billing_details"), None),
        "created": call.now,
        "customer": None,
        "livemode": False,
        "metadata": merged_metadata({}, data.get("metadata")),
        "type": kind,
        kind: _bank(means) if means.bank else _card(means, data.get("card") or {}),
    }
    return call.create(body, token=token)


def fingerprint(means: Means) -> str:
    """Give the same short word for the same number, as Stripe does."""
    return hashlib.sha256(means.number.encode()).hexdigest()[:16]


def _card(means: Means, given: Json) -> Json:
    return {
        "brand": means.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass" if given.get("cvc") else None,
        },
        "country": "US",
        "display_brand": means.brand,
        "exp_month": given.get("exp_month", 12),
        "exp_year": given.get("exp_year", 2034),
        "fingerprint": fingerprint(means),
        "funding": means.funding,
        "generated_from": None,
        "last4": means.number[-4:],
        "networks": {"available": [means.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _bank(means: Means) -> Json:
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": fingerprint(means),
        "last4": means.number[-4:],
        "networks": None,
        "routing_number": "110000000",
        "status_details": {},
    }


def _billing(given: Value, present: Json | None) -> Json:
    names = ("address", "email", "name", "phone")
    found = present or dict.fromkeys((*names, "tax_id"))
    for name in names:
        if isinstance(given, dict) and name in given:
            found[name] = given[name] or None
    return found
