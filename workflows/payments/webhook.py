"""The endpoint where Stripe tells what happened: verify, store once, answer; routing comes later.

What it stores are ids and a status. Nothing here believes an event: whoever is hinted reads the
object itself, so order and duplicates do not matter.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import stripe
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services.common.errors import Conflict, Unavailable
from services.common.metrics import METER
from services.common.stop_points import stop_point
from services.common.telemetry import get_logger
from workflows.hiring.domain import StripeEvent

PATH = "/stripe/webhook"
TOLERANCE_SECONDS = 300
# Stripe's own events stay far below.
LARGEST_BODY = 1024 * 1024
_DELIVERIES = METER.create_counter(
    "hireflow.webhook.deliveries", unit="{delivery}", description="Deliveries to the webhook."
)
_log = get_logger(__name__)


class _TooLarge(Exception):
    """The body is larger than any event."""


def webhook_app(
    secret: str,
    store: Callable[[StripeEvent], Awaitable[bool]],
    clock: Callable[[], datetime],
) -> Starlette:
    """Build the ASGI application.

    Args:
        secret: signs the bodies; events that it did not sign are refused with 400.
        store: stores an event and answers whether it is new; a repeat is answered 200 as well.
        clock: tells when an event was received.

    Raises:
        ValueError: the secret is empty, and everybody could sign.

    """
    if not secret.strip():
        raise ValueError("HIREFLOW_STRIPE_WEBHOOK_SECRET is empty: anybody could sign events")

    for outcome in ("stored", "repeated", "refused", "not_stored"):
        # From the start, so that the first one is a rise.
        _count(outcome, 0)

    async def receive(request: Request) -> Response:
        try:
            body = await _body(request)
            _verify(body, request.headers.get("stripe-signature"), secret)
            event = _event(body, clock())
        except _TooLarge:
            return PlainTextResponse("body too large", 413)
        except (ValueError, stripe.SignatureVerificationError) as error:
            # The error repeats the body, which is not for the log.
            _log.warning("webhook refused", error=type(error).__name__)
            _count("refused")
            return PlainTextResponse("not a signed event", 400)
        except ClientDisconnect:
            return PlainTextResponse("disconnected", 400)
        try:
            new = await store(event)
            await stop_point("webhook.stored", f"{event.type} {event.event_id}")
        except (Unavailable, Conflict) as error:
            _log.warning("webhook not stored", event_id=event.event_id, error=error.message)
            _count("not_stored")
            return PlainTextResponse("not stored: send it again", 503)
        _count("stored" if new else "repeated")
        return PlainTextResponse("stored")

    return Starlette(routes=[Route(PATH, receive, methods=["POST"])])


def _count(outcome: str, number: int = 1) -> None:
    _DELIVERIES.add(number, {"hireflow.webhook.outcome": outcome})


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise _TooLarge
    return bytes(body)


def _verify(body: bytes, signature: str | None, secret: str) -> None:
    stripe.WebhookSignature.verify_header(body.decode(), signature, secret, TOLERANCE_SECONDS)


def _event(body: bytes, received_at: datetime) -> StripeEvent:
    message = json.loads(body)
    try:
        told: dict[str, Any] = message["data"]["object"]
        metadata = told.get("metadata") or {}
        return StripeEvent(
            event_id=_text(message["id"]),
            type=_text(message["type"]),
            object_id=_text(told.get("id") or ""),
            status=_text(told.get("status") or ""),
            env=_text(metadata.get("env") or ""),
            funding_id=_text(metadata.get("funding_id") or ""),
            received_at=received_at,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not an event") from error


def _text(value: object) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("not an event: a field is no text")
    return value
