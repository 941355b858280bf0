"""Holding a process at a named instant, to kill it right there: `services.common.stop_points`."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.common.stop_points import HELD


@dataclass(frozen=True)
class Stop:
    """An armed stop point."""

    armed: Path

    async def reached(self, seconds: float = 60.0) -> int:
        """The id of the process that is held here."""
        async with asyncio.timeout(seconds):
            while not self._held.exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.05)  # between two looks at the folder, bounded above
        return int(self._held.read_text())

    def forget(self) -> None:
        """Nobody is held here until somebody comes anew: who was held is dead."""
        self._held.unlink()

    def disarm(self) -> None:
        """Let whoever is held go on, and nobody be held any more."""
        self.armed.unlink(missing_ok=True)
        self._held.unlink(missing_ok=True)

    @property
    def _held(self) -> Path:
        return self.armed.with_name(self.armed.name + HELD)


@contextmanager
def armed(folder: Path, point: str, part_of_key: str) -> Iterator[Stop]:
    """Hold whoever comes to the point with such a key, at the latest until the block ends."""
    stop = Stop(folder / f"{point}@{part_of_key}")
    stop.armed.touch()
    try:
        yield stop
    finally:
        stop.disarm()
