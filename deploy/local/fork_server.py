"""A process that has loaded the modules already and becomes whatever program it is asked for.

Run as `python -P -m deploy.local.fork_server DESCRIPTOR MODULE…` by `forking.py`. A packet on the
socket asks for one program; the answers are its process id and, later, how it ended. Loading the
modules costs a process some seconds of CPU time, a fork some milliseconds.

It forks while it has one thread, and nothing open but its socket: event loops, gRPC and Temporal's
core begin in the children.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Self

from deploy.local.launch import bind_to

LARGEST_PACKET = 1 << 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A Python program to become, as `python -m module arguments`, with its whole environment."""

    number: int
    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    log: str

    def packet(self) -> bytes:
        """Write it for the socket."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def read(cls, packet: bytes) -> Self:
        """Read what `packet` wrote."""
        return cls(**json.loads(packet))


def main() -> None:
    """Serve until the other end of the socket closes; in a child, run its program."""
    descriptor, *modules = sys.argv[1:]
    ending = _Ending()
    # Called last of all, because it is registered before the modules register anything.
    atexit.register(ending.come)
    # Of what modules make while they load next to nothing is garbage: looking costs a tenth of it.
    gc.disable()
    for module in modules:
        import_module(module)
    # What the collector never looks at stays one copy for all children.
    gc.freeze()
    gc.enable()
    if len([*Path("/proc/self/task").iterdir()]) > 1:
        sys.exit("loading the modules started a thread: a fork would leave its locks held")
    with socket.socket(fileno=int(descriptor)) as control:
        task = _serve(control)
    if task is not None:
        sys.argv = [task.module, *task.arguments]
        with ending:
            runpy.run_module(task.module, run_name="__main__", alter_sys=True)


class _Ending:
    """The end of a forked program, without taking its modules apart.

    That would touch every page it shares with the server, each of which the kernel then copies:
    half of what the program's start costs. An error ends it the usual way, and so does a server.
    """

    def __init__(self) -> None:
        self._code: int | None = None

    def __enter__(self) -> None:
        """Let the program begin."""

    def __exit__(self, _: object, error: BaseException | None, trace: object) -> None:
        """Note the exit code of a program that returned, or called `sys.exit` with a number."""
        if error is None or (isinstance(error, SystemExit) and error.code is None):
            self._code = 0
        elif isinstance(error, SystemExit) and isinstance(error.code, int):
            self._code = error.code

    def come(self) -> None:
        """End the process at once, where its exit code was noted."""
        if self._code is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self._code)


def _serve(control: socket.socket) -> Task | None:
    """Answer packets; returns a task in the child that is to carry it out, None at the end."""
    woken, wake = socket.socketpair()
    with woken, wake:
        woken.setblocking(False)
        wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        while True:
            readable, _, _ = select.select([control, woken], [], [])
            if woken in readable:
                woken.recv(LARGEST_PACKET)
                _tell_who_ended(control)
            if control in readable:
                packet = control.recv(LARGEST_PACKET)
                if not packet:
                    return None
                task, parent = Task.read(packet), os.getpid()
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    _prepare(task, parent)
                    return task
                _tell(control, number=task.number, pid=pid)


def _tell_who_ended(control: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(control, pid=pid, code=os.waitstatus_to_exitcode(status))


def _tell(control: socket.socket, **told: int) -> None:
    control.send(json.dumps(told).encode())


def _prepare(task: Task, parent: int) -> None:
    """Make of the fork what a process of its own would have been."""
    bind_to(parent)
    os.setsid()
    with Path(os.devnull).open("rb") as nothing, Path(task.log).open("ab") as log:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.chdir(task.folder)
    os.environ.clear()
    os.environ.update(task.environment)


if __name__ == "__main__":
    main()
