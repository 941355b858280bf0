"""Folder screening: one table over the candidates of a folder's jobs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self, TypeAlias

from services.proposals.domain.plan import AnswerKind, ScreeningPlan
from services.proposals.domain.profile import Candidate
from services.proposals.domain.proposal import ReviewState
from services.proposals.domain.screening import Answer

# Of a plan that a job has or had: the job, and the plan's version.
PlanKey: TypeAlias = tuple[str, int]


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
    plan_version: int
    candidate: Candidate
    interview_score: int
    complete_time: datetime
    answers: Mapping[str, Answer]
    proposal_id: str
    review_state: ReviewState | None

    @property
    def plan(self) -> PlanKey:
        """The plan that it went by."""
        return self.job_id, self.plan_version


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of answers, each with its heading, and which of them each plan asks for."""

    labels: Mapping[AnswerColumn, str]
    asked: Mapping[PlanKey, frozenset[AnswerColumn]]

    @classmethod
    def of(cls, plans: Mapping[PlanKey, ScreeningPlan]) -> Self:
        """Make the columns of all these plans.

        They stand in the order of the plan with the highest version, which gives their headings
        too; what only others have stands behind. Of jobs that are level, the first by id leads.
        """
        labels: dict[AnswerColumn, str] = {}
        for key in sorted(plans, key=lambda key: (-key[1], key[0])):
            for question in plans[key].questions:
                labels.setdefault(AnswerColumn(question.key, question.kind), question.label)
        asked = {
            key: frozenset(AnswerColumn(each.key, each.kind) for each in plan.questions)
            for key, plan in plans.items()
        }
        return cls(labels, asked)

    def know(self, rows: Iterable[TableRow]) -> bool:
        """Whether the plans of all these rows are among them."""
        return all(row.plan in self.asked for row in rows)

    def cell(self, row: TableRow, column: AnswerColumn) -> Answer | Missing:
        """Give a row's answer in a column, or why there is none."""
        if column not in self.asked[row.plan]:
            return Missing.NOT_ASKED
        return row.answers.get(column.key, Missing.NOT_ANSWERED)
