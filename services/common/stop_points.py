"""Named instants at which a test holds a process, to kill it right there.

A process that is killed at rest proves little. Where an effect and its answer could come apart,
the code names the instant (`await stop_point("relay.published", schema)`); a test arms it by a
file and kills the process while it is held. Off unless `HIREFLOW_STOP_POINTS` names a folder,
which production refuses.

The folder's protocol: a file `<point>@<part>` arms a point for every key that contains the part.
Whoever reaches it writes its process id to `<point>@<part>.held` and goes on when the first file
is gone. Meanwhile it hears nobody, as if it stood still: a caller who gives up does not end what
is held, which goes on late, like a request that the network delivers late.

The points: `<Rpc>.before` and `<Rpc>.after` (key: the request's text), `activity.<name>.before` and
`.after` (key: the activity's input), `commit.before` and `commit.after` (key: the process),
`relay.published` (key: the schema), `consumer.applied` (key: the consumer), `rebuild.forgotten`
(key: the consumer), `webhook.stored` (key: the event's type and id), `webhook.hinted` (key: the
intent's id). To each key belongs the point that the same piece of work passed last, commits left
out: the commit of a call of FillPosition has the key `jobs during FillPosition.before …`.
"""

import asyncio
import os
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path

HELD = ".held"
_LOOK_SECONDS = 0.05
_passed: ContextVar[tuple[str, object]] = ContextVar("passed", default=("", ""))


class StopPoints:
    """The stop points of this process; none are armed until it is told a folder."""

    def __init__(self) -> None:
        self.folder: Path | None = None

    async def reach(self, point: str, key: object) -> None:
        """Wait here while the point is armed for the key; the key is rendered only if it may be."""
        if self.folder is None:
            return
        before, of = _passed.get()
        for armed in self.folder.iterdir():
            of_point, _, part = armed.name.partition("@")
            if of_point != point or part.endswith(HELD):
                continue
            if part in f"{key} during {before} {of}":
                await _held(armed)
        if not point.startswith("commit."):
            _passed.set((point, key))


STOP_POINTS = StopPoints()
stop_point = STOP_POINTS.reach


async def _held(armed: Path) -> None:
    # Renamed into place: who sees the file sees the process id in it.
    written = armed.with_name(f"{armed.name}.{os.getpid()}")
    written.write_text(str(os.getpid()))
    written.replace(armed.with_name(armed.name + HELD))
    standing = asyncio.create_task(_disarmed(armed))
    while not standing.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(standing)


async def _disarmed(armed: Path) -> None:
    # Another process removes the file: there is no event to wait for.
    while armed.exists():  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(_LOOK_SECONDS)
