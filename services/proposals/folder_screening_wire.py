"""A folder's table as the proto writes it: to and from the domain, every bad field noted."""

import math
from collections.abc import Mapping

from hireflow.proposals.v1 import folder_screening_pb2 as pb
from services.common.errors import Problems
from services.proposals.domain import (
    AnswerColumn,
    AnswerKind,
    CandidateColumn,
    Columns,
    Condition,
    Missing,
    Range,
    TableFilter,
    TableOrder,
    TableRow,
)
from services.proposals.screening_wire import answer_message
from services.proposals.wire import (
    COUNTRY,
    TITLE_LIMIT,
    candidate_message,
    check_line,
    state_value,
    timestamp,
)

JOB_LIMIT, CONDITION_LIMIT, OPTION_LIMIT = 50, 20, 50
_KINDS: dict[int, AnswerKind] = {
    pb.AnswerKind.Value(f"ANSWER_KIND_{kind}"): kind for kind in AnswerKind
}
_COLUMNS: dict[int, CandidateColumn] = {
    pb.CANDIDATE_COLUMN_UNSPECIFIED: CandidateColumn.COMPLETE_TIME,
    **{pb.CandidateColumn.Value(f"CANDIDATE_COLUMN_{each}"): each for each in CandidateColumn},
}
_NOWHERE = AnswerColumn("", AnswerKind.TEXT)


def read_filter(message: pb.FolderScreeningFilter, noted: Problems) -> TableFilter:
    """Read which rows are wanted, noting every bad condition."""
    few = len(message.job_ids) <= JOB_LIMIT
    noted.require(few, "filter.job_ids", f"must have at most {JOB_LIMIT} entries")
    job_ids = message.job_ids[:JOB_LIMIT]
    for index, job_id in enumerate(job_ids):
        noted.require_id(f"filter.job_ids[{index}]", job_id)
    score = message.minimum_interview_score
    noted.require(0 <= score <= 100, "filter.minimum_interview_score", "must be 0 to 100")
    country = not message.country or COUNTRY.fullmatch(message.country)
    noted.require(country, "filter.country", "must be an ISO 3166-1 alpha-2 code, or empty")
    if message.text:
        check_line("filter.text", message.text, TITLE_LIMIT, noted)
    few = len(message.answers) <= CONDITION_LIMIT
    noted.require(few, "filter.answers", f"must have at most {CONDITION_LIMIT} entries")
    answers = tuple(
        _read_condition(f"filter.answers[{index}]", each, noted)
        for index, each in enumerate(message.answers[:CONDITION_LIMIT])
    )
    return TableFilter(tuple(job_ids), score, message.country, message.text.strip(), answers)


def read_order(message: pb.FolderScreeningOrder, noted: Problems) -> TableOrder:
    """Read the order of the rows; without a leading column, newest first."""
    match message.WhichOneof("by"):
        case "answer":
            column = _read_column("order.answer", message.answer, noted)
            return TableOrder(column, message.descending)
        case "candidate":
            known = message.candidate in _COLUMNS
            noted.require(known, "order.candidate", "must be a known column")
            by = _COLUMNS.get(message.candidate, CandidateColumn.COMPLETE_TIME)
            return TableOrder(by, message.descending)
        case _:
            return TableOrder()


def column_messages(columns: Mapping[AnswerColumn, str]) -> list[pb.FolderScreeningColumn]:
    """Write the columns with their headings."""
    return [
        pb.FolderScreeningColumn(
            column=pb.AnswerColumn(key=column.key, kind=_kind(column.kind)), label=label
        )
        for column, label in columns.items()
    ]


def row_message(row: TableRow, columns: Columns) -> pb.FolderScreeningRow:
    """Write a row with a cell per column."""
    written = pb.FolderScreeningRow(
        screening_id=row.screening_id,
        job_id=row.job_id,
        candidate=candidate_message(row.candidate),
        interview_score=row.interview_score,
        complete_time=timestamp(row.complete_time),
        proposal_id=row.proposal_id,
        cells=[_cell(columns, row, column) for column in columns.labels],
    )
    if row.review_state is not None:
        written.review_state = state_value(row.review_state)
    return written


def _cell(columns: Columns, row: TableRow, column: AnswerColumn) -> pb.FolderScreeningCell:
    content = columns.cell(row, column)
    if isinstance(content, Missing):
        missing = pb.MissingAnswer.Value(f"MISSING_ANSWER_{content}")
        return pb.FolderScreeningCell(missing=missing)
    return pb.FolderScreeningCell(answer=answer_message(column.key, column.kind, content))


def _read_condition(field: str, message: pb.AnswerCondition, noted: Problems) -> Condition:
    column = _read_column(f"{field}.column", message.column, noted)
    match message.WhichOneof("test"):
        case "contains":
            fits = column.kind in {AnswerKind.TEXT, AnswerKind.URL}
            noted.require(fits, f"{field}.contains", "is for text and addresses")
            check_line(f"{field}.contains", message.contains, TITLE_LIMIT, noted)
            return Condition(column, contains=message.contains.strip())
        case "range":
            fits = column.kind is AnswerKind.NUMBER
            noted.require(fits, f"{field}.range", "is for numbers")
            return Condition(column, range=_read_range(f"{field}.range", message.range, noted))
        case "any_of":
            fits = column.kind is AnswerKind.OPTION
            noted.require(fits, f"{field}.any_of", "is for options")
            some = 0 < len(message.any_of.options) <= OPTION_LIMIT
            told = f"must have 1 to {OPTION_LIMIT} entries"
            noted.require(some, f"{field}.any_of.options", told)
            options = tuple(message.any_of.options[:OPTION_LIMIT])
            for index, option in enumerate(options):
                check_line(f"{field}.any_of.options[{index}]", option, TITLE_LIMIT, noted)
            return Condition(column, any_of=options)
        case "missing":
            return Condition(column, missing=message.missing)
        case _:
            noted.add(field, "must have a test: contains, range, any_of or missing")
            return Condition(column, missing=False)


def _read_range(field: str, message: pb.NumberRange, noted: Problems) -> Range:
    low = message.minimum if message.HasField("minimum") else None
    high = message.maximum if message.HasField("maximum") else None
    noted.require(low is not None or high is not None, field, "must have a minimum or a maximum")
    finite = all(math.isfinite(each) for each in (low, high) if each is not None)
    noted.require(finite, field, "must be of finite numbers")
    if low is not None and high is not None:
        noted.require(low <= high, f"{field}.maximum", "must not be below the minimum")
    return Range(low, high)


def _read_column(field: str, message: pb.AnswerColumn, noted: Problems) -> AnswerColumn:
    noted.require_id(f"{field}.key", message.key)
    kind = _KINDS.get(message.kind)
    if kind is None:
        noted.add(f"{field}.kind", "must be a known kind")
        return _NOWHERE
    return AnswerColumn(message.key, kind)


def _kind(kind: AnswerKind) -> "pb.AnswerKind.ValueType":
    return pb.AnswerKind.Value(f"ANSWER_KIND_{kind}")
