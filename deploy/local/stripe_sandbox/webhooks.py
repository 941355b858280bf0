"""The dispatcher: delivers events to endpoints, signed, in order, again until they are taken."""

import asyncio
import hashlib
import hmac
import json
import logging
import sqlite3
import time

import httpx

from deploy.local.stripe_sandbox.bell import Bell
from deploy.local.stripe_sandbox.store import Store

LOG = logging.getLogger(__name__)
TIMEOUT_SECONDS = 10.0
FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 15.0
MOST_ATTEMPTS = 40
IDLE_SECONDS = 5.0


def signature(payload: str, secret: str, timestamp: int) -> str:
    """Give the Stripe-Signature header of a payload."""
    signed = hmac.new(secret.encode(), f"{timestamp}.{payload}".encode(), hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"


def retry_after(attempts: int) -> float:
    """Give the seconds until the next attempt: doubling from 0.2 up to 15, in real time."""
    return min(FIRST_RETRY_SECONDS * 2.0 ** min(attempts - 1, 10), LONGEST_RETRY_SECONDS)


class Dispatcher:
    """Sends due deliveries, one endpoint's one after the other, endpoints side by side."""

    def __init__(self, store: Store, bell: Bell) -> None:
        self._store = store
        self._bell = bell
        self._busy: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver until cancelled; what is undelivered then is delivered after a restart."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            try:
                while True:
                    for endpoint in self._due_endpoints():
                        if endpoint not in self._busy:
                            self._busy[endpoint] = asyncio.create_task(
                                self._drain(client, endpoint)
                            )
                    await self._bell.wait(self._until_next())
            finally:
                for task in self._busy.values():
                    task.cancel()

    def _due_endpoints(self) -> list[str]:
        if self._store.setting("webhooks_held", ""):
            return []
        rows = self._store.run(
            "SELECT DISTINCT endpoint FROM delivery WHERE state = 'pending' AND due <= ?",
            time.time(),
        )
        return [row["endpoint"] for row in rows]

    def _until_next(self) -> float:
        rows = self._store.run("SELECT min(due) AS due FROM delivery WHERE state = 'pending'")
        due = rows[0]["due"]
        # A due one belongs to a busy endpoint, whose task rings when it has ended.
        if due is None or due <= time.time():
            return IDLE_SECONDS
        return min(IDLE_SECONDS, float(due) - time.time())

    async def _drain(self, client: httpx.AsyncClient, endpoint: str) -> None:
        try:
            while not self._store.setting("webhooks_held", ""):
                rows = self._store.run(
                    "SELECT * FROM delivery WHERE state = 'pending' AND endpoint = ? AND due <= ?"
                    " ORDER BY number LIMIT 1",
                    endpoint,
                    time.time(),
                )
                if not rows:
                    return
                row = rows[0]
                status, error = await self._send(client, endpoint, row["event"])
                self._note(row, status, error)
        finally:
            self._busy.pop(endpoint, None)
            self._bell.ring()

    async def _send(
        self, client: httpx.AsyncClient, endpoint: str, event: str
    ) -> tuple[int | None, str | None]:
        target, body = self._store.get(endpoint), self._store.get(event)
        if target is None or body is None or target["status"] != "enabled":
            return None, "gone"
        payload = json.dumps(body, indent=2)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (sandbox)",
            # Receivers compare it with their own clock, which no test has moved.
            "Stripe-Signature": signature(
                payload, self._store.hidden(endpoint)["secret"], int(time.time())
            ),
        }
        try:
            answer = await client.post(target["url"], content=payload.encode(), headers=headers)
        except httpx.HTTPError as error:
            return None, type(error).__name__
        return answer.status_code, None if answer.is_success else f"HTTP {answer.status_code}"

    def _note(self, row: sqlite3.Row, status: int | None, error: str | None) -> None:
        """Write down how an attempt went."""
        number, event, endpoint = row["number"], row["event"], row["endpoint"]
        attempts = row["attempts"] + 1
        state, due = "delivered", time.time()
        if error == "gone":
            state = "dropped"
        elif error is not None:
            state = "failed" if attempts >= MOST_ATTEMPTS else "pending"
            due += retry_after(attempts)
            LOG.info("webhook %s to %s: %s, attempt %d", event, endpoint, error, attempts)
        with self._store.transaction():
            self._store.run(
                "UPDATE delivery SET state = ?, due = ?, attempts = ?, last_status = ?,"
                " last_error = ? WHERE number = ?",
                state,
                due,
                attempts,
                status,
                error,
                number,
            )
            if state == "delivered":
                self._store.run(
                    "UPDATE delivery SET state = 'pending' WHERE endpoint = ? AND number < ?"
                    " AND state = 'reordered'",
                    endpoint,
                    number,
                )
                body = self._store.get(event)
                if body is not None and body["pending_webhooks"] > 0:
                    body["pending_webhooks"] -= 1
                    self._store.save(body)
        self._bell.ring()
