"""What was measured, as a table, a file and a section of the README."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psutil
from rich.table import Table

FOLDER = Path(__file__).parent
_BEGIN, _END = "<!-- results -->", "<!-- /results -->"


@dataclass(frozen=True)
class Measure:
    """One figure beside its floor, both medians over the runs; 0 where there is no floor."""

    name: str
    value: float
    floor: float = 0.0
    floor_name: str = ""
    wanted: str = ""
    detail: str = ""
    measured: str = ""

    @property
    def ratio(self) -> str:
        """The value as a multiple of its floor."""
        return f"{self.value / self.floor:.2f}" if self.floor else ""


def medians(batches: Sequence[object], name: str) -> float:
    """Give the median over the runs of one of their figures."""
    return median(float(getattr(batch, name)) for batch in batches)


def machine() -> str:
    """Describe where it was measured."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%F}"
    )


def table(measures: Sequence[Measure]) -> Table:
    """Draw the figures for a terminal."""
    drawn = Table(title=machine(), title_justify="left")
    for column in ("measure", "value", "floor", "ratio", "wanted", "detail"):
        drawn.add_column(column)
    for each in measures:
        floor = f"{each.floor:.1f}  {each.floor_name}" if each.floor else ""
        drawn.add_row(each.name, f"{each.value:.1f}", floor, each.ratio, each.wanted, each.detail)
    return drawn


def save(measures: Sequence[Measure], runs: int) -> list[Measure]:
    """Write results.json, and the table into the README between its markers; answer with all.

    What was measured before and not now stays as it is.
    """
    file = FOLDER / "results.json"
    known = json.loads(file.read_text()) if file.exists() else []
    kept = {(each["name"], each["floor_name"]): Measure(**each) for each in known}
    how = f"{machine()}; medians of {runs} runs"
    kept |= {(each.name, each.floor_name): replace(each, measured=how) for each in measures}
    file.write_text(json.dumps([asdict(each) for each in kept.values()], indent=1) + "\n")
    lines = [
        _BEGIN,
        *(f"{each}.  " for each in dict.fromkeys(each.measured for each in kept.values())),
        "",
        "| measure | value | floor | ratio | wanted | detail |",
        "|---|---:|---:|---:|---|---|",
    ]
    for each in kept.values():
        floor = f"{each.floor:.1f} ({each.floor_name})" if each.floor else ""
        lines.append(
            f"| {each.name} | {each.value:.1f} | {floor} | {each.ratio} | {each.wanted} |"
            f" {each.detail} |"
        )
    readme = FOLDER / "README.md"
    text = readme.read_text()
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    readme.write_text(before + "\n".join([*lines, _END]) + after)
    return list(kept.values())
