"""A folder's table as CSV (RFC 4180) that spreadsheets open without running any of it."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator

from services.proposals.domain import Answer, Columns, Missing, TableRow

BYTE_ORDER_MARK = "\ufeff"
"""Without it, a widespread spreadsheet reads UTF-8 as something else."""
CHUNK = 64 * 1024
"""How many bytes a part of the file has at most: a message may have no more than 4 MiB."""
# What begins a formula in some spreadsheet, in any width, also behind what nobody sees.
_FORMULA = frozenset("=+-@|%\N{MINUS SIGN}")
_LAYOUT = frozenset("\t\r\n")
# What parts cells in some spreadsheet: where commas part none, quotes within a line are plain text.
_PARTING = re.compile(r"([;\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029])")
_FIXED = (
    "Candidate",
    "Country",
    "Title",
    "Job",
    "Interview score",
    "Completed (UTC)",
    "Proposal",
    "Review",
)
_MISSING = {Missing.NOT_ASKED: "(not asked)", Missing.NOT_ANSWERED: "(not answered)"}


def chunks(written: bytes) -> Iterator[bytes]:
    """Part bytes of the file, anywhere, into what a message may have."""
    for at in range(0, len(written), CHUNK):
        yield written[at : at + CHUNK]


def headings(columns: Columns) -> bytes:
    """Write the first line; a label that two columns have tells their keys and kinds too."""
    labels = list(columns.labels.values())
    told = (
        label if labels.count(label) == 1 else f"{label} ({column.key}, {column.kind.lower()})"
        for column, label in columns.labels.items()
    )
    return (BYTE_ORDER_MARK + _lines([[*_FIXED, *map(harmless, told)]])).encode()


def lines(columns: Columns, rows: Iterable[TableRow]) -> bytes:
    """Write a line per row."""
    return _lines(
        [
            *map(harmless, _about(row)),
            *(_cell(columns.cell(row, column)) for column in columns.labels),
        ]
        for row in rows
    ).encode()


def harmless(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet could take for a formula.

    Also within it, where one that parts cells at semicolons or tabs would begin another cell.
    """
    defused = "".join(map(_defused, _PARTING.split(text)))
    return f"'{defused}" if text[:1] in _LAYOUT else defused


def _defused(text: str) -> str:
    seen = next((each for each in text if not _is_passed_over(each)), "")
    begins = unicodedata.normalize("NFKC", seen)[:1]
    return f"'{text}" if begins in _FORMULA else text


def _is_passed_over(character: str) -> bool:
    return character == '"' or unicodedata.category(character)[0] in "CZ"


def _about(row: TableRow) -> tuple[str, ...]:
    candidate = row.candidate
    return (
        candidate.display_name,
        candidate.country,
        candidate.title,
        row.job_id,
        str(row.interview_score),
        f"{row.complete_time:%Y-%m-%d %H:%M:%S}",
        row.proposal_id,
        row.review_state.lower().replace("_", " ") if row.review_state else "",
    )


def _cell(content: Answer | Missing) -> str:
    match content:
        case Missing():
            return _MISSING[content]
        case float():
            return repr(content).removesuffix(".0")  # a number stays one, also below zero
        case _:
            return harmless(content)


def _lines(rows: Iterable[list[str]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()
