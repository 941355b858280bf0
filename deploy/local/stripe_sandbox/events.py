"""Events: a snapshot of an object at the moment of its change, and who is to be told."""

import time
from dataclasses import dataclass

from deploy.local.stripe_sandbox.faults import WebhookFaults
from deploy.local.stripe_sandbox.store import Store
from deploy.local.stripe_sandbox.values import Json

API_VERSION = "2026-10-28.endive"


@dataclass(frozen=True)
class Fact:
    """What happened to which object, on whose request."""

    kind: str
    body: Json
    previous: Json | None
    request: Json
    account: str
    connected: bool


def record(store: Store, faults: WebhookFaults, fact: Fact, identity: str) -> None:
    """Write the event and a delivery for every endpoint that asked for it."""
    endpoints = [
        endpoint
        for endpoint in store.select("webhook_endpoint", status="enabled")
        if _wanted(store, endpoint, fact)
    ]
    data: Json = {"object": fact.body}
    if fact.previous is not None:
        data["previous_attributes"] = fact.previous
    event: Json = {
        "id": identity,
        "object": "event",
        "api_version": API_VERSION,
        "created": store.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": len(endpoints),
        "request": fact.request,
        "type": fact.kind,
    }
    if fact.connected:
        event["account"] = fact.account
    store.insert(fact.account, event)
    for endpoint in endpoints:
        for state, delay in faults.fate(fact.kind):
            deliver(store, event["id"], endpoint["id"], state, delay)


def deliver(
    store: Store, event: str, endpoint: str, state: str = "pending", delay: float = 0.0
) -> None:
    """Queue one delivery of an event, due after so many seconds of real time."""
    store.run(
        "INSERT INTO delivery (event, endpoint, state, due) VALUES (?, ?, ?, ?)",
        event,
        endpoint,
        state,
        time.time() + delay,
    )


def _wanted(store: Store, endpoint: Json, fact: Fact) -> bool:
    enabled = endpoint["enabled_events"]
    connect = bool(store.hidden(endpoint["id"]).get("connect"))
    return ("*" in enabled or fact.kind in enabled) and connect == fact.connected
