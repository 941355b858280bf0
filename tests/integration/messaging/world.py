"""What the tests of messaging share: callers, known proposals, threads, a look at the events."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import uuid4

import grpc.aio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.messaging.v1 import channel_pb2_grpc, thread_pb2, thread_pb2_grpc
from services.common.auth import Kind, Principal
from services.common.database import Database
from services.common.tables import chassis_tables
from services.common.tokens import Signer
from services.messaging.domain import Proposal
from services.messaging.use_cases.known_proposals import learn_proposal

Metadata: TypeAlias = tuple[tuple[str, str], ...]
OUTBOX = chassis_tables(sa.MetaData(schema="messaging")).outbox


def new_id(noun: str) -> str:
    return f"{noun}-{uuid4().hex[:12]}"


async def rows_read(tx: AsyncConnection) -> int:
    """How many rows this transaction has read from the tables of messaging so far."""
    return await _counted(tx, "seq_tup_read + coalesce(idx_tup_fetch, 0)")


async def rows_written(tx: AsyncConnection) -> int:
    """How many rows this transaction has written in the tables of messaging so far."""
    return await _counted(tx, "n_tup_ins + n_tup_upd + n_tup_del")


async def _counted(tx: AsyncConnection, what: str) -> int:
    where = "FROM pg_stat_xact_user_tables WHERE schemaname = 'messaging'"
    return int(await tx.scalar(sa.text(f"SELECT sum({what})::bigint {where}")) or 0)


@dataclass(frozen=True)
class Parties:
    """An employer and a trainer, and the proposal between them."""

    proposal: Proposal
    employer: Metadata
    trainer: Metadata

    def job_thread(self, **changes: str) -> thread_pb2.OpenJobThreadRequest:
        """What the hire workflow asks for; `changes` are fields of the request."""
        fields = {
            "request_id": new_id("r"),
            "thread_id": new_id("t"),
            "organisation_id": self.proposal.organisation_id,
            "job_id": self.proposal.job_id,
            "proposal_id": self.proposal.proposal_id,
            "contract_id": new_id("c"),
            "trainer_id": self.proposal.trainer_id,
        }
        return thread_pb2.OpenJobThreadRequest(**{**fields, **changes})


@dataclass(frozen=True)
class World:
    """MessagingService as its callers reach it, and the database behind it."""

    stub: "thread_pb2_grpc.MessagingServiceAsyncStub"  # a name for type checkers only
    channels: "channel_pb2_grpc.ChannelsServiceAsyncStub"
    database: Database
    signer: Signer

    def by(self, kind: Kind, organisation_id: str | None = None, caller: str = "") -> Metadata:
        """A caller of this kind, as the metadata of a call."""
        principal = Principal(kind, caller or new_id(kind), organisation_id)
        token = self.signer.sign(principal, timedelta(minutes=5), datetime.now(UTC))
        return (("authorization", f"Bearer {token}"),)

    async def parties(self, organisation_id: str = "", trainer_id: str = "") -> Parties:
        """An employer and a trainer whose proposal messaging has heard of."""
        organisation_id, trainer_id = organisation_id or new_id("org"), trainer_id or new_id("tr")
        proposal = Proposal(new_id("p"), new_id("job"), organisation_id, trainer_id)
        async with self.database.begin() as tx:
            await learn_proposal(tx, proposal)
        employer = self.by(Kind.EMPLOYER, organisation_id)
        return Parties(proposal, employer, self.by(Kind.TRAINER, caller=trainer_id))

    async def open_proposal(self, parties: Parties, request_id: str = "") -> thread_pb2.Thread:
        request = thread_pb2.OpenProposalThreadRequest(
            request_id=request_id or new_id("r"), proposal_id=parties.proposal.proposal_id
        )
        return (await self.stub.OpenProposalThread(request, metadata=parties.employer)).thread

    async def open_job(self, request: thread_pb2.OpenJobThreadRequest) -> thread_pb2.Thread:
        return (await self.stub.OpenJobThread(request, metadata=self.by(Kind.SERVICE))).thread

    async def get(self, caller: Metadata, thread_id: str) -> thread_pb2.Thread:
        request = thread_pb2.GetThreadRequest(thread_id=thread_id)
        return (await self.stub.GetThread(request, metadata=caller)).thread

    async def send(
        self, caller: Metadata, thread_id: str, text: str, request_id: str = ""
    ) -> thread_pb2.Message:
        request = thread_pb2.SendMessageRequest(
            request_id=request_id or new_id("r"), thread_id=thread_id, text=text
        )
        return (await self.stub.SendMessage(request, metadata=caller)).message

    async def threads(
        self, caller: Metadata, size: int = 0, token: str = "", **filters: object
    ) -> thread_pb2.ListThreadsResponse:
        request = thread_pb2.ListThreadsRequest(page_size=size, page_token=token)
        for name, value in filters.items():
            setattr(request, name, value)
        return await self.stub.ListThreads(request, metadata=caller)

    async def messages(
        self, caller: Metadata, thread_id: str, size: int = 0, token: str = "", **how: int
    ) -> thread_pb2.ListMessagesResponse:
        request = thread_pb2.ListMessagesRequest(
            page_size=size, page_token=token, thread_id=thread_id
        )
        for name, value in how.items():
            setattr(request, name, value)
        return await self.stub.ListMessages(request, metadata=caller)

    async def read(self, caller: Metadata, thread_id: str, sequence: int) -> int:
        request = thread_pb2.MarkReadRequest(thread_id=thread_id, sequence=sequence)
        return (await self.stub.MarkRead(request, metadata=caller)).unread_count

    async def events(self, thread_id: str) -> list[str]:
        """The events recorded of a thread, in order, without their common prefix."""
        query = (
            sa.select(OUTBOX.c.type)
            .where(OUTBOX.c.aggregate_type == "thread", OUTBOX.c.aggregate_id == thread_id)
            .order_by(OUTBOX.c.version)
        )
        async with self.database.read() as connection:
            types = (await connection.execute(query)).scalars().all()
        return [each.removeprefix("hireflow.messaging.v1.") for each in types]

    async def until_opened(self, parties: Parties) -> thread_pb2.Thread:
        """Open a proposal's thread as soon as its events arrived, within ten seconds."""
        async with asyncio.timeout(10):
            while True:
                try:
                    return await self.open_proposal(parties)
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.NOT_FOUND:
                        raise
                await asyncio.sleep(0.02)
