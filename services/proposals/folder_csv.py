"""A folder's table as CSV (RFC 4180) that spreadsheets open without running any of it."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping

from services.proposals.domain import Answer, AnswerColumn, Missing, TableRow

BYTE_ORDER_MARK = "\ufeff"
"""Without it, a widespread spreadsheet reads UTF-8 as something else."""
# What begins a formula in some spreadsheet, in any width, also behind what nobody sees.
_FORMULA = frozenset("=+-@|%\N{MINUS SIGN}")
_LAYOUT = frozenset("\t\r\n")
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


def headings(columns: Mapping[AnswerColumn, str]) -> bytes:
    """Write the first line; a label that two columns have tells their keys and kinds too."""
    labels = list(columns.values())
    told = (
        label if labels.count(label) == 1 else f"{label} ({column.key}, {column.kind.lower()})"
        for column, label in columns.items()
    )
    return (BYTE_ORDER_MARK + _lines([[*_FIXED, *map(harmless, told)]])).encode()


def lines(columns: Iterable[AnswerColumn], rows: Iterable[TableRow]) -> bytes:
    """Write a line per row."""
    of_answers = tuple(columns)
    return _lines(
        [
            *map(harmless, _about(row)),
            *(_cell(row.cell(column)) for column in of_answers),
        ]
        for row in rows
    ).encode()


def harmless(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet could take for a formula."""
    seen = next((each for each in text if unicodedata.category(each)[0] not in "CZ"), "")
    begins = unicodedata.normalize("NFKC", seen)[:1]
    return f"'{text}" if begins in _FORMULA or text[:1] in _LAYOUT else text


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
