"""Python programs that start in milliseconds: forked from a process that loaded their modules."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.failure import StackFailure
from deploy.local.fork_server import LARGEST_PACKET, Task
from deploy.local.launch import LAUNCHER


@dataclass(frozen=True, slots=True)
class PythonProgram:
    """A program to run as `python -m module arguments`."""

    module: str
    arguments: tuple[str, ...]

    @property
    def command(self) -> tuple[str, ...]:
        """The command that runs it as a process of its own."""
        # -P: the folder in which children run must not be searched for modules.
        return (sys.executable, "-P", "-m", self.module, *self.arguments)


class Forked:
    """A program that was forked, with what `asyncio.subprocess.Process` tells of one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        # The id is another's once its parent has asked how it ended; the descriptor never is.
        self._descriptor: int | None = None
        with suppress(ProcessLookupError):
            self._descriptor = os.pidfd_open(pid)

    @property
    def returncode(self) -> int | None:
        """How it ended, as a shell says it (-9 is a kill); None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """Wait until it ends; returns how."""
        return await asyncio.shield(self._ended)

    def send_signal(self, sent: int) -> None:
        """Send a signal; nothing happens once it ended."""
        if self._descriptor is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, sent)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    async def gone(self) -> None:
        """Wait until the process is no more, whoever is its parent by now."""
        if self._descriptor is not None:
            loop, exited = asyncio.get_running_loop(), asyncio.Event()
            loop.add_reader(self._descriptor, exited.set)
            await exited.wait()
            loop.remove_reader(self._descriptor)

    def ended(self, code: int) -> None:
        """Take note of its end; called once by the server that forked it."""
        self._ended.set_result(code)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class ForkServer:
    """Starts Python programs by forking; an asynchronous context manager.

    The server is a child of this process and dies with the thread that entered the context, its
    programs with it, also by a SIGKILL. `modules` are loaded once, in its process.
    """

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        self._modules = modules
        self._environment = dict(environment)
        self._process: Process | None = None
        self._control: socket.socket | None = None
        self._listening: asyncio.Task[None] | None = None
        self._asked: dict[int, asyncio.Future[Forked]] = {}
        self._programs: dict[int, Forked] = {}
        self._number = 0

    async def __aenter__(self) -> Self:
        """Start the server; it loads its modules while others go on."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._control = ours
        server = PythonProgram("deploy.local.fork_server", (str(theirs.fileno()), *self._modules))
        with theirs:
            self._process = await create_subprocess_exec(
                *(*LAUNCHER, str(os.getpid()), *server.command),
                stdin=DEVNULL,
                env=self._environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._listening = asyncio.create_task(self._listen(ours), name="fork server")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the server, which ends whatever it forked and still runs."""
        assert self._process is not None  # noqa: S101 - set on entering
        assert self._listening is not None  # noqa: S101 - set on entering
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._listening

    async def start(
        self, program: PythonProgram, environment: Mapping[str, str], folder: Path, log: Path
    ) -> Forked:
        """Start a program in a session of its own, its output appended to `log`.

        Raises:
            StackFailure: the server ended.

        """
        self._number += 1
        task = Task(
            number=self._number,
            module=program.module,
            arguments=list(program.arguments),
            environment=dict(environment),
            folder=str(folder),
            log=str(log),
        )
        assert self._control is not None  # noqa: S101 - set on entering
        assert self._listening is not None  # noqa: S101 - set on entering
        if self._listening.done():
            raise _gone()
        loop = asyncio.get_running_loop()
        forked: asyncio.Future[Forked] = loop.create_future()
        self._asked[task.number] = forked
        try:
            await loop.sock_sendall(self._control, task.packet())
            return await forked
        except OSError as error:
            raise _gone() from error
        finally:
            del self._asked[task.number]

    async def _listen(self, control: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        # A reset is an end too: of a server that had not read everything.
        with control, suppress(ConnectionResetError):
            while packet := await loop.sock_recv(control, LARGEST_PACKET):
                self._hear(json.loads(packet))
        # Its programs had a SIGKILL from the kernel as it ended, which takes a moment.
        for program in self._programs.values():
            await program.gone()
            program.ended(-signal.SIGKILL)
        self._programs.clear()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(_gone())

    def _hear(self, told: Mapping[str, int]) -> None:
        pid = told["pid"]
        if "number" in told:
            self._programs[pid] = Forked(pid)
            asked = self._asked.get(told["number"])
            if asked is None or asked.done():  # who asked was cancelled meanwhile
                self._programs[pid].kill()
            else:
                asked.set_result(self._programs[pid])
        else:
            self._programs.pop(pid).ended(told["code"])


def _gone() -> StackFailure:
    return StackFailure("The fork server ended, and with it whatever it had forked.")
