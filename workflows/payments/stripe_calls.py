"""Every request to Stripe, measured by operation and outcome."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.common.metrics import CALL_SECONDS, METER

_DURATION = METER.create_histogram(
    "hireflow.stripe.call.duration",
    unit="s",
    description="Duration of a request to Stripe.",
    explicit_bucket_boundaries_advisory=CALL_SECONDS,
)
_UNREACHABLE = "unreachable"
_OUTCOMES = {402: "declined", 409: "conflict", 429: "limited"}


@dataclass
class Call:
    """A request under way; `status` is the answer's, if one came."""

    status: int | None = None


@contextmanager
def measured(method: str, url: str) -> Iterator[Call]:
    """Measure the request that the block makes; it notes the answer's status."""
    call, started = Call(), time.monotonic()
    try:
        yield call
    finally:
        labels = {
            "hireflow.stripe.operation": operation(method, url),
            "hireflow.stripe.outcome": outcome(call.status),
        }
        _DURATION.record(time.monotonic() - started, labels)


def operation(method: str, url: str) -> str:
    """Name a request without its ids: `POST payment_intents/confirm`.

    Stripe's paths are `/v1/` and then, in turn, the name of a collection or action and an id.
    """
    names = urlsplit(url).path.removeprefix("/v1/").split("/")[::2]
    return f"{method.upper()} {'/'.join(names)}"


def outcome(status: int | None) -> str:
    """Tell what an answer's status means to us; None is no answer."""
    if status is None:
        return _UNREACHABLE
    if status < 400:
        return "ok"
    return _OUTCOMES.get(status, "refused" if status < 500 else "failed")
