"""Folder screening: one table over the candidates of a folder's jobs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.proposals.domain.plan import Question, ScreeningPlan
from services.proposals.domain.profile import Candidate
from services.proposals.domain.proposal import ReviewState
from services.proposals.domain.screening import Answer


class AnswerKind(StrEnum):
    """What kind of answer a question asks for."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    URL = "URL"
    OPTION = "OPTION"


class CandidateColumn(StrEnum):
    """What the table can be sorted by beside answers."""

    COMPLETE_TIME = "COMPLETE_TIME"
    INTERVIEW_SCORE = "INTERVIEW_SCORE"
    NAME = "NAME"
    COUNTRY = "COUNTRY"


class Missing(StrEnum):
    """Why a cell is empty."""

    NOT_ASKED = "NOT_ASKED"
    NOT_ANSWERED = "NOT_ANSWERED"


_KINDS = {
    "NUMBER": AnswerKind.NUMBER,
    "URL": AnswerKind.URL,
    "SINGLE_SELECT": AnswerKind.OPTION,
}


def kind_of(question: Question) -> AnswerKind:
    """Tell what kind of answer a question asks for; every other type is text."""
    return _KINDS.get(question.type, AnswerKind.TEXT)


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """A column of answers: questions of several plans with one key and kind."""

    key: str
    kind: AnswerKind


@dataclass(frozen=True, slots=True)
class Range:
    """A range of numbers, both ends included; None means no limit."""

    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class Condition:
    """What the answer in a column must be: exactly one of these is set."""

    column: AnswerColumn
    contains: str | None = None
    range: Range | None = None
    any_of: tuple[str, ...] | None = None
    missing: bool | None = None


@dataclass(frozen=True, slots=True)
class TableFilter:
    """Which rows are wanted: those that meet all of it."""

    job_ids: tuple[str, ...] = ()
    minimum_score: int = 0
    country: str = ""
    text: str = ""
    answers: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class TableOrder:
    """The leading column, and whether its largest come first; missing answers are last."""

    by: CandidateColumn | AnswerColumn = CandidateColumn.COMPLETE_TIME
    descending: bool = True


@dataclass(frozen=True, slots=True)
class TableRow:
    """A candidate who completed screening; without a live proposal its id is empty."""

    screening_id: str
    job_id: str
    candidate: Candidate
    interview_score: int
    complete_time: datetime
    plan: ScreeningPlan
    answers: Mapping[str, Answer]
    proposal_id: str
    review_state: ReviewState | None

    def cell(self, column: AnswerColumn) -> Answer | Missing:
        """Give the answer in a column, or why there is none."""
        for question in self.plan.questions:
            if question.key == column.key and kind_of(question) == column.kind:
                return self.answers.get(question.key, Missing.NOT_ANSWERED)
        return Missing.NOT_ASKED


def columns_of(plans: Iterable[ScreeningPlan]) -> Mapping[AnswerColumn, str]:
    """Make the columns of all these plans, each with its heading.

    They stand in the order of the newest plan, what only older ones have behind it.
    """
    columns: dict[AnswerColumn, str] = {}
    for plan in sorted(plans, key=lambda plan: plan.version, reverse=True):
        for question in plan.questions:
            columns.setdefault(AnswerColumn(question.key, kind_of(question)), question.label)
    return columns
