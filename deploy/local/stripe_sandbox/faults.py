"""What tests ask to go wrong: rules for requests and for webhooks; the first match counts.

Rules live in memory: a restarted sandbox is a healthy one.
"""

import asyncio
import fnmatch
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deploy.local.stripe_sandbox.bell import Bell

RequestFaultKind = Literal[
    "commit_then_500",
    "commit_then_hang",
    "drop_connection_after_commit",
    "hold_before",
    "delay_seconds",
    "500_before",
    "500_stored",
    "409",
    "429",
]


class RequestFault(BaseModel):
    """One rule for requests; see `docs/CONTROL.md` for what each kind does."""

    model_config = ConfigDict(extra="forbid")

    kind: RequestFaultKind
    operation: str = Field("*", description="as payment_intents.confirm; * and ? match")
    method: str = "*"
    path: str = "*"
    object: str | None = Field(None, description="an id in the path or a parameter")
    metadata: dict[str, str] = Field(default_factory=dict, description="a subset of the metadata")
    times: int = Field(1, ge=1)
    seconds: float = Field(0.0, ge=0, le=600, description="of delay_seconds")
    id: int = 0

    @model_validator(mode="after")
    def _delay_is_positive(self) -> "RequestFault":
        if self.kind == "delay_seconds" and self.seconds <= 0:
            message = "delay_seconds needs seconds"
            raise ValueError(message)
        return self

    def matches(self, request: "Matched") -> bool:
        """Tell whether the rule is about this request."""
        return (
            fnmatch.fnmatchcase(request.operation, self.operation)
            and fnmatch.fnmatchcase(request.method, self.method.upper())
            and fnmatch.fnmatchcase(request.path, self.path)
            and (self.object is None or self.object in request.objects)
            and self.metadata.items() <= request.metadata().items()
        )


@dataclass(frozen=True)
class Matched:
    """What of a request a rule can name."""

    operation: str
    method: str
    path: str
    objects: tuple[str, ...]
    metadata: Callable[[], dict[str, str]]


class RequestFaults:
    """The queue of rules for requests."""

    def __init__(self) -> None:
        self.rules: list[RequestFault] = []
        self._numbers = itertools.count(1)

    def add(self, rule: RequestFault) -> RequestFault:
        """Append a rule."""
        rule.id = next(self._numbers)
        self.rules.append(rule)
        return rule

    def take(self, request: Matched) -> RequestFault | None:
        """Use up one turn of the first rule that matches."""
        for rule in self.rules:
            if rule.matches(request):
                rule.times -= 1
                if rule.times == 0:
                    self.rules.remove(rule)
                return rule
        return None


@dataclass
class Hold:
    """A request that waits to be let go: `before` it is executed, or `after` with its answer."""

    id: int
    moment: Literal["before", "after"]
    operation: str
    path: str
    idempotency_key: str | None
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def shown(self) -> dict[str, Any]:
        """Give the hold as JSON."""
        return {
            "id": self.id,
            "moment": self.moment,
            "operation": self.operation,
            "path": self.path,
            "idempotency_key": self.idempotency_key,
        }


class Holds:
    """The requests held now."""

    def __init__(self, bell: Bell) -> None:
        self.waiting: dict[int, Hold] = {}
        self._bell = bell
        self._numbers = itertools.count(1)

    async def wait(
        self, moment: Literal["before", "after"], operation: str, path: str, key: str | None
    ) -> None:
        """Hold the caller until `release` names it or `release_all` lets everybody go."""
        hold = Hold(next(self._numbers), moment, operation, path, key)
        self.waiting[hold.id] = hold
        self._bell.ring()
        try:
            await hold.released.wait()
        finally:
            self.waiting.pop(hold.id, None)

    def release(self, number: int) -> bool:
        """Let one go; False when there is none of this number (released before, perhaps)."""
        hold = self.waiting.pop(number, None)
        if hold is not None:
            hold.released.set()
        return hold is not None

    def release_all(self) -> int:
        """Let everybody go and tell how many that were."""
        return sum(self.release(number) for number in list(self.waiting))


class WebhookFault(BaseModel):
    """One rule for webhooks, used once per delivery of a matching event."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["drop", "duplicate", "reorder", "delay", "hold"]
    event: str = Field("*", description="the event's type; * and ? match")
    times: int = Field(1, ge=1)
    seconds: float = Field(1.0, ge=0, le=600, description="of delay")


class WebhookFaults:
    """The queue of rules for webhooks."""

    def __init__(self) -> None:
        self.rules: list[WebhookFault] = []

    def fate(self, event: str) -> list[tuple[str, float]]:
        """Give the deliveries to queue for an event at one endpoint: state and delay in seconds.

        `reordered` waits until a later event has reached the same endpoint; `held` waits for a
        release; `dropped` is kept for the record and never sent.
        """
        for rule in self.rules:
            if fnmatch.fnmatchcase(event, rule.event):
                rule.times -= 1
                if rule.times == 0:
                    self.rules.remove(rule)
                return _FATES[rule.kind](rule.seconds)
        return [("pending", 0.0)]


_FATES: dict[str, Callable[[float], list[tuple[str, float]]]] = {
    "drop": lambda _: [("dropped", 0.0)],
    "duplicate": lambda _: [("pending", 0.0), ("pending", 0.0)],
    "reorder": lambda _: [("reordered", 0.0)],
    "delay": lambda seconds: [("pending", seconds)],
    "hold": lambda _: [("held", 0.0)],
}
