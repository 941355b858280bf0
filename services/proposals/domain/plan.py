"""What a job asks of a trainer before a proposal: typed questions, as its events told them."""

from dataclasses import dataclass
from enum import StrEnum


class AnswerKind(StrEnum):
    """What kind of answer a question asks for."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    URL = "URL"
    OPTION = "OPTION"


# Every other type is answered with a text, also one that is new to us. The trigger that keeps the
# folder tables (migration 0010) says the same in SQL.
_KINDS = {
    "NUMBER": AnswerKind.NUMBER,
    "URL": AnswerKind.URL,
    "SINGLE_SELECT": AnswerKind.OPTION,
}


@dataclass(frozen=True, slots=True)
class Question:
    """One typed question of a screening plan.

    `type` is the word of jobs, such as "SHORT_TEXT", as a job's state is: an event with a new one
    must be kept. Only "SINGLE_SELECT" has options.
    """

    key: str
    label: str
    description: str
    required: bool
    type: str
    options: tuple[str, ...] = ()

    @property
    def kind(self) -> AnswerKind:
        """What kind of answer it asks for."""
        return _KINDS.get(self.type, AnswerKind.TEXT)


@dataclass(frozen=True, slots=True)
class ScreeningPlan:
    """A version of a job's questions; the version grows with every change."""

    version: int
    questions: tuple[Question, ...]
