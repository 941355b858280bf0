"""What a job asks of a trainer before a proposal: typed questions, as its events told them."""

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class ScreeningPlan:
    """A version of a job's questions; the version grows with every change."""

    version: int
    questions: tuple[Question, ...]
