"""Breaking things on a running stack, one strike per target at a time, and mending them again."""

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack

import asyncpg  # type: ignore[import-untyped] # it ships no types
import httpx

from deploy.local.chaos.plan import PlannedStrike, Strike
from deploy.local.failure import StackFailure
from deploy.local.stack import Stack

_START_TRIES = 3


class Striker:
    """Strikes at a stack; `mend` leaves it whole."""

    def __init__(self, stack: Stack, sandbox: httpx.AsyncClient) -> None:
        self._stack = stack
        self._sandbox = sandbox
        self._targets: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def strike(self, planned: PlannedStrike) -> str:
        """Do one strike to its end; tell what was done, or why it could not be done now."""
        async with self._targets[planned.target]:
            match planned.strike:
                case Strike.KILL:
                    return await self._kill(planned.target, planned.seconds)
                case Strike.PAUSE:
                    return await self._pause(planned.target, planned.seconds)
                case Strike.CUT:
                    return await self._cut(planned.target)
                case Strike.PROVIDER:
                    return await self._tell_sandbox(
                        "/_sandbox/faults", planned, {"path": "/v1/*", "times": 2}
                    )
                case Strike.WEBHOOK:
                    return await self._tell_sandbox(
                        "/_sandbox/webhooks/faults", planned, {"times": 3}
                    )

    async def mend(self) -> None:
        """Take back the rules for Stripe and its webhooks; every process runs already."""
        async with AsyncExitStack() as targets:
            for lock in self._targets.values():
                await targets.enter_async_context(lock)
            for path in ("/_sandbox/faults", "/_sandbox/webhooks/faults"):
                (await self._sandbox.delete(path)).raise_for_status()
            for path in ("/_sandbox/holds/release", "/_sandbox/webhooks/release"):
                (await self._sandbox.post(path)).raise_for_status()

    async def _kill(self, process: str, seconds: float) -> str:
        await self._stack.kill(process)
        await asyncio.sleep(seconds)
        await self._start(process)
        return f"{process} killed, away for {seconds:.1f} s"

    async def _start(self, process: str) -> None:
        # What it needs may be struck at the same time, longer than a start waits for it.
        for left in reversed(range(_START_TRIES)):
            try:
                await self._stack.start(process)
            except StackFailure:
                if not left:
                    raise
            else:
                return

    async def _pause(self, process: str, seconds: float) -> str:
        await self._stack.pause(process)
        try:
            await asyncio.sleep(seconds)
        finally:
            await self._stack.resume(process)
        return f"{process} stood still for {seconds:.1f} s"

    async def _cut(self, process: str) -> str:
        address = self._stack.addresses.postgres_url.replace("+asyncpg", "")
        try:
            connection = await asyncpg.connect(address, timeout=5)
            try:
                cut = await connection.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE application_name = $1",
                    f"hireflow-{process}",
                    timeout=5,
                )
            finally:
                await connection.close(timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return f"{process}'s connections are cut already: the database is away"
        return f"{cut} connections of {process} to the database cut"

    async def _tell_sandbox(
        self, path: str, planned: PlannedStrike, rule: dict[str, object]
    ) -> str:
        told = {**rule, "kind": planned.target}
        if planned.target in {"delay", "delay_seconds"}:
            told["seconds"] = planned.seconds
        try:
            answer = await self._sandbox.post(path, json=told)
        except httpx.HTTPError:
            return f"{planned.target}: the payment provider is away as it is"
        answer.raise_for_status()
        return f"payment provider: {planned.target}"
