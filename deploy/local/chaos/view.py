"""What a run shows: a live table in a terminal, plain lines elsewhere."""

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.local.chaos.clients import Case
from deploy.local.chaos.plan import PlannedFault

_LATEST = 12
_LINE_SECONDS = 10.0


class View:
    """Shows hires by how they stand, the faults so far, what just happened, and the time."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began = time.monotonic()
        self._cases: Sequence[Case] = ()
        self._faults: Counter[str] = Counter()
        self._latest: deque[str] = deque(maxlen=_LATEST)
        self._live: Live | None = None
        self._chapter = ""
        self._line_at = 0.0

    @contextmanager
    def shown(self, cases: Sequence[Case]) -> Iterator[None]:
        """Show these cases until the end of the block."""
        self._cases = cases
        if self.console.is_terminal:
            self._live = Live(get_renderable=self._screen, console=self.console)
            self._live.start()
        try:
            yield
        finally:
            if self._live is not None:
                self._live.stop()
                self._live = None

    def chapter(self, title: str) -> None:
        """Begin a part of the run."""
        self._chapter = title
        self._say(title)

    def fault(self, fault: PlannedFault) -> None:
        """Tell of a fault that begins."""
        self._faults[str(fault.kind)] += 1
        self._say(str(fault))

    def tick(self) -> None:
        """Tell now and then how the hires stand, where no table does."""
        if self._live is None and time.monotonic() - self._line_at > _LINE_SECONDS:
            self._line_at = time.monotonic()
            stands = ", ".join(f"{n} {what}" for what, n in self._stands().most_common())
            self._say(f"hires: {stands}")

    def _say(self, what: str) -> None:
        line = f"{time.monotonic() - self._began:7.1f} s  {what}"
        self._latest.append(line)
        if self._live is None:
            self.console.print(line, highlight=False, soft_wrap=True)

    def _stands(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for case in self._cases:
            counts.update(case.stands.values())
            missing = case.planned.hires - len(case.stands)
            if missing > 0 and not case.done:
                counts["being asked for" if case.came else "to come"] += missing
        return counts

    def _screen(self) -> RenderableType:
        elapsed = time.monotonic() - self._began
        return Group(
            Text(f"{self._chapter}   {elapsed:.0f} s", style="bold cyan"),
            Columns([_table("hires", self._stands()), _table("faults", self._faults)]),
            Panel("\n".join(self._latest), title="what just happened", expand=True),
        )


def _table(what: str, counts: Counter[str]) -> Table:
    table = Table(title=what, box=None, pad_edge=False, padding=(0, 2), min_width=34)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, count in sorted(counts.items()):
        table.add_row(name, str(count))
    table.add_row("[bold]all[/]", f"[bold]{counts.total()}[/]")
    return table
