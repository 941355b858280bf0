"""What another terminal does with a running stack: stop it, read its logs, start it aside."""

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local.data_dir import DataDir
from deploy.local.failure import StackFailure
from deploy.local.process import is_alive
from deploy.local.state import Status, read_status

_STOPS_WITHIN = 90.0
_STARTS_WITHIN = 180.0


def stop(data: DataDir) -> bool:
    """Stop the stack of a data directory and wait until it is gone; False if none ran.

    Raises:
        StackFailure: the recorded supervisor is another process by now, or it does not end.

    """
    status = read_status(data)
    if not status.running:
        return False
    supervisor = status.supervisor
    if supervisor is None:
        raise StackFailure(f"The supervisor of {data.root} has only just begun: try again.")
    supervisor.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _STOPS_WITHIN
    while data.is_held() or is_alive(supervisor):
        if time.monotonic() > deadline:
            raise StackFailure(
                f"The supervisor (process {supervisor.pid}) did not end within "
                f"{_STOPS_WITHIN:.0f} s."
            )
        time.sleep(0.05)
    return True


def start_detached(data: DataDir, options: Sequence[str]) -> Status:
    """Start `hireflow up` in the background and return once the stack serves.

    Raises:
        StackFailure: it did not come up; the text is what it said.

    """
    if data.is_held():
        raise StackFailure(f"A stack already runs on {data.root}.")
    log = data.log("supervisor")
    with log.open("wb") as output:
        log.chmod(0o600)
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "deploy.local.cli", "up", f"--data-dir={data.root}", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + _STARTS_WITHIN
    while True:
        status = read_status(data)
        if status.running and status.content["state"] == "running":
            return status
        if process.poll() is not None:
            raise StackFailure(log.read_text(errors="replace").strip())
        if time.monotonic() > deadline:
            process.send_signal(signal.SIGTERM)
            raise StackFailure(f"The stack did not start within {_STARTS_WITHIN:.0f} s, see {log}.")
        time.sleep(0.1)


def show_logs(
    data: DataDir,
    process: str | None,
    *,
    lines: int,
    follow: bool,
    show: Callable[[str], None],
) -> None:
    """Show the last lines of one log or of all, and with `follow` whatever comes, for ever.

    Raises:
        StackFailure: there is no such log.

    """
    logs = sorted(data.logs.glob("*.log"))
    if process is not None:
        logs = [log for log in logs if log.stem == process]
    if not logs:
        raise StackFailure(f"There is no log of {process or 'any process'} in {data.logs}.")
    width = max(len(log.stem) for log in logs) if process is None else 0
    offsets: dict[Path, int] = {}
    for log in logs:
        content = log.read_bytes()
        offsets[log] = len(content)
        _show(log, content.splitlines()[-lines:], width, show)
    for _ in itertools.count() if follow else ():
        for log in logs:
            offsets[log] = _show_new(log, offsets[log], width, show)
        time.sleep(0.2)


def _show_new(log: Path, offset: int, width: int, show: Callable[[str], None]) -> int:
    size = log.stat().st_size
    # Smaller than before: it outgrew its limit and was emptied.
    start = offset if size >= offset else 0
    if size == start:
        return start
    with log.open("rb") as file:
        file.seek(start)
        content = file.read()
    # A line that is still being written waits for its end.
    complete = content[: content.rfind(b"\n") + 1]
    _show(log, complete.splitlines(), width, show)
    return start + len(complete)


def _show(log: Path, lines: Sequence[bytes], width: int, show: Callable[[str], None]) -> None:
    for line in lines:
        prefix = f"{log.stem:<{width}} | " if width else ""
        show(prefix + line.decode(errors="replace"))
