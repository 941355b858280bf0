"""What the tests of hiring share: callers, proposals to hire, and a hand that plays the story."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from hireflow.common.v1 import money_pb2
from hireflow.hiring.v1 import hire_pb2, hire_pb2_grpc, operations_pb2_grpc
from services.common.auth import PAYER_ROLE, Kind, Principal
from services.common.tables import chassis_tables
from services.common.tokens import Signer
from tests.integration.hiring import fakes
from workflows.hiring.domain import (
    Actor,
    FundingChange,
    FundingDraft,
    FundingState,
    HireChanges,
    HireState,
    JobFacts,
    ProposalFacts,
    Stage,
    StepRecord,
    WaitingFor,
)
from workflows.hiring.use_cases.desk import Desk
from workflows.hiring.use_cases.fundings import freeze_funding
from workflows.hiring.use_cases.steps import record_step
from workflows.hiring.use_cases.unit import Hiring

OUTBOX = chassis_tables(sa.MetaData(schema="hiring")).outbox
WORKER = Actor("SERVICE", "service:worker")


def new_id(noun: str) -> str:
    return f"{noun}-{uuid4().hex[:12]}"


@dataclass(frozen=True)
class Caller:
    """A caller, and the metadata by which a call is theirs."""

    principal: Principal
    metadata: tuple[tuple[str, str], ...]

    @property
    def actor(self) -> Actor:
        return Actor(self.principal.kind.upper(), self.principal.id)


@dataclass(frozen=True)
class World:
    """HiringService as its callers reach it, what stands around it, and the database behind it."""

    stub: "hire_pb2_grpc.HiringServiceAsyncStub"  # a name for type checkers only
    patient: "hire_pb2_grpc.HiringServiceAsyncStub"  # answers when there is something to tell
    operations: "operations_pb2_grpc.OperationsServiceAsyncStub"
    desk: Desk
    neighbours: fakes.Neighbours
    stories: fakes.Stories
    provider: fakes.Provider
    signer: Signer
    webhook: str

    @property
    def hiring(self) -> Hiring:
        return self.desk.hiring

    def by(self, kind: Kind, organisation_id: str | None = None, *roles: str) -> Caller:
        principal = Principal(kind, new_id(kind), organisation_id, frozenset(roles))
        token = self.signer.sign(principal, timedelta(minutes=5), datetime.now(UTC))
        return Caller(principal, (("authorization", f"Bearer {token}"),))

    def payer(self, organisation_id: str) -> Caller:
        return self.by(Kind.EMPLOYER, organisation_id, PAYER_ROLE)

    def proposal(self, organisation_id: str) -> str:
        """A proposal to an open job with two free positions."""
        job = JobFacts(new_id("job"), open=True, free_positions=2)
        proposal = ProposalFacts(
            proposal_id=new_id("proposal"),
            job_id=job.job_id,
            organisation_id=organisation_id,
            trainer_id=new_id("trainer"),
            withdrawn=False,
            declined=False,
            hired=False,
            hire_id="",
        )
        self.neighbours.jobs[job.job_id] = job
        self.neighbours.proposals[proposal.proposal_id] = proposal
        return proposal.proposal_id

    async def start(self, caller: Caller, proposal_id: str, **changes: Any) -> hire_pb2.Hire:
        return (await self.started(caller, start_request(proposal_id, **changes))).hire

    async def started(
        self, caller: Caller, request: hire_pb2.StartHireRequest
    ) -> hire_pb2.StartHireResponse:
        return await self.stub.StartHire(request, metadata=caller.metadata)

    async def told(
        self, caller: Caller, request: hire_pb2.StartHireRequest
    ) -> hire_pb2.StartHireResponse:
        """Start, and wait until there is something to tell."""
        return await self.patient.StartHire(request, metadata=caller.metadata)

    async def get(self, caller: Caller, hire_id: str) -> hire_pb2.GetHireResponse:
        request = hire_pb2.GetHireRequest(hire_id=hire_id)
        return await self.stub.GetHire(request, metadata=caller.metadata)

    async def step(self, hire_id: str, number: int, stage: Stage, **more: Any) -> bool:
        """Play one step of the story, as an activity does at its end."""
        values: dict[str, Any] = {"what": "stepped", "actor": WORKER, "time": datetime.now(UTC)}
        record = StepRecord(hire_id=hire_id, number=number, stage=stage, **{**values, **more})
        return await record_step(self.hiring, record)

    async def fund(self, hire: hire_pb2.Hire, number: int) -> FundingDraft:
        """Freeze a funding and park the hire for the client's confirmation."""
        draft = funding_draft(hire)
        await freeze_funding(self.hiring, draft)
        await self.step(
            hire.hire_id,
            number,
            Stage.FUNDING,
            what="payment_action_needed",
            waiting_for=WaitingFor.CLIENT_CONFIRMATION,
            wait_deadline=datetime.now(UTC) + timedelta(hours=72),
            changes=HireChanges(
                payment_intent_id=f"pi_{draft.funding_id}", funding_id=draft.funding_id
            ),
        )
        return draft

    async def pay(self, draft: FundingDraft, number: int) -> None:
        """Play the step with which the charge is known."""
        charge_id, intent_id = f"ch_{draft.funding_id}", f"pi_{draft.funding_id}"
        await self.step(
            draft.hire_id,
            number,
            Stage.FUNDING,
            what="payment_paid",
            changes=HireChanges(charge_id=charge_id, payment_intent_id=intent_id),
            funding=FundingChange(draft.funding_id, FundingState.PAID, intent_id, charge_id),
        )

    async def undo(self, hire_id: str, number: int, reason: str) -> None:
        """Play the step with which a hire ends undone."""
        changes = HireChanges(state=HireState.UNDONE, end_reason=reason)
        await self.step(hire_id, number, Stage.ENDED, what="undone", changes=changes)

    async def events(self, hire_id: str) -> list[str]:
        """The events recorded of a hire, in order, without their common prefix."""
        query = (
            sa.select(OUTBOX.c.type, OUTBOX.c.version)
            .where(OUTBOX.c.aggregate_type == "hire", OUTBOX.c.aggregate_id == hire_id)
            .order_by(OUTBOX.c.version)
        )
        async with self.hiring.database.read() as connection:
            found = (await connection.execute(query)).all()
        assert [version for _, version in found] == list(range(1, len(found) + 1))
        return [type_.removeprefix("hireflow.hiring.v1.hire.") for type_, _ in found]

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait, ten seconds at most, until a condition holds."""
        async with asyncio.timeout(10):
            while not await condition():  # noqa: ASYNC110 - made true by another task
                await asyncio.sleep(0.02)


def start_request(
    proposal_id: str, *, amount: int = 45_000, request_id: str = "", **changes: Any
) -> hire_pb2.StartHireRequest:
    """A StartHire that the client confirms; `changes` are fields of the message."""
    fields: dict[str, Any] = {
        "request_id": request_id or new_id("r"),
        "proposal_id": proposal_id,
        "milestone": hire_pb2.MilestoneTerms(
            name="First batch",
            scope="Rate *cats*",
            amount=money_pb2.Money(minor_units=amount, currency_code="USD"),
        ),
        "expected_total_minor_units": amount + amount // 10 + 995,
    }
    if "payment_method_id" not in changes:
        fields["client_confirms"] = hire_pb2.ClientConfirms()
    return hire_pb2.StartHireRequest(**{**fields, **changes})


def funding_draft(hire: hire_pb2.Hire) -> FundingDraft:
    return FundingDraft(
        funding_id=new_id("funding"),
        hire_id=hire.hire_id,
        milestone_id=new_id("milestone"),
        contract_id=new_id("contract"),
        organisation_id=hire.organisation_id,
        workflow_id=hire.workflow_id,
        revision=hire.revision,
        customer_id="cus_1",
        amount=hire.quote.total_minor_units,
        currency="USD",
    )
