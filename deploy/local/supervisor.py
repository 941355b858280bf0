"""Starts children in the order of their needs, watches them, and ends them in reverse."""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from deploy.local.failure import StackFailure
from deploy.local.forking import ForkServer
from deploy.local.process import Child, ProcessSpec, State

LOG_LIMIT = 16 * 1024 * 1024
_LOG_PATROL = 10.0


class Supervisor:
    """The children of one stack; use it as an asynchronous context manager.

    Independent children start and stop at the same time. The first child that fails to start, or
    that ends without having been told to, is the stack's failure; leaving the context ends all.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        folder: Path,
        log: Callable[[str], Path],
        on_change: Callable[[Child], None],
        forks: ForkServer | None = None,
    ) -> None:
        self.children: Mapping[str, Child] = {
            spec.name: Child(
                spec,
                log(spec.name),
                folder,
                on_change=on_change,
                on_crash=self._crashed,
                forks=forks,
            )
            for spec in specs
        }
        self._failed = asyncio.Event()
        self._failure: StackFailure | None = None
        self._closing = False
        self._patrol: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start everything.

        Raises:
            StackFailure: a child did not come up; all others are stopped again by then.

        """
        self._patrol = asyncio.create_task(self._keep_logs_small(), name="log patrol")
        try:
            await self._start_all()
        except BaseException:  # also a Ctrl-C while starting must leave nothing running
            await self._stop_all()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop_all()

    @property
    def failure(self) -> StackFailure | None:
        """The first crash, once there was one."""
        return self._failure

    async def until_failure(self) -> StackFailure:
        """Wait until a child crashes."""
        await self._failed.wait()
        assert self._failure is not None  # noqa: S101 - set before the event
        return self._failure

    def child(self, name: str) -> Child:
        """Give the child of that name.

        Raises:
            StackFailure: the stack has no such process.

        """
        if name not in self.children:
            known = ", ".join(self.children)
            raise StackFailure(f"There is no process named {name}; there are {known}.")
        return self.children[name]

    async def kill(self, name: str, sent: signal.Signals = signal.SIGKILL) -> None:
        """Kill one child on purpose: its exit is no crash, and its neighbours stay."""
        await self.child(name).kill(sent)

    async def _start_all(self) -> None:
        started = {name: asyncio.Event() for name in self.children}

        async def start(child: Child) -> None:
            for need in child.spec.needs & started.keys():
                await started[need].wait()
            await child.start()
            started[child.spec.name].set()

        async def give_up_at_a_crash() -> None:
            # A child that was up and crashes would else be waited for by those that need it.
            raise await self.until_failure()

        try:
            async with asyncio.TaskGroup() as group:
                lookout = group.create_task(give_up_at_a_crash(), name="lookout")
                starts = [group.create_task(start(child)) for child in self.children.values()]
                await asyncio.gather(*starts)
                lookout.cancel()
        except ExceptionGroup as failures:
            # The others only report that they were cut short.
            raise failures.exceptions[0] from None

    async def _stop_all(self) -> None:
        self._closing = True
        stopped = {name: asyncio.Event() for name in self.children}

        async def stop(child: Child) -> None:
            for other in self.children.values():
                if child.spec.name in other.spec.needs:
                    await stopped[other.spec.name].wait()
            try:
                await child.stop()
            finally:
                stopped[child.spec.name].set()

        await asyncio.gather(*(stop(child) for child in self.children.values()))
        if self._patrol is not None:
            self._patrol.cancel()
            await asyncio.gather(self._patrol, return_exceptions=True)

    def _crashed(self, child: Child, failure: StackFailure) -> None:
        if self._closing or self._failure is not None:
            return
        child.state = State.CRASHED
        self._failure = failure
        self._failed.set()

    async def _keep_logs_small(self) -> None:
        while True:
            for child in self.children.values():
                shrink_log(child.log)
            await asyncio.sleep(_LOG_PATROL)


def shrink_log(log: Path, limit: int = LOG_LIMIT) -> None:
    """Move a log that outgrew the limit (bytes) aside as `….log.1`, replacing the one before.

    The child keeps its open file, so the content is copied and the file emptied; the few lines
    written between the two are lost, which a pipe through the supervisor would avoid at the price
    of blocking every child whenever the supervisor is slow.
    """
    if log.exists() and log.stat().st_size > limit:
        aside = log.with_name(f"{log.name}.1")
        aside.touch(mode=0o600)
        aside.write_bytes(log.read_bytes())
        with log.open("r+b") as file:
            file.truncate(0)
