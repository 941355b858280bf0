"""A pull on a durable consumer that hands over what has arrived, as soon as it arrives.

The client library's `fetch` waits until a batch is full or its time is up, which would add
seconds to an event that comes alone; here one request stays open and is renewed when used up.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Inbox
from nats.errors import TimeoutError as NatsTimeout

from services.common.ending import end_if_told

BATCH = 100
_EXPIRES = 30.0
_NANOSECONDS = 1_000_000_000
_ALIVE, _USED_UP = "100", {"404", "408"}


class Silence(Exception):
    """Not even heartbeats come, or the consumer or its server went away: bind anew."""


class Pull:
    """An open pull request, and the messages that answer it."""

    def __init__(self, client: Client, inbox: Inbox, subject: str, heartbeat: float) -> None:
        self._client = client
        self._inbox = inbox
        self._subject = subject
        self._heartbeat = heartbeat
        self._open = 0

    @classmethod
    @asynccontextmanager
    async def bind(
        cls, client: Client, stream: str, consumer: str, heartbeat: float
    ) -> AsyncIterator["Pull"]:
        """Open an inbox for a durable consumer that exists; it beats every `heartbeat` seconds."""
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        inbox = await client.subscribe(client.new_inbox())
        try:
            yield cls(client, inbox, subject, heartbeat)
        finally:
            if not client.is_closed:
                await inbox.unsubscribe()

    async def next_batch(self) -> list[Msg]:
        """Wait for a message; give it and those that came with it, at most a hundred.

        Raises:
            Silence: nothing was heard of the server for three heartbeats.

        """
        batch: list[Msg] = []
        while not batch or (self._inbox.pending_msgs and len(batch) < BATCH):
            end_if_told()
            if self._open <= 0:
                await self._request()
            message = await self._heard()
            status = "" if message.data else (message.headers or {}).get("Status", "")
            if not status:
                batch.append(message)
                self._open -= 1
            elif status in _USED_UP:
                self._open = 0
            elif status != _ALIVE:
                raise Silence((message.headers or {}).get("Description", status))
        return batch

    async def _heard(self) -> Msg:
        try:
            return await self._inbox.next_msg(timeout=3 * self._heartbeat)
        except NatsTimeout as error:
            raise Silence("no heartbeat") from error

    async def _request(self) -> None:
        request = {
            "batch": BATCH,
            "expires": int(_EXPIRES * _NANOSECONDS),
            "idle_heartbeat": int(self._heartbeat * _NANOSECONDS),
        }
        reply = self._inbox.subject
        await self._client.publish(self._subject, json.dumps(request).encode(), reply=reply)
        self._open = BATCH
