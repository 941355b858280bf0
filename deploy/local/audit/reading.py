"""Reads what the outside of the system tells of hires: once each, however many hires."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

import grpc
import httpx
from google.protobuf.message import Message
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

from deploy.local.audit.facts import Charge, Facts, Intent, Run
from deploy.local.audit.stream import read_stream
from deploy.local.journey import Addresses, Caller, Services, open_services
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2

HIRE_ID = SearchAttributeKey.for_keyword("HireId")
CLEAN_UP = "CleanUpWorkflow"
_AT_ONCE = 16
_CALL_SECONDS = 30.0
_PAGE = 200
_IDS_PER_QUERY = 50
_CLOCKS_APART = timedelta(minutes=1)

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class Places(Addresses, Protocol):
    """Where everything answers that the checker asks; a stack's addresses are such."""

    @property
    def stripe_base(self) -> str:
        """URL of Stripe or its sandbox."""
        ...

    @property
    def nats_url(self) -> str:
        """URL of the event stream's server."""
        ...

    @property
    def temporal_address(self) -> str:
        """Address of Temporal, host:port."""
        ...


@dataclass(frozen=True)
class Sources:
    """Whom the checker asks. Get one from `open_sources`."""

    services: Services
    operator: Caller
    stripe: httpx.AsyncClient
    nats_url: str
    temporal: Client


@asynccontextmanager
async def open_sources(
    places: Places, operator: Caller, stripe_api_key: str, namespace: str = "default"
) -> AsyncIterator[Sources]:
    """Open what the checker reads from, and close it again; all of it must be up."""
    async with AsyncExitStack() as resources:
        stripe = httpx.AsyncClient(
            base_url=places.stripe_base,
            headers={"Authorization": f"Bearer {stripe_api_key}"},
            timeout=_CALL_SECONDS,
            trust_env=False,
        )
        yield Sources(
            await resources.enter_async_context(open_services(places)),
            operator,
            await resources.enter_async_context(stripe),
            places.nats_url,
            await Client.connect(places.temporal_address, namespace=namespace),
        )


async def read_facts(sources: Sources, hire_ids: Sequence[str]) -> Facts:
    """Read all that is told of the hires.

    What a hire points to is read after the hire, and the stream last, so that what the answers
    speak of had time to arrive there.

    Raises:
        grpc.aio.AioRpcError, httpx.HTTPError, RPCError, nats.errors.Error: a source does not
            answer.

    """
    reader = _Reader(sources)
    read_at = datetime.now(UTC)
    found = await reader.each(hire_ids, reader.hire)
    hires = {hire_id: hire for hire_id, hire in found.items() if hire is not None}
    ended = [h.hire_id for h in hires.values() if h.state != hire_pb2.HIRE_STATE_RUNNING]
    proposals = await reader.each([h.proposal_id for h in hires.values()], reader.proposal)
    contracts = await reader.contracts(hires.values())
    jobs = await reader.each([h.job_id for h in hires.values()], reader.job)
    contract_ids = [c.contract_id for several in contracts.values() for c in several]
    since = _before(jobs.values(), read_at)
    return Facts(
        read_at=read_at,
        asked=tuple(hire_ids),
        hires=hires,
        steps=await reader.each(ended, reader.steps),
        runs=await reader.runs(hires),
        proposals=proposals,
        jobs=jobs,
        contracts=contracts,
        ledgers=await reader.each(contract_ids, reader.ledger),
        invoices=await reader.each(contract_ids, reader.invoices),
        threads=await reader.threads(hires.values()),
        charges=await reader.charges(since),
        intents=await reader.intents(since),
        events=await read_stream(sources.nats_url, since),
    )


class _Reader:
    """Asks, a bounded number of questions at once."""

    def __init__(self, sources: Sources) -> None:
        self._services = sources.services
        self._operator = sources.operator
        self._stripe = sources.stripe
        self._temporal = sources.temporal
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def each(
        self, keys: Iterable[Key], ask: Callable[[Key], Awaitable[Answer]]
    ) -> dict[Key, Answer]:
        """Ask once about each different key."""

        async def one(key: Key) -> Answer:
            async with self._places:
                return await ask(key)

        wanted = list(dict.fromkeys(keys))
        return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))

    async def _call(self, method: Callable[..., Awaitable[Answer]], request: Message) -> Answer:
        return await self._operator.call(method, request, _CALL_SECONDS)

    async def _pages(
        self, method: Callable[..., Awaitable[Any]], request: Message, field: str
    ) -> list[Any]:
        request.MergeFrom(type(request)(page_size=_PAGE))
        rows: list[Any] = []
        while True:
            page = await self._call(method, request)
            rows.extend(getattr(page, field))
            if not page.next_page_token:
                return rows
            request.MergeFrom(type(request)(page_token=page.next_page_token))

    async def hire(self, hire_id: str) -> hire_pb2.Hire | None:
        try:
            request = hire_pb2.GetHireRequest(hire_id=hire_id)
            return (await self._call(self._services.hiring.GetHire, request)).hire
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise

    async def steps(self, hire_id: str) -> list[int]:
        """Read the story of a hire that ended: the stream ends by itself."""
        told = self._services.hiring.WatchHire(
            hire_pb2.WatchHireRequest(hire_id=hire_id),
            timeout=_CALL_SECONDS,
            metadata=self._operator.metadata,
        )
        return [each.step.number async for each in told]

    async def proposal(self, proposal_id: str) -> proposal_pb2.Proposal:
        request = proposal_pb2.GetProposalRequest(proposal_id=proposal_id)
        return (await self._call(self._services.proposals.GetProposal, request)).proposal

    async def job(self, job_id: str) -> job_pb2.Job:
        request = job_pb2.GetJobRequest(job_id=job_id)
        return (await self._call(self._services.jobs.GetJob, request)).job

    async def contracts(
        self, hires: Iterable[hire_pb2.Hire]
    ) -> Mapping[str, Sequence[contract_pb2.Contract]]:
        """Read the contracts of the hires' jobs, by proposal."""

        async def of_job(key: tuple[str, str]) -> list[contract_pb2.Contract]:
            request = contract_pb2.ListContractsRequest(organisation_id=key[0], job_id=key[1])
            return await self._pages(self._services.contracts.ListContracts, request, "contracts")

        listed = await self.each(_jobs(hires), of_job)
        return _grouped((c.proposal_id, c) for several in listed.values() for c in several)

    async def ledger(self, contract_id: str) -> list[contract_pb2.LedgerEntry]:
        request = contract_pb2.ListLedgerEntriesRequest(contract_id=contract_id)
        return await self._pages(self._services.contracts.ListLedgerEntries, request, "entries")

    async def invoices(self, contract_id: str) -> list[contract_pb2.Invoice]:
        request = contract_pb2.ListInvoicesRequest(contract_id=contract_id)
        return await self._pages(self._services.contracts.ListInvoices, request, "invoices")

    async def threads(
        self, hires: Iterable[hire_pb2.Hire]
    ) -> Mapping[str, Sequence[thread_pb2.Thread]]:
        """Read the job threads of the hires' jobs, by contract."""

        async def of_job(key: tuple[str, str]) -> list[thread_pb2.Thread]:
            request = thread_pb2.ListThreadsRequest(
                organisation_id=key[0], job_id=key[1], kind=thread_pb2.THREAD_KIND_JOB
            )
            return await self._pages(self._services.messaging.ListThreads, request, "threads")

        listed = await self.each(_jobs(hires), of_job)
        return _grouped((t.contract_id, t) for several in listed.values() for t in several)

    async def charges(self, since: datetime) -> Mapping[str, Sequence[Charge]]:
        """List the charges that succeeded at Stripe, by the workflow in their metadata."""
        found = [
            (_workflow(c), Charge(c["id"], _group(c), c["amount_captured"], c["amount_refunded"]))
            async for c in self._listed("/v1/charges", since)
            if c["status"] == "succeeded"
        ]
        return _grouped(found)

    async def intents(self, since: datetime) -> Mapping[str, Sequence[Intent]]:
        """List Stripe's payment intents, by the workflow in their metadata."""
        found = [
            (_workflow(i), Intent(i["id"], _group(i), i["status"]))
            async for i in self._listed("/v1/payment_intents", since)
        ]
        return _grouped(found)

    async def runs(self, hire_ids: Iterable[str]) -> dict[str, Run]:
        """List the runs of the hires at Temporal; a hire has one, or none that is still kept.

        Where its run was terminated, one of the runs that clean up after it must have completed.
        """
        wanted = list(hire_ids)
        runs: dict[str, Run] = {}
        cleaned: set[str] = set()
        for start in range(0, len(wanted), _IDS_PER_QUERY):
            ids = ", ".join(f"'{hire_id}'" for hire_id in wanted[start : start + _IDS_PER_QUERY])
            async for listed in self._temporal.list_workflows(f"{HIRE_ID.name} IN ({ids})"):
                hire_id = listed.typed_search_attributes.get(HIRE_ID)
                if hire_id is None:
                    continue
                if listed.workflow_type != CLEAN_UP:
                    runs[hire_id] = await self._run(listed)
                elif listed.status is WorkflowExecutionStatus.COMPLETED:
                    cleaned.add(hire_id)
        ended = {hire_id for hire_id in cleaned if runs.get(hire_id) == Run("TERMINATED")}
        return runs | dict.fromkeys(ended, Run("CLEANED_UP"))

    async def _run(self, listed: WorkflowExecution) -> Run:
        status = listed.status.name if listed.status else "UNKNOWN"
        if listed.status is not WorkflowExecutionStatus.FAILED:
            return Run(status)
        handle = self._temporal.get_workflow_handle(listed.id, run_id=listed.run_id)
        try:
            await handle.result()
        except WorkflowFailureError as error:
            cause = error.cause
            return Run(status, (cause.type or "") if isinstance(cause, ApplicationError) else "")
        raise AssertionError(f"{listed.id} is listed as failed and has a result")

    async def _listed(self, path: str, since: datetime) -> AsyncIterator[dict[str, Any]]:
        query = {"limit": "100", "created[gte]": str(int(since.timestamp()))}
        while True:
            answer = (await self._stripe.get(path, params=query)).raise_for_status().json()
            for each in answer["data"]:
                yield each
            if not answer["has_more"]:
                return
            query["starting_after"] = answer["data"][-1]["id"]


def _before(jobs: Iterable[job_pb2.Job], otherwise: datetime) -> datetime:
    """Give a moment before all that events and Stripe tell of the jobs and what followed."""
    created = (job.create_time.ToDatetime(UTC) for job in jobs)
    return min(created, default=otherwise) - _CLOCKS_APART


def _jobs(hires: Iterable[hire_pb2.Hire]) -> list[tuple[str, str]]:
    return [(hire.organisation_id, hire.job_id) for hire in hires]


def _workflow(found: Mapping[str, Any]) -> str:
    return str(found["metadata"].get("workflow_id", ""))


def _group(found: Mapping[str, Any]) -> str:
    return found["transfer_group"] or ""


def _grouped(pairs: Iterable[tuple[str, Answer]]) -> Mapping[str, Sequence[Answer]]:
    groups: dict[str, list[Answer]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups
