"""The model's calls to ScreeningService, and how the answers read in its words."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from hireflow.proposals.v1 import screening_pb2 as pb
from services.proposals.domain import Question, ScreeningPlan
from tests.integration.proposals.calls import Call
from tests.integration.proposals.screening_model import asks_for_line, interviewed, says_line, score
from tests.integration.proposals.world import World

YEARS = Question("years", "Years", "", required=True, type="NUMBER")
LINE = Question("line", "In one line", "", required=False, type="SHORT_TEXT")


@dataclass(frozen=True)
class Asked:
    """A call as it is sent, and how its answer reads in the words of the model."""

    method: Callable[..., Awaitable[Any]]
    request: Message
    show: Callable[[Any], object]


def plan_of(version: int) -> ScreeningPlan:
    """The planned job's questions."""
    return ScreeningPlan(version, (YEARS, LINE) if asks_for_line(version) else (YEARS,))


class RealScreenings:
    """The screenings as they were last answered with, by trainer and job."""

    def __init__(self, world: World) -> None:
        self.stub = world.workspace.services.screening
        self.known: dict[tuple[str, int], pb.OwnScreening] = {}

    def screen(self, call: Call, job_id: str) -> Asked:
        request = pb.StartScreeningRequest(job_id=job_id)
        return Asked(self.stub.StartScreening, request, self._showing(call.caller, call.job))

    def answer(self, call: Call) -> Asked:
        request = pb.AnswerScreeningRequest(
            screening_id=self._screening_id("tom", call.job), final=call.confirm_declined
        )
        if call.rate:
            request.answers.add(key="years", number=call.rate)
        if says_line(call):
            request.answers.add(key="line", text=call.text)
        return Asked(self.stub.AnswerScreening, request, self._showing("tom", call.job))

    def record(self, call: Call) -> Asked:
        known = self.known.get((interviewed(call), call.job))
        present = known.plan_version if known else 1
        request = pb.RecordInterviewRequest(
            screening_id=self._screening_id(interviewed(call), call.job),
            interview=pb.Interview(score=score(call)),
            plan_version={"": 0, "c1": present}.get(call.contract, present + 1),
        )
        return Asked(self.stub.RecordInterview, request, lambda told: told.complete)

    def _screening_id(self, trainer: str, job: int) -> str:
        known = self.known.get((trainer, job))
        return known.screening_id if known else f"unknown-{job}"

    def _showing(self, trainer: str, job: int) -> Callable[[Any], object]:
        def show(told: pb.StartScreeningResponse | pb.AnswerScreeningResponse) -> object:
            own = self.known[trainer, job] = told.screening
            answers = ((each.key, each.number or each.text) for each in own.answers)
            parts = own.answers_final, own.interviewed, own.complete, own.plan_changed
            return own.plan_version, tuple(sorted(answers)), *parts

        return show
