"""The toy as a process of its own that may be killed: `python -m tests.common.toy_process`."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from deploy.local.forking import Forked, ForkServer, PythonProgram
from services.common.inbox import Subscription
from services.common.runtime import run
from services.common.settings import Settings
from tests.common.events import UPDATED, Hearing
from tests.common.toy import toy

CONSUMER = "toy-things"
ROOT = Path(__file__).parents[2]
PROGRAM = PythonProgram("tests.common.toy_process", ())


def main() -> None:
    """Relay the toy's events and write down what its consumer hears, until told to stop."""
    subjects, handlers = ("hireflow.jobs.v1.job.*",), {UPDATED: Hearing("").hear}
    heard = Subscription(CONSUMER, subjects, handlers, read_model=("heard",))
    uvloop.run(run(Settings(), "toy", [toy(subscriptions=(heard,))]))


class ToyProcess:
    """A toy process that a test kills and starts again."""

    def __init__(self, settings: Settings, log: Path, forks: ForkServer) -> None:
        self._environment = {**os.environ, **environment(settings)}
        self._log = log
        self._forks = forks
        self._process: Forked | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        self._process = await self._forks.start(PROGRAM, self._environment, ROOT, self._log)

    async def kill(self) -> None:
        """Kill it with -9; it must still have been running."""
        assert self._process is not None
        assert self._process.returncode is None, self._log.read_text()
        self._process.kill()
        assert await self._process.wait() == -signal.SIGKILL
        self._process = None


@asynccontextmanager
async def toy_process(
    settings: Settings, log: Path, forks: ForkServer
) -> AsyncIterator[ToyProcess]:
    """Run a toy process in the block; killed at its end if it still runs."""
    process = ToyProcess(settings, log, forks)
    await process.start()
    try:
        yield process
    finally:
        if process._process is not None:  # noqa: SLF001 - its own module
            await process.kill()


def environment(settings: Settings) -> dict[str, str]:
    """Give settings as the variables that make them."""
    told = settings.model_dump(exclude_none=True, exclude_defaults=True)
    told |= {
        "database_url": settings.database_url.get_secret_value(),
        "nats_url": settings.nats_url.get_secret_value(),
    }
    return {f"HIREFLOW_{name.upper()}": str(value) for name, value in told.items()}


if __name__ == "__main__":
    main()
