"""The web gateway in bad weather: repeats what was not answered, and never gives up on a hire.

Each repeat carries the request id of the first try, as the API asks of its callers. Nothing here
is bounded in time: whoever runs the clients says when their time is over.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import grpc
import httpx
from google.protobuf.message import Message

from deploy.local.journey import CALL_SECONDS, Browser, Caller, Journey
from hireflow.hiring.v1 import hire_pb2
from services.common.remote_errors import error_of

PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 1.0
# Answers of the transport, or of a service that lost its neighbours: the call may have worked.
_UNANSWERED = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
}
# ABORTED for one of these means "once more"; for any other reason it is a decision.
_MOMENTARY = {"CONFLICT", "PAYMENT_IN_PROGRESS"}
Answer = TypeVar("Answer")


class Refusal(Exception):
    """A service refused in business words: `reason` is the name of an ErrorReason."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        told = error_of(error)
        self.reason = told.reason or told.code.name
        super().__init__(f"{told.code.name} {told.reason}: {told.message}")


@dataclass(frozen=True, slots=True)
class Weather:
    """What the callers met: how often each answer came, and what our services called defects."""

    answers: Counter[str] = field(default_factory=Counter)
    defects: Counter[str] = field(default_factory=Counter)

    def unanswered(self, error: grpc.aio.AioRpcError) -> bool:
        """Count an error and tell whether to call again."""
        told = error_of(error)
        self.answers[f"{told.code.name} {told.reason}".rstrip()] += 1
        if told.reason == "INTERNAL":
            self.defects[told.message] += 1
        return told.code in _UNANSWERED or told.reason in _MOMENTARY


async def until_answered(
    ask: Callable[[], Awaitable[Answer]], weather: Weather | None = None
) -> Answer:
    """Ask as often as it takes; the request must carry the same id each time.

    Raises:
        Refusal: the service refused.

    """
    met = weather or Weather()
    pause = PAUSE_SECONDS
    while True:
        try:
            answer = await ask()
        except grpc.aio.AioRpcError as error:
            if not met.unanswered(error):
                raise Refusal(error) from error
            await asyncio.sleep(pause)  # the other side is down: let it come back
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        else:
            met.answers["OK"] += 1
            return answer


@dataclass(frozen=True, slots=True)
class PatientCaller(Caller):
    """Calls until there is an answer: a value, or a refusal in business words."""

    weather: Weather

    async def call(
        self,
        method: Callable[..., Awaitable[Answer]],
        request: Message,
        seconds: float = CALL_SECONDS,
    ) -> Answer:
        """Call a unary method as often as it takes.

        Raises:
            Refusal: the service refused.

        """
        return await until_answered(
            lambda: method(request, timeout=seconds, metadata=self.metadata), self.weather
        )

    async def call_when_known(
        self, method: Callable[..., Awaitable[Answer]], request: Message
    ) -> Answer:
        """Call until a fact that travels by event has arrived at the service.

        Raises:
            Refusal: the service refused, for another reason than not knowing.

        """
        while True:
            try:
                return await self.call(method, request)
            except Refusal as refusal:
                if refusal.reason != "NOT_FOUND":
                    raise
                await asyncio.sleep(PAUSE_SECONDS)  # between two looks at a read model


async def read_hire(journey: Journey, hire_id: str) -> hire_pb2.GetHireResponse:
    """Read a hire with its client secret."""
    request = hire_pb2.GetHireRequest(hire_id=hire_id)
    return await journey.employer.call(journey.services.hiring.GetHire, request)


async def follow(
    journey: Journey, hire_id: str, weather: Weather
) -> AsyncIterator[hire_pb2.WatchHireResponse]:
    """Follow a hire's steps to its end, resuming the stream wherever it breaks.

    Raises:
        Refusal: the service refused.

    """
    token = ""
    while True:
        try:
            async for told in journey.watch(hire_id, token):
                token = told.resume_token
                yield told
        except grpc.aio.AioRpcError as error:
            if not weather.unanswered(error):
                raise Refusal(error) from error
            await asyncio.sleep(PAUSE_SECONDS)  # the other side is down: let it come back
        else:
            return


async def save_card(journey: Journey, browser: Browser, card: str) -> str:
    """Save a card as the default, from the start again where the browser got no answer."""
    while True:
        try:
            return await journey.save_card(browser, card)
        except httpx.HTTPError:
            await asyncio.sleep(PAUSE_SECONDS)  # Stripe is down: let it come back


async def authenticate(browser: Browser, client_secret: str) -> bool | None:
    """Finish 3-D Secure. True: Stripe took it; False: it was too late; None: nobody knows."""
    refused: bool | None = False
    while True:
        try:
            await browser.authenticate(client_secret)
        except httpx.HTTPStatusError:
            return refused
        except httpx.HTTPError:
            refused = None  # an answer was lost: the next refusal may be of a repeat
            await asyncio.sleep(PAUSE_SECONDS)  # Stripe is down: let it come back
        else:
            return True
