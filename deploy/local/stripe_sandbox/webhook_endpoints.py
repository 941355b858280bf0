"""Webhook endpoints: who is told of which events, and the secret that signs them."""

from urllib.parse import urlsplit

from deploy.local.stripe_sandbox import lists
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.errors import invalid
from deploy.local.stripe_sandbox.events import API_VERSION
from deploy.local.stripe_sandbox.values import Json


def create(call: Call) -> Json:
    """Create an endpoint; only this answer ever shows its secret."""
    secret = new_id("whsec", 32)
    body: Json = {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": call.param("api_version") or API_VERSION,
        "application": None,
        "created": call.now,
        "description": call.param("description"),
        "enabled_events": call.params["enabled_events"],
        "livemode": False,
        "metadata": merged_metadata({}, call.params.get("metadata")),
        "status": "enabled",
        "url": _url(call.params["url"]),
    }
    call.create(body, secret=secret, connect=bool(call.param("connect")))
    return body | {"secret": secret}


def retrieve(call: Call, identity: str) -> Json:
    """Read an endpoint."""
    return call.find("webhook_endpoint", identity)


def update(call: Call, identity: str) -> Json:
    """Change address, events, description or metadata; disable or enable it."""
    body = call.find("webhook_endpoint", identity)
    if "url" in call.params:
        body["url"] = _url(call.params["url"])
    for name in ("enabled_events", "description"):
        if name in call.params:
            body[name] = call.param(name)
    if "disabled" in call.params:
        body["status"] = "disabled" if call.param("disabled") else "enabled"
    body["metadata"] = merged_metadata(body["metadata"], call.params.get("metadata"))
    return call.save(body)


def delete(call: Call, identity: str) -> Json:
    """Delete an endpoint; what it has not received yet is dropped."""
    call.find("webhook_endpoint", identity)
    call.store.run("DELETE FROM object WHERE id = ?", identity)
    call.store.run(
        "UPDATE delivery SET state = 'dropped', last_error = 'endpoint deleted'"
        " WHERE endpoint = ? AND state NOT IN ('delivered', 'failed')",
        identity,
    )
    return {"id": identity, "object": "webhook_endpoint", "deleted": True}


def index(call: Call) -> Json:
    """List endpoints."""
    return lists.page(call, "webhook_endpoint")


def retrieve_event(call: Call, identity: str) -> Json:
    """Read an event."""
    return call.find("event", identity)


def index_events(call: Call) -> Json:
    """List events, by type, types or time."""
    if "delivery_success" in call.params:
        message = "The sandbox lists deliveries at /_sandbox/deliveries."
        raise invalid(message, param="delivery_success")
    return lists.page(call, "event")


def _url(given: str) -> str:
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.", param="url"
        )
    return given
