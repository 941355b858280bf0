"""The official SDK's client, each of whose answers is checked against Stripe's document."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import stripe

from tests.stripe_sandbox.schema import problem_of_answer

SECRET_KEY = "sk_test_hireflow"
PUBLISHABLE_KEY = "pk_test_hireflow"


@dataclass
class Record:
    """What the check saw; a test's end fails on problems and on answers never looked at."""

    answers: int = 0
    problems: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def look(
        self, method: str, url: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> None:
        self.answers += 1
        self.headers = {name.lower(): value for name, value in headers.items()}
        path = urlsplit(url).path
        problem = problem_of_answer(method, path, status, json.loads(body))
        if problem is not None:
            self.problems.append(f"{method} {path} {status}: {problem}")


class CheckedClient(stripe.HTTPXClient):
    """httpx as the SDK uses it; every answer passes the record."""

    def __init__(self, record: Record, timeout: float = 30.0) -> None:
        super().__init__(timeout=timeout)
        self.record = record

    async def request_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: object = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        body, status, answered = await super().request_async(method, url, headers, post_data)
        self.record.look(method, url, status, answered, body)
        return body, status, answered

    async def close(self) -> None:
        """Close the connections."""
        await self.close_async()  # type: ignore[no-untyped-call] # the SDK's, without types

    def _get_request_args_kwargs(
        self, method: str, url: str, headers: Mapping[str, str], post_data: object
    ) -> list[Any]:
        # The SDK hands httpx its form as `data`; httpx warns of it, and warnings are errors here.
        args, kwargs = super()._get_request_args_kwargs(method, url, headers, post_data)
        return [args, {**kwargs, "data": None, "content": kwargs["data"] or None}]


def connect(base: str, http: CheckedClient, key: str = SECRET_KEY) -> stripe.StripeClient:
    """Make a client that speaks to the sandbox alone: one attempt, no telemetry."""
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        key,
        base_addresses={"api": base, "files": base, "connect": base, "meter_events": base},
        max_network_retries=0,
        http_client=http,
    )
