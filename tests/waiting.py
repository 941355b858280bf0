"""Waiting in tests: for something to hold, never for time to pass."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path


async def until(held: Callable[[], bool | Awaitable[bool]], seconds: float = 60.0) -> None:
    """Wait until something holds; fails after that many seconds."""
    pause = 0.05
    async with asyncio.timeout(seconds):
        while True:
            answer = held()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(pause)  # between two looks, ever rarer: some wait for long
            pause = min(pause * 1.2, 0.25)


async def until_logged(log: Path, after: int, *words: str) -> None:
    """Until one line that was written after a place in the log has all the words."""

    def held() -> bool:
        return any(all(word in line for word in words) for line in _lines(log, after))

    await until(held)


def _lines(log: Path, after: int) -> list[str]:
    return log.read_text()[after:].splitlines()
