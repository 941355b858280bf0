"""One hire through the gRPC APIs, call by call, as a web gateway would drive it.

The demo shows it and the end-to-end tests walk it, so both see what a gateway sees: the public
APIs, and for the card what Stripe.js would send to Stripe.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import grpc
import httpx
from google.protobuf.message import Message

from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2_grpc
from hireflow.events.v1 import events_pb2_grpc
from hireflow.hiring.v1 import hire_pb2, hire_pb2_grpc, operations_pb2_grpc
from hireflow.jobs.v1 import folder_pb2_grpc, instructions_pb2_grpc, job_pb2, job_pb2_grpc
from hireflow.messaging.v1 import channel_pb2_grpc, thread_pb2, thread_pb2_grpc
from hireflow.proposals.v1 import (
    folder_screening_pb2_grpc,
    matching_pb2_grpc,
    proposal_pb2,
    proposal_pb2_grpc,
    proposal_view_pb2_grpc,
    screening_pb2_grpc,
)

CALL_SECONDS = 20.0
CATCH_UP_SECONDS = 15.0
Answer = TypeVar("Answer")


class Addresses(Protocol):
    """Where the services answer."""

    @property
    def jobs(self) -> str:
        """Address of the jobs service, host:port."""
        ...

    @property
    def proposals(self) -> str:
        """Address of the proposals service, host:port."""
        ...

    @property
    def contracts(self) -> str:
        """Address of the contracts service, host:port."""
        ...

    @property
    def messaging(self) -> str:
        """Address of the messaging service, host:port."""
        ...

    @property
    def hiring(self) -> str:
        """Address of the hiring service, host:port."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """A stub per service."""

    jobs: "job_pb2_grpc.JobsServiceAsyncStub"
    proposals: "proposal_pb2_grpc.ProposalsServiceAsyncStub"
    screening: "screening_pb2_grpc.ScreeningServiceAsyncStub"
    contracts: "contract_pb2_grpc.ContractsServiceAsyncStub"
    messaging: "thread_pb2_grpc.MessagingServiceAsyncStub"
    hiring: "hire_pb2_grpc.HiringServiceAsyncStub"
    operations: "operations_pb2_grpc.OperationsServiceAsyncStub"
    events: "events_pb2_grpc.EventsServiceAsyncStub"
    """That of the jobs' process; each process answers for its own events."""
    folders: "folder_pb2_grpc.FoldersServiceAsyncStub"
    instructions: "instructions_pb2_grpc.InstructionsServiceAsyncStub"
    view: "proposal_view_pb2_grpc.ProposalViewServiceAsyncStub"
    channels: "channel_pb2_grpc.ChannelsServiceAsyncStub"
    folder_screening: "folder_screening_pb2_grpc.FolderScreeningServiceAsyncStub"
    matching: "matching_pb2_grpc.MatchingServiceAsyncStub"


@asynccontextmanager
async def open_services(addresses: Addresses) -> AsyncIterator[Services]:
    """Open a channel to every service, and close them again."""
    channels = [
        # A server that was away is found again soon, however long it was away.
        grpc.aio.insecure_channel(address, options=[("grpc.max_reconnect_backoff_ms", 2000)])
        for address in (
            addresses.jobs,
            addresses.proposals,
            addresses.contracts,
            addresses.messaging,
            addresses.hiring,
        )
    ]
    jobs, proposals, contracts, messaging, hiring = channels
    try:
        yield Services(
            job_pb2_grpc.JobsServiceStub(jobs),
            proposal_pb2_grpc.ProposalsServiceStub(proposals),
            screening_pb2_grpc.ScreeningServiceStub(proposals),
            contract_pb2_grpc.ContractsServiceStub(contracts),
            thread_pb2_grpc.MessagingServiceStub(messaging),
            hire_pb2_grpc.HiringServiceStub(hiring),
            operations_pb2_grpc.OperationsServiceStub(hiring),
            events_pb2_grpc.EventsServiceStub(jobs),
            folder_pb2_grpc.FoldersServiceStub(jobs),
            instructions_pb2_grpc.InstructionsServiceStub(jobs),
            proposal_view_pb2_grpc.ProposalViewServiceStub(proposals),
            channel_pb2_grpc.ChannelsServiceStub(messaging),
            folder_screening_pb2_grpc.FolderScreeningServiceStub(proposals),
            matching_pb2_grpc.MatchingServiceStub(proposals),
        )
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token."""

    id: str
    token: str

    async def call(
        self,
        method: Callable[..., Awaitable[Answer]],
        request: Message,
        seconds: float = CALL_SECONDS,
    ) -> Answer:
        """Call a unary method under this caller's token; raises grpc.aio.AioRpcError."""
        return await method(request, timeout=seconds, metadata=self.metadata)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The metadata of a call."""
        return (("authorization", f"Bearer {self.token}"),)

    async def call_when_known(
        self, method: Callable[..., Awaitable[Answer]], request: Message
    ) -> Answer:
        """Call until a fact that travels by event has arrived at the service; bounded."""
        deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
        while True:
            try:
                return await self.call(method, request)
            except grpc.aio.AioRpcError as error:
                late = asyncio.get_running_loop().time() > deadline
                if error.code() is not grpc.StatusCode.NOT_FOUND or late:
                    raise
                await asyncio.sleep(0.02)  # between two looks at a read model fed by events


def new_id() -> str:
    """Make a request id."""
    return str(uuid.uuid4())


@dataclass
class Journey:
    """An employer and a trainer, and what they made so far."""

    services: Services
    employer: Caller
    trainer: Caller
    job: job_pb2.Job = field(default_factory=job_pb2.Job)
    proposal_id: str = ""

    async def publish_job(
        self,
        positions: int = 1,
        *,
        finish_when_filled: bool = False,
        add_hires_to_channels: bool = False,
        plan: job_pb2.ScreeningPlan | None = None,
    ) -> None:
        """Create a job, with a screening plan if one is given, and publish it."""
        created = await self.employer.call(
            self.services.jobs.CreateJob,
            job_pb2.CreateJobRequest(
                request_id=new_id(),
                job=job_pb2.Job(
                    title="Rate answers of a medical assistant",
                    description="Compare two answers to a clinical question and say why.",
                    category="response-rating",
                    required_languages=["en"],
                    required_skills=["medicine"],
                    required_countries=["US", "DE"],
                    pay=job_pb2.Pay(
                        kind=job_pb2.PAY_KIND_HOURLY,
                        minimum_minor_units=4000,
                        maximum_minor_units=9000,
                        currency_code="USD",
                    ),
                    positions=positions,
                    screening_plan=plan,
                    settings=job_pb2.JobSettings(
                        visibility=job_pb2.JOB_VISIBILITY_PUBLIC,
                        finish_when_filled=finish_when_filled,
                        add_hires_to_channels=add_hires_to_channels,
                    ),
                ),
            ),
        )
        published = await self.employer.call(
            self.services.jobs.PublishJob,
            job_pb2.PublishJobRequest(request_id=new_id(), job_id=created.job.job_id),
        )
        self.job = published.job

    async def write_profile(self) -> None:
        """Write the trainer's profile."""
        await self.trainer.call(
            self.services.proposals.UpsertProfile,
            proposal_pb2.UpsertProfileRequest(
                request_id=new_id(),
                profile=proposal_pb2.Profile(
                    first_name="Jordan",
                    last_name="Lee",
                    country="DE",
                    title="Physician and annotator",
                    languages=["en", "de"],
                    skills=["medicine", "writing"],
                    resume_reference="cv-jordan-lee",
                ),
            ),
        )

    async def submit_proposal(self) -> None:
        """Write the trainer's profile and a proposal for the job."""
        await self.write_profile()
        submitted = await self.trainer.call_when_known(
            self.services.proposals.SubmitProposal,
            proposal_pb2.SubmitProposalRequest(
                request_id=new_id(),
                job_id=self.job.job_id,
                message="I have rated clinical answers for three years.",
                summary="Physician, three years of rating.",
                rate=proposal_pb2.Rate(
                    amount=money_pb2.Money(minor_units=6000, currency_code="USD"),
                    unit=proposal_pb2.RATE_UNIT_HOUR,
                ),
            ),
        )
        self.proposal_id = submitted.proposal.proposal_id

    async def review(self) -> str:
        """Read the candidates, shortlist the proposal, ask a question; answer with the thread."""
        await self.employer.call(
            self.services.proposals.ListProposals,
            proposal_pb2.ListProposalsRequest(job_id=self.job.job_id),
        )
        await self.employer.call(
            self.services.proposals.SetReviewState,
            proposal_pb2.SetReviewStateRequest(
                request_id=new_id(),
                proposal_id=self.proposal_id,
                review_state=proposal_pb2.REVIEW_STATE_SHORTLISTED,
            ),
        )
        opened = await self.employer.call_when_known(
            self.services.messaging.OpenProposalThread,
            thread_pb2.OpenProposalThreadRequest(request_id=new_id(), proposal_id=self.proposal_id),
        )
        await self.employer.call(
            self.services.messaging.SendMessage,
            thread_pb2.SendMessageRequest(
                request_id=new_id(),
                thread_id=opened.thread.thread_id,
                text="Could you start next week?",
            ),
        )
        return opened.thread.thread_id

    async def save_card(self, browser: "Browser", card: str = "pm_card_visa") -> str:
        """Save a card as Stripe.js would and make it the default; answer with its id."""
        setup = await self.employer.call(
            self.services.hiring.CreatePaymentSetup,
            hire_pb2.CreatePaymentSetupRequest(request_id=new_id()),
        )
        method_id = await browser.confirm_setup(setup.setup_intent_id, setup.client_secret, card)
        await self.employer.call(
            self.services.hiring.SetDefaultPaymentMethod,
            hire_pb2.SetDefaultPaymentMethodRequest(
                request_id=new_id(), payment_method_id=method_id
            ),
        )
        return method_id

    def terms(self, minor_units: int = 45000) -> hire_pb2.MilestoneTerms:
        """Write down the first milestone: 450.00 dollars unless told."""
        return hire_pb2.MilestoneTerms(
            name="First batch",
            scope="Rate 200 answers, with a reason for each.",
            amount=money_pb2.Money(minor_units=minor_units, currency_code="USD"),
        )

    async def quote(self, minor_units: int = 45000) -> hire_pb2.QuoteHireResponse:
        """Ask what the hire costs and whether it could start."""
        return await self.employer.call(
            self.services.hiring.QuoteHire,
            hire_pb2.QuoteHireRequest(
                proposal_id=self.proposal_id, milestone=self.terms(minor_units)
            ),
        )

    async def start_request(
        self, minor_units: int = 45000, method_id: str = "", *, client_confirms: bool = False
    ) -> hire_pb2.StartHireRequest:
        """Write the request to hire, at the total of a fresh quote."""
        quoted = await self.quote(minor_units)
        request = hire_pb2.StartHireRequest(
            request_id=new_id(),
            proposal_id=self.proposal_id,
            milestone=self.terms(minor_units),
            expected_total_minor_units=quoted.quote.total_minor_units,
        )
        if client_confirms:
            request.client_confirms.SetInParent()
        elif method_id:
            request.payment_method_id = method_id
        return request

    async def start(self, request: hire_pb2.StartHireRequest) -> hire_pb2.StartHireResponse:
        """Hire."""
        return await self.employer.call(self.services.hiring.StartHire, request)

    async def live_hire(self) -> str:
        """Find the proposal's hire while its start is still being answered; bounded."""
        request = hire_pb2.ListHiresRequest(proposal_id=self.proposal_id, page_size=1)
        for _ in range(500):
            listed = await self.employer.call(self.services.hiring.ListHires, request)
            if listed.hires:
                return listed.hires[0].hire_id
            await asyncio.sleep(0.01)  # between two looks, until the start is committed
        raise TimeoutError("the hire never began")

    async def watch(
        self, hire_id: str, resume_token: str = ""
    ) -> AsyncIterator[hire_pb2.WatchHireResponse]:
        """Follow the hire's steps until it ends."""
        request = hire_pb2.WatchHireRequest(hire_id=hire_id, resume_token=resume_token)
        stream = self.services.hiring.WatchHire(
            request, timeout=600, metadata=self.employer.metadata
        )
        async for told in stream:
            yield told


class Browser:
    """What Stripe.js sends from the employer's browser: a publishable key and client secrets."""

    def __init__(self, stripe_base: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=stripe_base,
            headers={"Authorization": "Bearer pk_test_hireflow"},
            timeout=CALL_SECONDS,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def confirm_setup(self, setup_id: str, client_secret: str, card: str) -> str:
        """Confirm a setup intent with a card, at the bank too if asked; answer with the method."""
        answer = await self._http.post(
            f"/v1/setup_intents/{setup_id}/confirm",
            data={"client_secret": client_secret, "payment_method": card},
        )
        confirmed = answer.raise_for_status().json()
        if confirmed["status"] == "requires_action":
            window = f"/_sandbox/setup_intents/{setup_id}/authenticate"
            (await self._http.post(window, json={"outcome": "success"})).raise_for_status()
        return str(confirmed["payment_method"])

    async def confirm_payment(self, client_secret: str, card: str | None = None) -> str:
        """Confirm a payment intent, with a card entered now if given; answer with its status."""
        intent_id = client_secret.split("_secret_", maxsplit=1)[0]
        data = {"client_secret": client_secret, **({"payment_method": card} if card else {})}
        answer = await self._http.post(f"/v1/payment_intents/{intent_id}/confirm", data=data)
        return str(answer.json().get("status", answer.status_code))

    async def authenticate(self, client_secret: str, outcome: str = "success") -> None:
        """Finish 3-D Secure in the bank's window."""
        intent_id = client_secret.split("_secret_", maxsplit=1)[0]
        answer = await self._http.post(
            f"/_sandbox/payment_intents/{intent_id}/authenticate", json={"outcome": outcome}
        )
        answer.raise_for_status()
