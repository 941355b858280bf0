"""What is to be made: a plan names whoever belongs together by place in its lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, auto

from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2, screening_pb2

INVITED_AT_ONCE = 200
"""The most trainers of one InviteTrainers."""
FOLDERS = (("Spring sprint", "#2e7d32"), ("Client: Northwind", "#1565c0"))


class Ending(StrEnum):
    """What becomes of a click on Hire."""

    HIRED = auto()
    DECLINED = auto()
    """The card is declined, and another one is waited for."""
    AT_BANK = auto()
    """The card wants 3-D Secure, and nobody has confirmed it yet."""
    UNDONE = auto()
    """Cancelled before it was paid."""


class Progress(StrEnum):
    """How far a screening got."""

    STARTED = auto()
    HALF_ANSWERED = auto()
    ANSWERED = auto()
    """Its answers are final, and no interview was held."""
    COMPLETE = auto()


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job, where it goes and where it ends; an empty `channel` is none."""

    organisation: int
    folder: int | None
    posting: job_pb2.Job
    state: "job_pb2.JobState.ValueType"
    instructions: str
    channel: str


@dataclass(frozen=True, slots=True)
class PlannedScreening:
    """A trainer's screening on a job that has a plan for it."""

    job: int
    trainer: int
    progress: Progress
    answers: tuple[screening_pb2.ScreeningAnswer, ...]
    interview: screening_pb2.Interview


@dataclass(frozen=True, slots=True)
class Line:
    """A message, and what its author did with it later."""

    by_trainer: bool
    text: str
    mended: str = ""
    deleted: bool = False
    attachment: thread_pb2.Attachment | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """Messages of one thread; `read` if the one who did not write last has read them."""

    lines: tuple[Line, ...]
    read: bool


@dataclass(frozen=True, slots=True)
class PlannedProposal:
    """A trainer's proposal for a job, and what the employer makes of it."""

    job: int
    trainer: int
    message: str
    summary: str
    rate: proposal_pb2.Rate
    withdrawn: bool
    review: "proposal_pb2.ReviewState.ValueType"
    note: str
    talk: Talk | None
    ending: Ending | None
    milestone_minor_units: int
    work: Talk
    """What is said in the job thread, where a hire makes one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to be made; screenings come before proposals."""

    organisations: int
    jobs: list[PlannedJob]
    trainers: list[proposal_pb2.Profile]
    screenings: list[PlannedScreening]
    proposals: list[PlannedProposal]

    def hires(self, *endings: Ending) -> list[int]:
        """Give the places of the proposals that somebody clicks Hire for, to these ends or any."""
        return [
            place
            for place, each in enumerate(self.proposals)
            if each.ending and (not endings or each.ending in endings)
        ]

    def coming(self, job: int) -> list[int]:
        """Give the trainers who propose to a job or begin its screening."""
        proposing = {each.trainer for each in self.proposals if each.job == job}
        screened = {each.trainer for each in self.screenings if each.job == job}
        return sorted(proposing | screened)

    def invitations(self, job: int) -> Iterator[list[int]]:
        """Give the trainers to be invited to a job, as many at once as one call takes."""
        if self.jobs[job].posting.settings.visibility == job_pb2.JOB_VISIBILITY_INVITE_ONLY:
            trainers = self.coming(job)
            for first in range(0, len(trainers), INVITED_AT_ONCE):
                yield trainers[first : first + INVITED_AT_ONCE]
