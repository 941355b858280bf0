"""One child process: what it is, and its life from spawn to exit."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import psutil

from deploy.local.failure import NotReady, StackFailure
from deploy.local.forking import Forked, ForkServer, PythonProgram
from deploy.local.launch import LAUNCHER

_LAST_LINES = 12


async def _nothing() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """What to run, and how to tell that it serves. Durations are seconds.

    `environment` is the whole environment of the child and is asked for at each start, because
    parts of it (a webhook's secret) exist only once a neighbour is ready. `prepare` runs before
    the spawn, `ready` is repeated until it no longer raises NotReady, `settle` runs once after.
    Its children have `outlast_within` after its own end, and are killed then.
    """

    name: str
    command: Sequence[str] | PythonProgram
    environment: Callable[[], Mapping[str, str]] = dict
    needs: frozenset[str] = frozenset()
    addresses: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], Awaitable[None]] = _nothing
    ready: Callable[[], Awaitable[None]] = _nothing
    settle: Callable[[], Awaitable[None]] = _nothing
    one_shot: bool = False
    before_launcher: Sequence[str] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    start_within: float = 60.0
    stop_within: float = 15.0
    outlast_within: float = 2.0


class State(StrEnum):
    """Where a process stands."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CRASHED = "crashed"


class Child:
    """A process under supervision; it may be started again after it ended.

    `on_change` is called after every change of state, `on_crash` when the process ends without
    having been told to.
    """

    def __init__(
        self,
        spec: ProcessSpec,
        log: Path,
        folder: Path,
        *,
        on_change: Callable[["Child"], None],
        on_crash: Callable[["Child", StackFailure], None],
        forks: ForkServer | None = None,
    ) -> None:
        self.spec = spec
        self.log = log
        self.state = State.WAITING
        self.started_at: datetime | None = None
        self.seconds = 0.0
        self._folder = folder
        self._on_change = on_change
        self._on_crash = on_crash
        self._forks = forks
        self._process: Process | Forked | None = None
        self._watch: asyncio.Task[None] | None = None
        self._exit_expected = False
        self._log_offset = 0

    @property
    def pid(self) -> int | None:
        """The process id while it runs, None otherwise. Exit status decides, not a probe."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process and running else None

    async def start(self) -> None:
        """Spawn the process and return once it serves, or has finished if it is a one-shot.

        Raises:
            StackFailure: it ended first, or was not ready in time.

        """
        if self.pid is not None:
            raise StackFailure(f"{self.spec.name} is running already.")
        began = time.monotonic()
        self._to(State.STARTING)
        await self.spec.prepare()
        await self._spawn()
        if self.spec.one_shot:
            await self._finish_one_shot()
        else:
            await self._become_ready()
        await self.spec.settle()
        self.seconds = time.monotonic() - began
        self._to(State.DONE if self.spec.one_shot else State.READY)
        if not self.spec.one_shot:
            self._watch = asyncio.create_task(self._watch_exit(), name=f"watch {self.spec.name}")

    async def stop(self) -> None:
        """Ask the process to end, wait a bounded time, then kill it; children of it end too."""
        if self.pid is not None:
            self._to(State.STOPPING)
            await self._end(self.spec.stop_signal, self.spec.stop_within)
        if self.state not in {State.DONE, State.CRASHED}:
            self._to(State.STOPPED)

    async def kill(self, sent: signal.Signals) -> None:
        """Send a signal that ends the process and wait until it, and its children, are gone."""
        self._require_running()
        await self._end(sent, self.spec.stop_within)
        self._to(State.STOPPED)

    async def pause(self) -> None:
        """Freeze the process and its children; they stand still when this returns."""
        self._require_running()
        family = self._family()
        for process in family:
            process.suspend()
        # The signal is only on its way to a process that another core is running.
        async with asyncio.timeout(self.spec.stop_within):
            while any(p.status() != psutil.STATUS_STOPPED for p in family):  # noqa: ASYNC110 - the kernel tells nobody
                await asyncio.sleep(0.002)
        self._to(State.PAUSED)

    async def resume(self) -> None:
        """Let a paused process go on."""
        self._require_running()
        self._thaw()
        self._to(State.READY)

    def _require_running(self) -> None:
        if self.pid is None:
            raise StackFailure(f"{self.spec.name} is not running.")

    async def _spawn(self) -> None:
        # Appending: the log may be emptied behind the child's back when it grows too large.
        with self.log.open("ab") as log:
            self.log.chmod(0o600)
            self._log_offset = log.tell()
            self._exit_expected = False
            self._process = await self._run(log)
        self.started_at = datetime.now(UTC)
        self._on_change(self)

    async def _run(self, log: BinaryIO) -> Process | Forked:
        program, environment = self.spec.command, self.spec.environment()
        if isinstance(program, PythonProgram):
            if self._forks is not None:
                try:
                    async with asyncio.timeout(self.spec.start_within):
                        return await self._forks.start(program, environment, self._folder, self.log)
                except TimeoutError:
                    late = f"was not forked after {self.spec.start_within:.0f} s"
                    raise StackFailure(
                        f"{self.spec.name} {late}: its modules do not load"
                    ) from None
            program = program.command
        return await create_subprocess_exec(
            *(*self.spec.before_launcher, *LAUNCHER, str(os.getpid()), *program),
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self._folder,
            env=dict(environment),
            start_new_session=True,
        )

    async def _finish_one_shot(self) -> None:
        assert self._process is not None  # noqa: S101 - spawned just before
        try:
            async with asyncio.timeout(self.spec.start_within):
                code = await self._process.wait()
        except TimeoutError:
            await self._fail(f"did not finish within {self.spec.start_within:.0f} s")
        if code != 0:
            await self._fail(_describe_exit(code))

    async def _become_ready(self) -> None:
        assert self._process is not None  # noqa: S101 - spawned just before
        deadline = time.monotonic() + self.spec.start_within
        pause = 0.02
        while True:
            try:
                await self.spec.ready()
            except NotReady as missing:
                reason = str(missing)
            else:
                # An answer on the port counts only if it is this child that gave it.
                if self._process.returncode is None:
                    return
            if self._process.returncode is not None:
                await self._fail(_describe_exit(self._process.returncode))
            if time.monotonic() > deadline:
                await self._fail(f"was not ready after {self.spec.start_within:.0f} s: {reason}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    async def _fail(self, what: str) -> None:
        failure = self._failure(what)
        if self.pid is not None:
            await self._end(signal.SIGKILL, self.spec.stop_within)
        self._to(State.CRASHED)
        raise failure

    async def _watch_exit(self) -> None:
        assert self._process is not None  # noqa: S101 - watched only once it is ready
        code = await self._process.wait()
        if not self._exit_expected:
            self._to(State.CRASHED)
            self._on_crash(self, self._failure(_describe_exit(code)))

    async def _end(self, sent: signal.Signals, within: float) -> None:
        assert self._process is not None  # noqa: S101 - callers looked at the pid
        self._exit_expected = True
        family = self._family()
        self._process.send_signal(sent)
        self._thaw()
        try:
            async with asyncio.timeout(within):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        if self._watch is not None:
            # It must have read this exit as expected before another start says otherwise.
            await self._watch
        await _outlast(family, self.spec.outlast_within)

    def _family(self) -> list[psutil.Process]:
        pid = self.pid
        if pid is None:  # which psutil would take for "this very process"
            return []
        try:
            leader = psutil.Process(pid)
            return [leader, *leader.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _thaw(self) -> None:
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _failure(self, what: str) -> StackFailure:
        lines = _last_lines(self.log, self._log_offset)
        ending = ", its last lines:\n" + "\n".join(lines) if lines else " and said nothing"
        return StackFailure(f"{self.spec.name} {what} (log: {self.log}){ending}")

    def _to(self, state: State) -> None:
        self.state = state
        self._on_change(self)


async def _outlast(family: Sequence[psutil.Process], within: float) -> None:
    """Wait until processes are gone; whatever stays is killed.

    PostgreSQL's backends notice their postmaster's death by themselves, and a new one refuses to
    start before they did.
    """
    deadline = time.monotonic() + within
    left = [process for process in family if is_alive(process)]
    while left:
        if time.monotonic() > deadline:
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        await asyncio.sleep(0.01)
        left = [process for process in left if is_alive(process)]


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process still runs; one that ended and waits to be reaped does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _describe_exit(code: int) -> str:
    if code < 0:
        return f"ended by signal {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _last_lines(log: Path, offset: int) -> list[str]:
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(offset if offset <= size else 0, size - 4096))
        return file.read().decode(errors="replace").splitlines()[-_LAST_LINES:]
