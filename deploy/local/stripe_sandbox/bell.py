"""Tells waiting tasks that something has changed, so that nobody polls in a hurry."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Bell:
    """Rung after every commit and every hold; waiters look again at what they wait for."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait now."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, timeout: float) -> None:
        """Return at the next ring, or after so many seconds."""
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except TimeoutError:
            return

    async def until(self, look: Callable[[], T | None], timeout: float) -> T | None:
        """Give what `look` finds, as soon as it finds something; None after the timeout."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while (found := look()) is None and (left := deadline - loop.time()) > 0:
            await self.wait(left)
        return found
