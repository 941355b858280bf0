"""Readiness: which dependencies answer, and health to match."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from services.common.server import Server
from services.common.telemetry import get_logger

Check = Callable[[], Awaitable[None]]

_TIMEOUT = 2.0
_INTERVAL = 1.0
_STARTING_INTERVAL = 0.1
_log = get_logger(__name__)


class Readiness:
    """Asks every dependency once a second; logs and reports what changes."""

    def __init__(self, server: Server, checks: Mapping[str, Check]) -> None:
        self.serving = asyncio.Event()
        self._server = server
        self._checks = checks
        self._down: dict[str, str] | None = None

    async def run(self) -> None:
        """Keep health true until cancelled."""
        while True:
            answers = await asyncio.gather(*map(self._ask, self._checks))
            await self._report({name: why for name, why in answers if why})
            await asyncio.sleep(_INTERVAL if self.serving.is_set() else _STARTING_INTERVAL)

    async def _ask(self, name: str) -> tuple[str, str]:
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._checks[name]()
        except Exception as error:  # noqa: BLE001 - whatever it says, it is not ready
            return name, repr(error)
        return name, ""

    async def _report(self, down: dict[str, str]) -> None:
        if self._down is not None and down.keys() == self._down.keys():
            return
        for name in down.keys() - (self._down or {}).keys():
            _log.warning("dependency down, waiting for it", dependency=name, error=down[name])
        for name in (self._down or {}).keys() - down.keys():
            _log.info("dependency back", dependency=name)
        self._down = down
        await self._server.report(serving=not down)
        if down:
            self.serving.clear()
        else:
            self.serving.set()
            _log.info("serving")
