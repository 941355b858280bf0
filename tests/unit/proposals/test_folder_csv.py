"""The CSV of a folder's table: any text comes back, and none of it runs in a spreadsheet."""

import csv
import io
import re
import unicodedata
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from services.proposals.domain import (
    AnswerColumn,
    AnswerKind,
    Candidate,
    Columns,
    ReviewState,
    TableRow,
)
from services.proposals.folder_csv import CHUNK, chunks, harmless, headings, lines

TEXT = AnswerColumn("text", AnswerKind.TEXT)
NUMBER = AnswerColumn("number", AnswerKind.NUMBER)
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
    "{}{}{}{}".format,
    st.sampled_from(["", "a;", "a\t", "a\r\n", 'a;"', "a\u2028"]),
    st.sampled_from(BEGINNINGS),
    st.sampled_from(FORMULAS),
    st.text(),
)
texts = st.one_of(st.text(min_size=1), hostile).filter(lambda text: "\x00" not in text)
# What parts a line where commas part none, and quotes within it are plain text.
PARTING = re.compile("[;\t\r\n\v\f\x85\u2028\u2029]")
numbers = st.floats(allow_nan=False, allow_infinity=False)


def row(text: str, number: float) -> TableRow:
    return TableRow(
        screening_id="s",
        job_id="j",
        plan_version=1,
        candidate=Candidate("t", text, "DE", text),
        interview_score=80,
        complete_time=datetime(2026, 11, 23, tzinfo=UTC),
        answers={"text": text, "number": number},
        proposal_id="p",
        review_state=ReviewState.RESUME_SENT,
    )


def read(written: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))


def table(label: str, number: str) -> Columns:
    return Columns({TEXT: label, NUMBER: number}, {("j", 1): frozenset({TEXT, NUMBER})})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, numbers), min_size=1, max_size=5))
def test_any_text_comes_back_whole_and_no_cell_begins_a_formula(
    answers: list[tuple[str, float]],
) -> None:
    columns = table(answers[0][0], "Number")
    written = headings(columns) + lines(columns, [row(*each) for each in answers])
    heading, *rows = read(written)
    assert len(rows) == len(answers)
    for (text, number), cells in zip(answers, rows, strict=True):
        *told, of_text, of_number = cells
        assert of_text.replace("'", "") == text.replace("'", "")
        assert float(of_number) == number
        for cell in (*told, of_text):
            for part in PARTING.split(cell):
                visible = (each for each in part if unicodedata.category(each)[0] not in "CZ")
                seen = "".join(visible).replace('"', "")
                assert unicodedata.normalize("NFKC", seen)[:1] not in tuple("=+-@|%\u2212")
            assert not cell.startswith(("\t", "\r", "\n"))
    assert heading[-2].replace("'", "") == answers[0][0].replace("'", "")


def test_text_without_a_formula_stays_as_it_is() -> None:
    text = 'Wards; two of them, since 2019:\n"Neurology"; 5 % night shifts\tand more - in short, =.'
    assert harmless(text) == text


def test_two_columns_of_one_label_tell_their_keys() -> None:
    assert read(headings(table("Sample", "Sample")))[0][-2:] == [
        "Sample (text, text)",
        "Sample (number, number)",
    ]


def test_a_long_line_comes_in_parts_that_a_message_may_have() -> None:
    columns = table("Text", "Number")
    written = lines(columns, [row("\N{PILE OF POO}" * CHUNK, 1.0)])
    parts = list(chunks(written))
    assert b"".join(parts) == written
    assert max(map(len, parts)) == CHUNK
