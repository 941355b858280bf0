"""A simple model of screenings, which come before a proposal where a job has a plan."""

from dataclasses import dataclass, field

from services.common.contact_details import REMOVED
from tests.integration.proposals.calls import BAD_TEXTS, JOBS, PLANNED, Call, invites


@dataclass
class Screening:
    """A trainer's screening of the model."""

    version: int
    answers: dict[str, object] = field(default_factory=dict)
    final: bool = False
    score: int | None = None
    events: list[str] = field(default_factory=lambda: ["started"])

    @property
    def complete(self) -> bool:
        return self.final and self.score is not None

    def completed(self) -> None:
        """Note the event once both halves are there."""
        if self.complete:
            self.events.append("completed")


class Screenings:
    """Those of all trainers, by trainer and job; the planned job's plan has a version."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, int], Screening] = {}
        self.version = 1

    def admits(self, trainer: str, job: int) -> bool:
        """Whether the trainer may submit a proposal for the job."""
        found = self.of.get((trainer, job))
        return job != PLANNED or (found is not None and found.complete)

    def screen(self, call: Call, state: str) -> object:
        if call.job >= len(JOBS) or not invites(call.job, call.caller):
            return "NOT_FOUND"
        found = self.of.get((call.caller, call.job))
        if found is None or self._changed(found):
            if state != "PUBLISHED":
                return "JOB_NOT_OPEN"
            if found is None and call.caller == "ned":
                return "PROFILE_MISSING"
            if call.job != PLANNED:
                return "NO_SCREENING_PLAN"
            if found is None:
                found = self.of[call.caller, call.job] = Screening(self.version)
            else:
                found.version, found.score = self.version, None
                kept = {"years", "line"} if asks_for_line(self.version) else {"years"}
                found.answers = {key: found.answers[key] for key in kept & found.answers.keys()}
                found.events.append("started")
        return self.seen(found)

    def answer(self, call: Call) -> object:
        found = self.of.get(("tom", call.job))
        if found is None or call.caller != "tom":
            return "NOT_FOUND"
        if found.final:
            return "ANSWERS_FINAL"
        if self._changed(found):
            return "SCREENING_PLAN_CHANGED"
        answers = found.answers | ({"years": call.rate} if call.rate else {})
        if says_line(call):
            if call.text in BAD_TEXTS or not asks_for_line(found.version):
                return "INVALID_FIELDS"
            answers["line"] = call.text.replace("tom@example.com", REMOVED)
        if call.confirm_declined and "years" not in answers:
            return "INVALID_FIELDS"
        found.answers, found.final = answers, call.confirm_declined
        found.completed()
        return self.seen(found)

    def record(self, call: Call) -> object:
        found = self.of.get((interviewed(call), call.job))
        if found is None:
            return "NOT_FOUND"
        if call.contract == "c2":
            return "SCREENING_PLAN_CHANGED"
        if found.score is None:
            found.score = score(call)
            found.completed()
        return found.complete if found.score == score(call) else "INTERVIEW_RECORDED"

    def seen(self, screening: Screening) -> object:
        """What the trainer sees."""
        answers = tuple(sorted(screening.answers.items()))
        parts = screening.final, screening.score is not None, screening.complete
        return screening.version, answers, *parts, self._changed(screening)

    def _changed(self, screening: Screening) -> bool:
        return not screening.final and screening.version != self.version


def asks_for_line(version: int) -> bool:
    """Whether this version of the plan has a second question."""
    return version % 2 == 1


def says_line(call: Call) -> bool:
    """Whether the call's text is among its answers."""
    return call.hire == "h1"


def interviewed(call: Call) -> str:
    """Whose interview is recorded."""
    return "tim" if call.proposal else "tom"


def score(call: Call) -> int:
    """What the interview found."""
    return call.rate // 100
