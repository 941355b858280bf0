"""The CSV of a folder's table: any text comes back, and none of it runs in a spreadsheet."""

import csv
import io
import unicodedata
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from services.proposals.domain import (
    AnswerColumn,
    AnswerKind,
    Candidate,
    Question,
    ReviewState,
    ScreeningPlan,
    TableRow,
)
from services.proposals.folder_csv import headings, lines

TEXT = AnswerColumn("text", AnswerKind.TEXT)
NUMBER = AnswerColumn("number", AnswerKind.NUMBER)
PLAN = ScreeningPlan(
    1,
    (
        Question("text", "Text", "", required=False, type="LONG_TEXT"),
        Question("number", "Number", "", required=False, type="NUMBER"),
    ),
)
BEGINNINGS = ["", " ", "\t", "\r", "\n", "\u00a0", "\u3000", "\u200b", "\ufeff"]
FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@A1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20A1",
    "%0A=1",
    "|calc",
]
hostile = st.builds(
    "{}{}{}".format, st.sampled_from(BEGINNINGS), st.sampled_from(FORMULAS), st.text()
)
texts = st.one_of(st.text(min_size=1), hostile).filter(lambda text: "\x00" not in text)
numbers = st.floats(allow_nan=False, allow_infinity=False)


def row(text: str, number: float) -> TableRow:
    return TableRow(
        screening_id="s",
        job_id="j",
        candidate=Candidate("t", text, "DE", text),
        interview_score=80,
        complete_time=datetime(2026, 11, 23, tzinfo=UTC),
        plan=PLAN,
        answers={"text": text, "number": number},
        proposal_id="p",
        review_state=ReviewState.RESUME_SENT,
    )


def read(written: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, numbers), min_size=1, max_size=5))
def test_any_text_comes_back_whole_and_no_cell_begins_a_formula(
    answers: list[tuple[str, float]],
) -> None:
    columns = {TEXT: answers[0][0], NUMBER: "Number"}
    written = headings(columns) + lines(columns, [row(*each) for each in answers])
    heading, *rows = read(written)
    assert len(rows) == len(answers)
    for (text, number), cells in zip(answers, rows, strict=True):
        *told, of_text, of_number = cells
        assert of_text in {text, f"'{text}"}
        assert float(of_number) == number
        for cell in (*told, of_text):
            seen = "".join(each for each in cell if unicodedata.category(each)[0] not in "CZ")
            assert unicodedata.normalize("NFKC", seen)[:1] not in tuple("=+-@|%\u2212")
            assert not cell.startswith(("\t", "\r", "\n"))
    assert heading[-2] in {answers[0][0], f"'{answers[0][0]}"}


def test_two_columns_of_one_label_tell_their_keys() -> None:
    same = {TEXT: "Sample", NUMBER: "Sample"}
    assert read(headings(same))[0][-2:] == ["Sample (text, text)", "Sample (number, number)"]
