"""The ratios as a picture: one bar per measure that has a floor, and the floor as a line."""

from collections.abc import Sequence
from html import escape

from benchmarks.results import FOLDER, Measure, machine

_ROW, _LEFT, _WIDTH, _LONGEST = 22, 620, 480, 6.0


_MET, _MISSED, _PLAIN = "#55a868", "#dd8452", "#4c72b0"


def _colour(measure: Measure, ratio: float) -> str:
    """Green where it is as wanted, orange where it is not, blue where nothing is wanted."""
    if not measure.wanted:
        return _PLAIN
    sign, bound = measure.wanted.split()
    met = ratio >= float(bound) if sign == ">=" else ratio <= float(bound)
    return _MET if met else _MISSED


def draw(measures: Sequence[Measure]) -> None:
    """Write results.svg."""
    shown = [each for each in measures if each.floor and not each.name.startswith("memory")]
    height = _ROW * (len(shown) + 3)
    one = _LEFT + _WIDTH / _LONGEST
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 70}"',
        f' height="{height}" font-family="sans-serif" font-size="12">',
        f'<text x="8" y="16">{escape(machine())}; as a multiple of the floor.',
        f' <tspan fill="{_MET}">As wanted</tspan>, <tspan fill="{_MISSED}">not as wanted</tspan>,',
        f' <tspan fill="{_PLAIN}">nothing wanted</tspan>.</text>',
    ]
    for row, each in enumerate(shown, start=1):
        ratio = each.value / each.floor
        top = _ROW * row + 8
        length = min(ratio, _LONGEST) * _WIDTH / _LONGEST
        parts += [
            f'<text x="8" y="{top + 13}">{escape(each.name)}',
            f' <tspan fill="#777">/ {escape(each.floor_name)}</tspan></text>',
            f'<rect x="{_LEFT}" y="{top}" width="{length:.0f}" height="16"',
            f' fill="{_colour(each, ratio)}"/>',
            f'<text x="{_LEFT + length + 6:.0f}" y="{top + 13}">{ratio:.2f}</text>',
        ]
    bottom = _ROW * (len(shown) + 1) + 8
    parts += [
        f'<line x1="{one:.0f}" y1="24" x2="{one:.0f}" y2="{bottom}" stroke="#c44e52"/>',
        f'<text x="{one + 4:.0f}" y="{bottom + 14}" fill="#c44e52">the floor</text>',
        "</svg>",
    ]
    (FOLDER / "results.svg").write_text("\n".join(parts) + "\n")
