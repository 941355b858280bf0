"""Customers."""

from deploy.local.stripe_sandbox import lists, payment_methods
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.errors import no_such
from deploy.local.stripe_sandbox.values import Json

_PLAIN = ("description", "email", "name", "phone", "shipping")


def create(call: Call) -> Json:
    """Create a customer; a given payment method is attached at once."""
    identity = new_id("cus", 14)
    body: Json = {
        "id": identity,
        "object": "customer",
        "address": _address(call),
        "balance": call.param("balance", 0),
        "created": call.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": new_id("x", 8)[2:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": merged_metadata({}, call.params.get("metadata")),
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": call.param("tax_exempt") or "none",
        "test_clock": None,
        **{name: call.param(name) for name in _PLAIN},
    }
    call.create(body)
    call.emit("customer.created", body)
    if method := call.param("payment_method"):
        payment_methods.attach_to(call, method, identity)
    _default_method(call, body)
    return call.save(body)


def retrieve(call: Call, identity: str) -> Json:
    """Read a customer; a deleted one answers with its stub."""
    return call.find("customer", identity)


def update(call: Call, identity: str) -> Json:
    """Change what the request names."""
    body = living(call, identity)
    for name in _PLAIN:
        if name in call.params:
            body[name] = call.param(name)
    if "address" in call.params:
        body["address"] = _address(call)
    if "balance" in call.params:
        body["balance"] = call.param("balance")
    body["metadata"] = merged_metadata(body["metadata"], call.params.get("metadata"))
    _default_method(call, body)
    call.save(body)
    call.emit("customer.updated", body)
    return body


def delete(call: Call, identity: str) -> Json:
    """Delete a customer; its payment methods are detached and can never be used again."""
    body = living(call, identity)
    for method in call.store.select("payment_method", customer=identity):
        payment_methods.release(call, method)
    call.emit("customer.deleted", body)
    call.save({"id": identity, "object": "customer", "deleted": True})
    return {"id": identity, "object": "customer", "deleted": True}


def index(call: Call) -> Json:
    """List customers, by email perhaps; deleted ones are left out."""
    return lists.page(call, "customer", livemode=0)


def living(call: Call, identity: str, param: str | None = None) -> Json:
    """Read a customer that has not been deleted; raises `resource_missing`."""
    body = call.find("customer", identity, param)
    if body.get("deleted"):
        raise no_such("customer", identity, param or "id", 400 if param else 404)
    return body


def _address(call: Call) -> Json | None:
    given = call.param("address")
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {name: given.get(name) or None for name in names} if given else None


def _default_method(call: Call, body: Json) -> None:
    settings = call.param("invoice_settings") or {}
    if "default_payment_method" in settings:
        method = settings["default_payment_method"] or None
        if method:
            payment_methods.owned(
                call, method, body["id"], "invoice_settings[default_payment_method]"
            )
        body["invoice_settings"]["default_payment_method"] = method
