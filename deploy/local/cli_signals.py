"""How a command that runs for long ends when somebody stops it."""

import asyncio
import signal
from collections.abc import Coroutine

INTERRUPTED = 130


def run_until_told(work: Coroutine[None, None, int], *, when_told_to_stop: int) -> int:
    """Run until done or told to stop; the first signal begins an orderly stop, later ones wait."""

    async def until_told() -> int:
        task = asyncio.ensure_future(work)
        told = False

        def stop() -> None:
            nonlocal told
            if not told:
                told = True
                task.cancel()

        for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(wanted, stop)
        try:
            return await task
        except asyncio.CancelledError:
            return when_told_to_stop

    return asyncio.run(until_told())
