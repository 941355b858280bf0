"""Programs that are forked live and end as if each had been started by itself."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.local.failure import StackFailure
from deploy.local.forking import ForkServer, PythonProgram
from deploy.local.process import ProcessSpec, is_alive
from deploy.local.supervisor import Supervisor

Said = Callable[[Path], dict[str, Any]]
LOADED = "import os\nLOADED_BY = os.getpid()\n"
PROGRAM = """
import json, os, signal, sys, time
import loaded

print(json.dumps({
    "arguments": sys.argv[1:],
    "environment": dict(os.environ),
    "folder": os.getcwd(),
    "loaded by": loaded.LOADED_BY,
    "parent": os.getppid(),
    "session": os.getsid(0),
    "name": __name__,
    "input": sys.stdin.read(),
    "chld": signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL,
}), flush=True)
if sys.argv[1] == "wait":
    time.sleep(100)
sys.exit(int(sys.argv[1]))
"""
PARTING = """
import atexit, sys

class Thing:
    def __del__(self):
        print("taken apart")

thing = Thing()
atexit.register(print, "its own end")
print("unflushed")
if sys.argv[1] == "error":
    raise ValueError
sys.exit(int(sys.argv[1]) if len(sys.argv[1]) == 1 else sys.argv[1])
"""
BUSY = """
import threading, time
threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
"""
SUPERVISE = """
import asyncio, pathlib, sys
from deploy.local.forking import ForkServer, PythonProgram

async def main():
    folder = pathlib.Path(sys.argv[1])
    async with ForkServer(("loaded",), {"PYTHONPATH": str(folder)}) as forks:
        program = PythonProgram("program", ("wait",))
        forked = await forks.start(program, {}, folder, folder / "log")
        print(forked.pid, flush=True)
        await forked.wait()

asyncio.run(main())
"""


@pytest.fixture
def programs(folder: Path) -> Path:
    (folder / "loaded.py").write_text(LOADED)
    (folder / "program.py").write_text(PROGRAM)
    (folder / "busy.py").write_text(BUSY)
    (folder / "parting.py").write_text(PARTING)
    return folder


@pytest.fixture
async def forks(programs: Path) -> AsyncIterator[ForkServer]:
    async with ForkServer(("loaded",), {"PYTHONPATH": str(programs)}) as forks:
        yield forks


@pytest.fixture
def said(until: Callable[[Callable[[], bool]], None]) -> Said:
    """Wait until a program has said its line, and give what it said."""

    def read(log: Path) -> dict[str, Any]:
        until(lambda: log.exists() and log.read_text().endswith("\n"))
        told: dict[str, Any] = json.loads(log.read_text())
        return told

    return read


async def test_a_program_has_its_own_surroundings_and_the_modules_of_the_server(
    forks: ForkServer, programs: Path, said: Said
) -> None:
    log = programs / "log"
    forked = await forks.start(
        PythonProgram("program", ("3", "a b")), {"ONLY": "this"}, programs, log
    )
    assert await forked.wait() == forked.returncode == 3
    told = said(log)
    assert told["arguments"] == ["3", "a b"]
    assert told["environment"] == {"ONLY": "this"}
    assert (told["folder"], told["name"], told["input"]) == (str(programs), "__main__", "")
    assert told["loaded by"] == told["parent"] != os.getpid()
    assert told["session"] == forked.pid
    assert told["chld"]
    forked.kill()  # too late to do anything


async def test_each_end_is_told_of_the_right_program(
    forks: ForkServer, programs: Path, said: Said
) -> None:
    started = [
        await forks.start(PythonProgram("program", (end,)), {}, programs, programs / end)
        for end in ("1", "wait", "2", "0")
    ]
    quick = [started[0], *started[2:]]
    assert [await each.wait() for each in quick] == [1, 2, 0]
    said(programs / "wait")
    assert started[1].returncode is None
    started[1].send_signal(signal.SIGTERM)
    assert await started[1].wait() == -signal.SIGTERM


@pytest.mark.parametrize(
    ("end", "code", "parted"),
    [("0", 0, False), ("7", 7, False), ("an excuse", 1, True), ("error", 1, True)],
)
async def test_a_program_that_says_how_it_ends_does_so_without_being_taken_apart(
    forks: ForkServer, programs: Path, end: str, code: int, parted: bool
) -> None:
    log = programs / "log"
    forked = await forks.start(PythonProgram("parting", (end,)), {}, programs, log)
    assert await forked.wait() == code
    told = log.read_text()
    assert "unflushed" in told
    assert "its own end" in told
    assert ("taken apart" in told) == parted


async def test_with_the_server_its_programs_end_and_no_more_are_started(
    forks: ForkServer, programs: Path, said: Said
) -> None:
    waiting = PythonProgram("program", ("wait",))
    forked = await forks.start(waiting, {}, programs, programs / "log")
    psutil.Process(said(programs / "log")["parent"]).kill()
    assert await forked.wait() == -signal.SIGKILL
    assert not psutil.pid_exists(forked.pid) or not is_alive(psutil.Process(forked.pid))
    with pytest.raises(StackFailure, match="fork server ended"):
        await forks.start(waiting, {}, programs, programs / "log")


async def test_leaving_ends_what_still_runs(programs: Path) -> None:
    async with ForkServer(("loaded",), {"PYTHONPATH": str(programs)}) as forks:
        forked = await forks.start(
            PythonProgram("program", ("wait",)), {}, programs, programs / "log"
        )
        process = psutil.Process(forked.pid)
    assert forked.returncode == -signal.SIGKILL
    assert not is_alive(process)


async def test_a_killed_starter_leaves_neither_server_nor_programs(
    programs: Path, until: Callable[[Callable[[], bool]], None]
) -> None:
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISE, str(programs), stdout=subprocess.PIPE
    )
    assert starter.stdout
    pid = int(await starter.stdout.readline())
    family = psutil.Process(starter.pid).children(recursive=True)
    assert pid in {process.pid for process in family}
    assert len(family) == 2
    starter.kill()
    await starter.wait()
    until(lambda: not any(is_alive(process) for process in family))


async def test_modules_that_never_load_are_one_clear_sentence(programs: Path) -> None:
    (programs / "endless.py").write_text("import time\ntime.sleep(100)\n")
    program = PythonProgram("program", ("0",))
    spec = ProcessSpec(name="oven", command=program, start_within=0.5)
    async with ForkServer(("endless",), {"PYTHONPATH": str(programs)}) as forks:
        supervisor = Supervisor(
            [spec],
            folder=programs,
            log=lambda name: programs / f"{name}.log",
            on_change=lambda _: None,
            forks=forks,
        )
        with pytest.raises(StackFailure, match="oven was not forked after"):
            await supervisor.__aenter__()


async def test_nothing_is_forked_from_a_process_with_threads(
    programs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with ForkServer(("busy",), {"PYTHONPATH": str(programs)}) as forks:
        with pytest.raises(StackFailure, match="fork server ended"):
            await forks.start(PythonProgram("program", ("0",)), {}, programs, programs / "log")
    assert "started a thread" in capfd.readouterr().err
