"""A webhook endpoint of the tests': a real HTTP server that verifies what it is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import stripe
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.stripe_sandbox.process import free_port
from tests.stripe_sandbox.schema import problem_of_event

WAIT_SECONDS = 15.0


@dataclass
class Receiver:
    """What arrived, in order; `refusals` are the statuses to answer first."""

    url: str
    secret: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    attempts: int = 0
    problems: list[str] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Receiver"]:
        port = free_port()
        receiver = cls(f"http://127.0.0.1:{port}/webhook")
        app = Starlette(routes=[Route("/webhook", receiver.receive, methods=["POST"])])
        config = uvicorn.Config(app, port=port, log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        async with asyncio.timeout(WAIT_SECONDS):
            while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
                await asyncio.sleep(0.01)
        yield receiver
        server.should_exit = True
        await serving
        assert not receiver.problems, receiver.problems

    async def receive(self, request: Request) -> Response:
        """Verify and keep an event, or answer the next refusal."""
        self.attempts += 1
        payload = await request.body()
        try:
            event = stripe.Webhook.construct_event(
                payload, request.headers["stripe-signature"], self.secret
            )
        except (stripe.SignatureVerificationError, ValueError) as error:
            self.problems.append(str(error))
            return Response(status_code=400)
        if self.refusals:
            return Response(status_code=self.refusals.pop(0))
        body = event.to_dict()
        if problem := problem_of_event(body):
            self.problems.append(problem)
        self.events.append(body)
        self._changed.set()
        return Response()

    async def received(self, count: int) -> list[str]:
        """Wait until so many events have arrived and give their types in order."""
        async with asyncio.timeout(WAIT_SECONDS):
            while len(self.events) < count:
                self._changed.clear()
                await self._changed.wait()
        return [event["type"] for event in self.events]
