"""Real processes in folders of their own; nothing here needs the services."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.local.applications import inherited_environment
from deploy.local.failure import NotReady
from deploy.local.process import ProcessSpec
from deploy.local.stack import Stack

SERVE = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path(sys.argv[1]).touch()
print("serving", flush=True)
while True:
    time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="hireflow-test-") as scratch:
        yield Path(scratch)


@pytest.fixture
def stand_in(folder: Path) -> Callable[..., ProcessSpec]:
    """A tiny process: ready once it has made its file, unless told to run something else."""

    def specify(name: str, script: str = SERVE, **more: object) -> ProcessSpec:
        mark = folder / f"{name}.ready"

        async def ready() -> None:
            if not await asyncio.to_thread(mark.exists):
                raise NotReady("its mark is missing")

        described: dict[str, object] = {
            "name": name,
            "command": [sys.executable, "-c", script, str(mark)],
            "environment": inherited_environment,
            "ready": ready,
            **more,
        }
        return ProcessSpec(**described)  # type: ignore[arg-type] # the keywords of the caller

    return specify


@pytest.fixture(scope="module")
async def own_stack() -> AsyncIterator[Stack]:
    """The servers alone, for tests that kill some of them."""
    with TemporaryDirectory(prefix="hireflow-test-") as scratch:
        async with Stack.open(Path(scratch), only={"postgres", "nats", "temporal"}) as opened:
            yield opened


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait for a condition for at most 20 seconds."""

    def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, "the condition did not come to hold"
            time.sleep(0.02)

    return wait
