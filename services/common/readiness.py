"""Readiness: which dependencies answer, and health to match."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from opentelemetry.metrics import Observation

from services.common.ending import end_if_told
from services.common.errors import Behind
from services.common.metrics import Gauge
from services.common.server import Server
from services.common.telemetry import get_logger

Check = Callable[[], Awaitable[None]]

_TIMEOUT = 2.0
_FIRST_PAUSE = 0.1
_UP = Gauge(
    "hireflow.dependency.up", "{dependency}", "Whether what the process needs answers: 1 or 0."
)
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """A check of what some services keep of their neighbours, and their full proto names.

    While it raises Behind, just these services answer nothing.
    """

    check: Check
    services: tuple[str, ...]


class Readiness:
    """Asks every dependency once an interval; logs and reports what changes.

    While one of the `checks` fails, no service serves. While only a provider is away, the process
    as a whole is NOT_SERVING and its services go on: most of their calls can do without.
    """

    def __init__(
        self,
        server: Server,
        checks: Mapping[str, Check],
        providers: Mapping[str, Check],
        own_facts: Mapping[str, OwnFacts],
        interval: float,
    ) -> None:
        self.serving = asyncio.Event()
        self._server = server
        self._interval = interval
        own_checks = {name: each.check for name, each in own_facts.items()}
        self._checks = {**checks, **providers, **own_checks}
        self._providers = providers.keys()
        self._own_facts = own_facts
        self._down: dict[str, Exception] | None = None

    async def run(self) -> None:
        """Keep health true until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            end_if_told()
            answers = await asyncio.gather(*map(self._ask, self._checks))
            down = {name: why for name, why in answers if why}
            changed = self._down is None or down.keys() != self._down.keys()
            if changed:
                self._tell(down)
                pause = _FIRST_PAUSE
            await self._report(down, changed=changed)
            await asyncio.sleep(pause if down else self._interval)
            pause = min(pause * 2, self._interval)

    async def _ask(self, name: str) -> tuple[str, Exception | None]:
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._checks[name]()
        except Exception as error:  # noqa: BLE001 - whatever it says, it is not ready
            return name, error
        return name, None

    def _tell(self, down: dict[str, Exception]) -> None:
        for name in down.keys() - (self._down or {}).keys():
            _log.warning("dependency down, waiting for it", dependency=name, error=repr(down[name]))
        for name in (self._down or {}).keys() - down.keys():
            _log.info("dependency back", dependency=name)
        self._down = down
        _UP.tell(
            "readiness",
            [
                Observation(int(name not in down), {"hireflow.dependency": name})
                for name in self._checks
            ],
        )

    async def _report(self, down: dict[str, Exception], *, changed: bool) -> None:
        behind = {name: why for name, why in down.items() if isinstance(why, Behind)}
        refused = {
            service: why
            for name, why in behind.items()
            for service in self._own_facts[name].services
        }
        serving = not down.keys() - self._providers - behind.keys()
        await self._server.report(serving=serving, whole=not down, refused=refused)
        if not serving:
            self.serving.clear()
        else:
            self.serving.set()
            if changed:
                _log.info("serving")
