"""Waiting in tests: for something to hold, never for time to pass."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(held: Callable[[], bool | Awaitable[bool]], seconds: float = 60.0) -> None:
    """Wait until something holds; fails after that many seconds."""
    async with asyncio.timeout(seconds):
        while True:
            answer = held()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.05)  # between two looks
