"""What `hireflow` shows: progress while the stack starts, its addresses, its status."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.local.process import Child, State

_STYLES = {
    "ready": "green",
    "done": "green",
    "running": "green",
    "crashed": "bold red",
    "starting": "yellow",
    "stopping": "yellow",
    "paused": "yellow",
}


class Progress:
    """Follows every process: a live table in a terminal, a line per event elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began: dict[str, float] = {}
        self._children: dict[str, Child] = {}
        self._shown: dict[str, State] = {}
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the table in a terminal, until `settle` or the end of the block."""
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._table, console=self._console, refresh_per_second=8
            )
            self._live.start()
        try:
            yield
        finally:
            self.settle()

    def settle(self) -> None:
        """Leave the table as it stands; later changes are lines. Repeating it changes nothing."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def changed(self, child: Child) -> None:
        """Take note of a change; the callback of `Stack.open`."""
        name = child.spec.name
        self._children[name] = child
        if child.state is State.STARTING:
            self._began.setdefault(name, time.monotonic())
        telling = {State.READY, State.DONE, State.CRASHED, State.STOPPED}
        new = self._shown.get(name) is not child.state
        self._shown[name] = child.state
        if self._live is None and new and child.state in telling:
            took = f"{child.seconds:6.2f} s" if child.state in {State.READY, State.DONE} else ""
            self._console.print(f"  {name:<18} {child.state.value:<8} {took}", highlight=False)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 3))
        for name, child in self._children.items():
            settled = child.state in {State.READY, State.DONE}
            seconds = child.seconds if settled else time.monotonic() - self._began.get(name, 0)
            table.add_row(
                f"  {name}", _state(child.state.value), Text(f"{seconds:6.2f} s", style="dim")
            )
        return table


def show_status(console: Console, content: dict[str, Any]) -> None:
    """Show a stack's processes with their addresses and process ids."""
    table = Table(box=None, padding=(0, 3), pad_edge=False)
    for column in ("process", "state", "pid", "addresses"):
        table.add_column(column, style="bold" if column == "process" else "", overflow="fold")
    supervisor = content["supervisor"]["pid"]
    table.add_row("supervisor", _state(content["state"]), _pid(supervisor), content["data_dir"])
    for process in content["processes"]:
        table.add_row(
            process["name"],
            _state(process["state"]),
            _pid(process["pid"]),
            _join(process["addresses"].values()),
        )
    console.print(table)


def show_next_steps(
    console: Console, content: dict[str, Any], option: str, *, attached: bool
) -> None:
    """Say what to do with a stack that runs."""
    addresses = {
        name: address
        for process in content["processes"]
        for name, address in process["addresses"].items()
    }
    steps = (
        ("a token", f"hireflow token{option} --kind employer --org org-demo"),
        ("Temporal UI", addresses.get("ui", "not part of this stack")),
        ("logs", f"hireflow logs{option} --follow"),
        ("stop", ("Ctrl-C here, or " if attached else "") + f"hireflow down{option}"),
    )
    console.print()
    for what, how in steps:
        # Whole lines, however narrow the terminal: they are there to be copied.
        console.print(f"[bold]{what:<12}[/] {how}", soft_wrap=True, highlight=False)
    console.print()


def _state(state: str) -> Text:
    return Text(state, style=_STYLES.get(state, "dim"))


def _pid(pid: int | None) -> str:
    return str(pid) if pid is not None else "-"


def _join(values: Iterable[str]) -> str:
    return "  ".join(values)
