"""The running contracts service as its callers see it, and what it left behind."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import uuid4

import grpc.aio
import sqlalchemy as sa
from google.protobuf.message import Message
from google.type import date_pb2

from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2 as pb
from hireflow.contracts.v1 import contract_pb2_grpc
from services.common.auth import Kind, Principal
from services.common.bus import Bus
from services.common.database import Database
from services.common.remote_errors import error_of
from tests.refusals import refusal

# The stubs' asynchronous face exists for the type checker alone.
Stub: TypeAlias = "contract_pb2_grpc.ContractsServiceAsyncStub"


def unique(what: str) -> str:
    return f"{what}-{uuid4().hex[:12]}"


class Bearer(grpc.aio.UnaryUnaryClientInterceptor):
    """Puts one caller's token on every call."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def intercept_unary_unary(
        self,
        continuation: Callable[..., Any],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        bearer = ("authorization", f"Bearer {self._token}")
        details = grpc.aio.ClientCallDetails(
            method=client_call_details.method,
            timeout=10,
            metadata=grpc.aio.Metadata(bearer),
            credentials=None,
            wait_for_ready=True,
        )
        return await continuation(details, request)


@dataclass
class World:
    address: str
    database: Database
    bus: Bus
    sign: Callable[[Principal], str]
    channels: list[grpc.aio.Channel] = field(default_factory=list)

    def caller(self, kind: Kind, identity: str, organisation_id: str | None = None) -> Stub:
        token = self.sign(Principal(kind, identity, organisation_id))
        channel = grpc.aio.insecure_channel(self.address, interceptors=[Bearer(token)])
        self.channels.append(channel)
        return contract_pb2_grpc.ContractsServiceStub(channel)

    async def close(self) -> None:
        for channel in self.channels:
            await channel.close()

    async def events(self, contract_id: str) -> list[str]:
        """The types of a contract's events, in their order, without what they share."""
        query = sa.text(
            "SELECT type, version FROM contracts.outbox WHERE aggregate_id = :id ORDER BY version"
        )
        async with self.database.read() as connection:
            found = (await connection.execute(query, {"id": contract_id})).all()
        assert [version for _, version in found] == list(range(1, len(found) + 1))
        return [type_.removeprefix("hireflow.contracts.v1.") for type_, _ in found]

    async def told(self, contract_id: str, events: int) -> list[tuple[str, str]]:
        """The first events that the stream tells of a contract: type and version, in its order."""
        jetstream = await self.bus.jetstream()
        subscription = await jetstream.subscribe("hireflow.contracts.v1.>", ordered_consumer=True)
        found: list[tuple[str, str]] = []
        while len(found) < events:
            headers = (await subscription.next_msg(timeout=10)).headers or {}
            if headers["ce-subject"] == contract_id:
                told = headers["ce-type"].removeprefix("hireflow.contracts.v1.")
                found.append((told, headers["ce-aggregateversion"]))
        await subscription.unsubscribe()
        return found

    async def count(self, table: str, **where: str) -> int:
        rows = sa.table(table, *(sa.column(name) for name in where), schema="contracts")
        query = sa.select(sa.func.count()).select_from(rows).filter_by(**where)
        async with self.database.read() as connection:
            return int((await connection.execute(query)).scalar_one())


@dataclass(frozen=True)
class Agreement:
    """One hire's contract and the requests about it; everything in it is its own."""

    contract_id: str
    milestone_id: str
    organisation_id: str
    trainer_id: str
    job_id: str
    hire_id: str

    @classmethod
    def new(cls, **known: str) -> "Agreement":
        names = ("contract", "milestone", "organisation", "trainer", "job", "hire")
        return cls(**{f"{name}_id": known.get(f"{name}_id") or unique(name) for name in names})

    def create(self, **changes: Any) -> pb.CreateContractRequest:
        request = pb.CreateContractRequest(
            request_id=unique("request"),
            contract_id=self.contract_id,
            milestone_id=self.milestone_id,
            organisation_id=self.organisation_id,
            trainer_id=self.trainer_id,
            job_id=self.job_id,
            proposal_id=f"proposal-of-{self.hire_id}",
            hire_id=self.hire_id,
            milestone=terms(45000),
            quote=quote(45000),
        )
        request.MergeFrom(pb.CreateContractRequest(**changes))
        return request

    def amend(self, amount: int) -> pb.AmendContractRequest:
        return pb.AmendContractRequest(
            request_id=unique("request"),
            contract_id=self.contract_id,
            milestone_id=self.milestone_id,
            milestone=terms(amount),
            quote=quote(amount),
        )

    def cancel(self, reason: str = "HIRE_CANCELLED") -> pb.CancelContractRequest:
        return pb.CancelContractRequest(
            request_id=unique("request"), contract_id=self.contract_id, reason=reason
        )

    def activate(self, charge: pb.Charge | None = None) -> pb.ActivateContractRequest:
        return pb.ActivateContractRequest(
            request_id=unique("request"),
            contract_id=self.contract_id,
            milestone_id=self.milestone_id,
            charge=charge or self.charge(),
        )

    def refunded(
        self, charge: pb.Charge | None = None, refund_id: str = ""
    ) -> pb.RecordRefundedChargeRequest:
        return pb.RecordRefundedChargeRequest(
            request_id=unique("request"),
            contract_id=self.contract_id,
            milestone_id=self.milestone_id,
            charge=charge or self.charge(),
            refund_id=refund_id or f"re_{self.hire_id}",
        )

    def refund(self, refund_id: str = "") -> pb.RefundContractRequest:
        return pb.RefundContractRequest(
            request_id=unique("request"),
            contract_id=self.contract_id,
            milestone_id=self.milestone_id,
            charge=self.charge(),
            refund_id=refund_id or f"re_{self.hire_id}",
            reason="HIRE_REFUNDED",
        )

    def charge(self, amount: int = 50495, currency: str = "USD", attempt: int = 1) -> pb.Charge:
        return pb.Charge(
            charge_id=f"ch_{self.hire_id}_{attempt}",
            payment_intent_id=f"pi_{self.hire_id}",
            funding_id=f"{self.hire_id}-{attempt}",
            amount=money_pb2.Money(minor_units=amount, currency_code=currency),
        )


def terms(amount: int) -> pb.MilestoneTerms:
    return pb.MilestoneTerms(
        name="First hundred",
        scope="Rate *them*.",
        amount=money_pb2.Money(minor_units=amount, currency_code="USD"),
        due_date=date_pb2.Date(year=2028, month=2, day=29),
    )


def quote(amount: int) -> pb.Quote:
    return pb.Quote(
        amount_minor_units=amount,
        marketplace_fee_minor_units=amount // 10,
        contract_fee_minor_units=995,
        total_minor_units=amount + amount // 10 + 995,
        currency_code="USD",
    )


async def reason(call: Awaitable[Message]) -> tuple[str, str]:
    """The status and the reason of a call that is expected to be refused."""
    error = await refusal(call)
    return error.code.name, error.reason


async def outcome(call: Awaitable[Message]) -> tuple[str, str]:
    """The status and the reason of a call that may succeed."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        told = error_of(error)
        return told.code.name, told.reason
    return "OK", ""
