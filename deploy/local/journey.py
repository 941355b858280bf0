"""One hire through the gRPC APIs, call by call, as a web gateway would drive it.

The demo shows it and the end-to-end tests walk it, so both see what a gateway sees: the public
APIs, and for the card what Stripe.js would send to Stripe.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from deploy.local.journey_browser import Browser
from deploy.local.journey_calls import (
    CALL_SECONDS,
    CATCH_UP_SECONDS,
    Addresses,
    Caller,
    Services,
    new_id,
    open_services,
)
from hireflow.common.v1 import money_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2

__all__ = [
    "CALL_SECONDS",
    "CATCH_UP_SECONDS",
    "Addresses",
    "Browser",
    "Caller",
    "Journey",
    "Services",
    "new_id",
    "open_services",
]


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

    async def save_card(self, browser: Browser, card: str = "pm_card_visa") -> str:
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
