"""The calls of the model on the running HiringService, and what happens around it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc.aio
from google.protobuf.message import Message

from hireflow.hiring.v1 import hire_pb2 as pb
from services.common.auth import Kind
from services.common.errors import Refused
from services.common.remote_errors import error_of
from tests.integration.hiring.calls import NOWHERE, PEOPLE, PROPOSALS, Call
from tests.integration.hiring.model_hires import total
from tests.integration.hiring.world import World, new_id, start_request
from workflows.hiring.domain import HireChanges, HireState, Stage, WaitingFor


@dataclass(frozen=True)
class Asked:
    """A call as it is sent, and how its answer reads in the words of the model."""

    method: Callable[..., Awaitable[Any]]
    request: Any
    show: Callable[[Any], object]
    caller: str


class Real:
    """The same calls on the service, with people, proposals and payment methods of their own."""

    def __init__(self, world: World) -> None:
        self.world, self.stub = world, world.stub
        self.organisations = {name: new_id("org") for name in "AB"}
        self.callers = {
            "ann": world.payer(self.organisations["A"]),
            "amy": world.by(Kind.EMPLOYER, self.organisations["A"]),
            "agent": world.by(Kind.AGENT, self.organisations["A"]),
            "bob": world.payer(self.organisations["B"]),
            "tom": world.by(Kind.TRAINER),
            "operator": world.by(Kind.OPERATOR),
        }
        self.proposals = [world.proposal(self.organisations[name]) for name in PROPOSALS]
        self.hires: list[str] = []
        self.starts: dict[int, Asked] = {}
        self.methods: dict[str, list[str]] = {"A": [], "B": []}

    def ask(self, call: Call, newest: str) -> Asked:
        """Write the call's request, under a new request_id; `newest` is the proposal's hire."""
        write: Callable[[Call, str], Asked] = getattr(self, f"_{call.what}")
        return write(call, newest)

    async def send(self, asked: Asked) -> object:
        """Send it; give what it answers, or the reason why it is refused."""
        metadata = self.callers[asked.caller].metadata
        try:
            answer = await asked.method(asked.request, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return error_of(error).reason
        return asked.show(answer)

    async def happen(self, call: Call, newest: str, step: int, offered: int) -> object:
        """Let happen what is nobody's call."""
        match call.what:
            case "step":
                return await self._take_step(call, newest, step, offered)
            case "tell" if call.proposal != NOWHERE:
                self._tell(self.proposals[call.proposal], call.facts)
            case "save":
                organisation = "A" if call.who < 12 else "B"
                key = f"customer:{self.organisations[organisation]}"
                if customer := self.world.provider.customers.get(key):
                    saved = self.world.provider.save_method(customer)
                    self.methods[organisation].append(saved)
        return None

    def _tell(self, proposal_id: str, facts: str) -> None:
        neighbours = self.world.neighbours
        names = ("withdrawn", "declined", "hired")
        neighbours.change(proposal_id, **{name: name == facts for name in names})
        job_id = neighbours.proposals[proposal_id].job_id
        positions = 0 if facts == "full" else 2
        job = replace(neighbours.jobs[job_id], open=facts != "closed", free_positions=positions)
        neighbours.jobs[job_id] = job

    async def _take_step(self, call: Call, hire_id: str, step: int, offered: int) -> object:
        if not hire_id:
            return False
        changes: dict[str, Any] = {}
        match call.step:
            case "accept" if offered:
                changes["accepted_revision"] = offered
            case "refuse" if offered:
                changes["refused_revision"] = offered
            case "park":
                changes["payment_intent_id"] = f"pi_{hire_id}"
            case "pay":
                changes["charge_id"] = f"ch_{hire_id}"
            case "undo" | "undo_refunded":
                changes |= {"state": HireState.UNDONE, "end_reason": call.end}
            case "hired":
                changes["state"] = HireState.HIRED
            case "blocked":
                changes["blocked_reason"] = "NOT_FOUND"
        parks = call.step == "park"
        try:
            return await self.world.step(
                hire_id,
                step if call.step == "late" else step + 1,
                Stage.UNDOING if call.step == "undoing" else Stage.FUNDING,
                waiting_for=WaitingFor.CLIENT_CONFIRMATION if parks else None,
                wait_deadline=datetime.now(UTC) + timedelta(hours=72) if parks else None,
                changes=HireChanges(**changes),
                refunded=call.step == "undo_refunded",
            )
        except Refused as refused:
            return refused.reason

    def _start(self, call: Call, _: str) -> Asked:
        request = start_request(
            self._proposal(call),
            amount=call.amount,
            confirm_declined=call.confirm_declined,
            expected_total_minor_units=total(call.amount) if call.honest else 1,
        )
        self._pay_by(request, call)
        return Asked(self.stub.StartHire, request, self.told, call.caller)

    def _retry(self, call: Call, newest: str) -> Asked:
        request = pb.RetryPaymentRequest(request_id=new_id("r"), hire_id=newest or "unknown")
        self._pay_by(request, call)
        return Asked(self.stub.RetryPayment, request, self.told, call.caller)

    def _cancel(self, call: Call, newest: str) -> Asked:
        request = pb.CancelHireRequest(
            request_id=new_id("r"), hire_id=newest or "unknown", reason=call.reason
        )
        show = self.seen
        return Asked(self.stub.CancelHire, request, lambda told: show(told.hire), call.caller)

    def _quote(self, call: Call, _: str) -> Asked:
        wanted = start_request(self._proposal(call), amount=call.amount)
        request = pb.QuoteHireRequest(proposal_id=wanted.proposal_id, milestone=wanted.milestone)

        def show(told: pb.QuoteHireResponse) -> object:
            assert all(each.met is not bool(each.reason) for each in told.preconditions)
            unmet = {each.reason for each in told.preconditions if not each.met}
            return told.quote.total_minor_units, unmet

        return Asked(self.stub.QuoteHire, request, show, call.caller)

    def _set_default(self, call: Call, _: str) -> Asked:
        request = pb.SetDefaultPaymentMethodRequest(
            request_id=new_id("r"), payment_method_id=self._method(call)
        )

        def show(told: pb.SetDefaultPaymentMethodResponse) -> object:
            assert told.payment_method.is_default
            return self._mine(call).index(told.payment_method.payment_method_id)

        return Asked(self.stub.SetDefaultPaymentMethod, request, show, call.caller)

    def _remove(self, call: Call, _: str) -> Asked:
        request = pb.RemovePaymentMethodRequest(
            request_id=new_id("r"), payment_method_id=self._method(call)
        )
        return Asked(self.stub.RemovePaymentMethod, request, lambda _: None, call.caller)

    def _pay_by(self, request: Message, call: Call) -> None:
        request.ClearField("payment")
        if call.pays_by == "client":
            request.client_confirms.SetInParent()  # type: ignore[attr-defined] # both have it
        if call.pays_by == "method":
            request.payment_method_id = self._method(call)  # type: ignore[attr-defined] # both have it

    def _proposal(self, call: Call) -> str:
        return "unknown" if call.proposal == NOWHERE else self.proposals[call.proposal]

    def _mine(self, call: Call) -> list[str]:
        return self.methods[PEOPLE.get(call.caller, "A")]

    def _method(self, call: Call) -> str:
        mine = self._mine(call)
        return mine[call.method] if call.method < len(mine) else "pm_unknown"

    def told(self, answer: Any) -> object:
        """The hire of an answer, and whether it brings a client secret."""
        return self.seen(answer.hire), answer.client_secret != ""

    def seen(self, hire: pb.Hire) -> object:
        """A hire in the words of the model; one that is met first takes the next place."""
        if hire.hire_id not in self.hires:
            self.hires.append(hire.hire_id)
        return (
            self.proposals.index(hire.proposal_id),
            hire.etag,
            hire.quote.total_minor_units,
            hire.charge_id != "",
            pb.HireState.Name(hire.state).removeprefix("HIRE_STATE_"),
            pb.HireStage.Name(hire.stage).removeprefix("HIRE_STAGE_"),
            pb.HireWaitingFor.Name(hire.waiting_for).removeprefix("HIRE_WAITING_FOR_"),
            hire.end_reason,
        )
