"""What a running stack tells other terminals: one file, replaced at each change; no secrets."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psutil

from deploy.local.data_dir import DataDir, read_json, write_private
from deploy.local.process import Child, ProcessSpec


class StateFile:
    """Keeps `state.json` true while the stack lives; use it as a context manager."""

    def __init__(
        self,
        data: DataDir,
        specs: Sequence[ProcessSpec],
        on_change: Callable[[Child], None] | None,
    ) -> None:
        self._data = data
        self._on_change = on_change
        self._state = "starting"
        self._one_shots = [spec.name for spec in specs if spec.one_shot]
        self._processes = {
            spec.name: _describe(spec, str(data.log(spec.name)), pid=None, state="waiting")
            for spec in specs
        }

    def __enter__(self) -> Self:
        self._write()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._state = "stopped"
        self._write()

    def changed(self, child: Child) -> None:
        """Record a change of a process and pass it on."""
        self._processes[child.spec.name] = _describe(
            child.spec,
            str(child.log),
            pid=child.pid,
            state=child.state.value,
            started_at=child.started_at.isoformat() if child.started_at else None,
        )
        self._write()
        if self._on_change is not None:
            self._on_change(child)

    def running(self) -> None:
        """Record that everything serves."""
        self._state = "running"
        self._write()

    def stopping(self) -> None:
        """Record that the stack is on its way down."""
        self._state = "stopping"
        self._write()

    def _write(self) -> None:
        supervisor = {
            "pid": os.getpid(),
            # With the pid it names one process for ever: pids are used again, start times are not.
            "created": psutil.Process().create_time(),
        }
        content = {
            "state": self._state,
            "data_dir": str(self._data.root),
            "supervisor": supervisor,
            "processes": [
                process for name, process in self._processes.items() if name not in self._one_shots
            ],
            # They end before the services start, so they are no processes to look for.
            "one_shots": [self._processes[name] for name in self._one_shots],
        }
        write_private(self._data.state_file, json.dumps(content, indent=2))


@dataclass(frozen=True)
class Status:
    """A stack as another terminal sees it; `content` is what `status --json` prints."""

    running: bool
    content: dict[str, Any]

    @property
    def supervisor(self) -> psutil.Process | None:
        """The supervisor, if it is the very process that wrote the state."""
        recorded = self.content["supervisor"]
        try:
            process = psutil.Process(recorded["pid"])
        except (psutil.NoSuchProcess, TypeError):
            return None
        # The clock's resolution differs between kernel and file, so not an exact comparison.
        same = abs(process.create_time() - recorded["created"]) < 1
        return process if same else None


def read_status(data: DataDir) -> Status:
    """Read what runs on a data directory; the lock decides, so a killed stack is not running."""
    recorded = read_json(data.state_file)
    if data.is_held() and recorded:
        return Status(True, recorded)
    stopped = [
        process | {"pid": None, "state": "stopped"} for process in recorded.get("processes", [])
    ]
    return Status(
        False,
        {
            "state": "stopped",
            "data_dir": str(data.root),
            "supervisor": {"pid": None, "created": None},
            "processes": stopped,
            "one_shots": [],
        },
    )


def _describe(
    spec: ProcessSpec, log: str, *, pid: int | None, state: str, started_at: str | None = None
) -> dict[str, Any]:
    return {
        "name": spec.name,
        "pid": pid,
        "state": state,
        "addresses": dict(spec.addresses),
        "log": log,
        "started_at": started_at,
    }
