"""What an idempotency key was answered: kept for a day, replayed word for word."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from deploy.local.stripe_sandbox.errors import StripeError, invalid
from deploy.local.stripe_sandbox.store import Store

KEPT_SECONDS = 24 * 3600
LONGEST_KEY = 255


@dataclass(frozen=True)
class Use:
    """One use of an idempotency key: by whom, for what, with which parameters."""

    account: str
    key: str
    endpoint: str
    fingerprint: str


@dataclass(frozen=True)
class Answer:
    """A status and a body, and the id of the request that was first given them."""

    status: int
    text: str
    request_id: str


def fingerprint(given: dict[str, Any]) -> str:
    """Give equal words for equal parameters."""
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


def recall(store: Store, use: Use) -> Answer | None:
    """Give the remembered answer; None for a new key or one a day old by the sandbox's clock.

    Raises 400 `idempotency_error` when the key was first used for another endpoint or with other
    parameters.
    """
    if len(use.key) > LONGEST_KEY:
        raise invalid(f"Idempotency keys can be at most {LONGEST_KEY} characters long.")
    rows = store.run(
        "SELECT * FROM answer WHERE account = ? AND key = ? AND created > ?",
        use.account,
        use.key,
        store.now() - KEPT_SECONDS,
    )
    if not rows:
        return None
    row = rows[0]
    if row["endpoint"] != use.endpoint:
        raise _misused(
            "Keys for idempotent requests can only be used for the same endpoint they were first "
            f"used for ('{row['endpoint']}' vs '{use.endpoint}'). Try using a key other than "
            f"'{use.key}' if you meant to execute a different request."
        )
    if row["fingerprint"] != use.fingerprint:
        raise _misused(
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{use.key}' if you meant to execute a "
            "different request."
        )
    return Answer(row["status"], row["body"], row["request_id"])


def remember(store: Store, use: Use, answer: Answer) -> None:
    """Keep an answer, in the transaction of what it tells; forget those a day old."""
    store.run("DELETE FROM answer WHERE created <= ?", store.now() - KEPT_SECONDS)
    store.run(
        "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        use.account,
        use.key,
        use.endpoint,
        use.fingerprint,
        answer.status,
        answer.text,
        answer.request_id,
        store.now(),
    )


def _misused(message: str) -> StripeError:
    return StripeError(400, "idempotency_error", message, stored=False)
