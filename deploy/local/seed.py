"""`hireflow seed`: fills a running stack through the public APIs, as its users would."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TypeVar, cast

import grpc
from google.protobuf.message import Message

from deploy.local.data_dir import DataDir
from deploy.local.failure import StackFailure
from deploy.local.journey import (
    Addresses,
    Browser,
    Caller,
    Journey,
    Services,
    new_id,
    open_services,
)
from deploy.local.keys import Kind
from deploy.local.seed_plan import FOLDERS, Plan, PlannedJob, PlannedProposal
from deploy.local.stack import mint_token
from deploy.local.state import read_status
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import folder_pb2, instructions_pb2, job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2, screening_pb2
from services.common.client import error_of
from services.proposals.use_cases.access import INTERVIEWER_ID

AT_ONCE = 8
_HIRE_SECONDS = 120.0
Answer = TypeVar("Answer")
_SERVICES = ("jobs", "proposals", "contracts", "messaging", "hiring")


@dataclass
class Seeder:
    """Carries a plan out; `made` counts what is there by the word for it."""

    services: Services
    browser: Browser
    token: Callable[[Kind, str, str | None], str]
    plan: Plan
    progress: Callable[[], None]
    run_id: str
    made: Counter[str] = field(default_factory=Counter)
    job_ids: dict[int, str] = field(default_factory=dict)
    proposal_ids: dict[int, str] = field(default_factory=dict)
    hire_ids: list[str] = field(default_factory=list)

    def organisation_id(self, number: int) -> str:
        """Name an organisation of this run."""
        return f"org-seed-{self.run_id}-{number + 1}"

    def employer(self, organisation: int) -> Caller:
        """Give the member of an organisation who does everything."""
        organisation_id = self.organisation_id(organisation)
        return self._caller(Kind.EMPLOYER, f"employer-{organisation_id}", organisation_id)

    def trainer(self, number: int) -> Caller:
        """Give a trainer of this run."""
        return self._caller(Kind.TRAINER, f"trainer-seed-{self.run_id}-{number + 1}", None)

    async def run(self) -> None:
        """Make everything, each kind once all that it needs is there.

        Raises:
            StackFailure: a call was refused; what was made before stays.

        """
        plan = self.plan
        await _each(self._fill_organisation(number) for number in range(plan.organisations))
        await _each(self._write_profile(number) for number in range(len(plan.trainers)))
        await _each(self._propose(number) for number in range(len(plan.proposals)))
        await _each(self._review(number) for number in range(len(plan.proposals)))
        paying = {plan.jobs[plan.proposals[number].job].organisation for number in plan.hires}
        await _each(self._save_card(organisation) for organisation in sorted(paying))
        await _each(self._hire(number) for number in plan.hires)
        await _each(self._close(number) for number in range(len(plan.jobs)))

    async def _fill_organisation(self, number: int) -> None:
        employer, folder_ids = self.employer(number), []
        for name, colour in FOLDERS:
            folder = folder_pb2.Folder(name=name, colour=colour, description="Sample data")
            request = folder_pb2.CreateFolderRequest(request_id=new_id(), folder=folder)
            created = await self._call(employer, self.services.folders.CreateFolder, request)
            folder_ids.append(created.folder.folder_id)
            self._count("folders")
        for place, job in enumerate(self.plan.jobs):
            if job.organisation == number:
                await self._publish(place, job, employer, folder_ids)

    async def _publish(
        self, place: int, job: PlannedJob, employer: Caller, folder_ids: list[str]
    ) -> None:
        jobs = self.services.jobs
        request = job_pb2.CreateJobRequest(request_id=new_id(), job=job.posting)
        job_id = (await self._call(employer, jobs.CreateJob, request)).job.job_id
        self.job_ids[place] = job_id
        if job.folder is not None:
            move = folder_pb2.MoveJobsRequest(
                request_id=new_id(), job_ids=[job_id], folder_id=folder_ids[job.folder]
            )
            await self._call(employer, self.services.folders.MoveJobs, move)
        write = instructions_pb2.WriteInstructionsRequest(
            request_id=new_id(), job_id=job_id, text=job.instructions
        )
        await self._call(employer, self.services.instructions.WriteInstructions, write)
        if job.state != job_pb2.JOB_STATE_DRAFT:
            publish = job_pb2.PublishJobRequest(request_id=new_id(), job_id=job_id)
            await self._call(employer, jobs.PublishJob, publish)
            trainers = {each.trainer for each in self.plan.proposals if each.job == place}
            if trainers and job.posting.settings.visibility == job_pb2.JOB_VISIBILITY_INVITE_ONLY:
                invite = job_pb2.InviteTrainersRequest(
                    request_id=new_id(),
                    job_id=job_id,
                    trainer_ids=[self.trainer(each).id for each in sorted(trainers)],
                )
                await self._call(employer, jobs.InviteTrainers, invite)
                self.made["invitations"] += len(trainers)
        self._count("jobs")

    async def _write_profile(self, number: int) -> None:
        request = proposal_pb2.UpsertProfileRequest(
            request_id=new_id(), profile=self.plan.trainers[number]
        )
        await self._call(self.trainer(number), self.services.proposals.UpsertProfile, request)
        self._count("trainers")

    async def _propose(self, number: int) -> None:
        offer = self.plan.proposals[number]
        trainer, job_id = self.trainer(offer.trainer), self.job_ids[offer.job]
        if self.plan.jobs[offer.job].posting.HasField("screening_plan"):
            await self._screen(trainer, job_id, offer)
        request = proposal_pb2.SubmitProposalRequest(
            request_id=new_id(),
            job_id=job_id,
            message=offer.message,
            summary=offer.summary,
            rate=offer.rate,
        )
        submit = self.services.proposals.SubmitProposal
        submitted = await self._call(trainer, submit, request, by_event=True)
        self.proposal_ids[number] = submitted.proposal.proposal_id
        self._count("proposals")

    async def _screen(self, trainer: Caller, job_id: str, offer: PlannedProposal) -> None:
        screening = self.services.screening
        start = screening_pb2.StartScreeningRequest(request_id=new_id(), job_id=job_id)
        started = await self._call(trainer, screening.StartScreening, start, by_event=True)
        answers = screening_pb2.AnswerScreeningRequest(
            request_id=new_id(),
            screening_id=started.screening.screening_id,
            answers=[
                screening_pb2.ScreeningAnswer(key="years", number=offer.years),
                screening_pb2.ScreeningAnswer(key="hours", option="10 to 20"),
                screening_pb2.ScreeningAnswer(key="example", text=offer.summary),
            ],
            final=True,
        )
        await self._call(trainer, screening.AnswerScreening, answers)
        interview = screening_pb2.Interview(
            score=offer.score,
            summary=offer.summary,
            transcript=[
                screening_pb2.InterviewTurn(
                    speaker=screening_pb2.INTERVIEW_SPEAKER_INTERVIEWER, text="Tell me an example."
                ),
                screening_pb2.InterviewTurn(
                    speaker=screening_pb2.INTERVIEW_SPEAKER_TRAINER, text=offer.message
                ),
            ],
        )
        record = screening_pb2.RecordInterviewRequest(
            request_id=new_id(),
            screening_id=started.screening.screening_id,
            interview=interview,
        )
        interviewer = self._caller(Kind.SERVICE, INTERVIEWER_ID, None)
        await self._call(interviewer, screening.RecordInterview, record)
        self.made["screenings"] += 1

    async def _review(self, number: int) -> None:
        offer, proposal_id = self.plan.proposals[number], self.proposal_ids[number]
        employer = self.employer(self.plan.jobs[offer.job].organisation)
        proposals = self.services.proposals
        if offer.review != proposal_pb2.REVIEW_STATE_UNREVIEWED:
            state = proposal_pb2.SetReviewStateRequest(
                request_id=new_id(), proposal_id=proposal_id, review_state=offer.review
            )
            await self._call(employer, proposals.SetReviewState, state)
        if offer.note:
            note = proposal_pb2.AddNoteRequest(
                request_id=new_id(), proposal_id=proposal_id, text=offer.note
            )
            await self._call(employer, proposals.AddNote, note)
            self.made["notes"] += 1
        if offer.question:
            await self._talk(employer, self.trainer(offer.trainer), proposal_id, offer)
        if offer.withdrawn:
            withdraw = proposal_pb2.WithdrawProposalRequest(
                request_id=new_id(), proposal_id=proposal_id
            )
            await self._call(self.trainer(offer.trainer), proposals.WithdrawProposal, withdraw)
        self.progress()

    async def _talk(
        self, employer: Caller, trainer: Caller, proposal_id: str, offer: PlannedProposal
    ) -> None:
        messaging = self.services.messaging
        open_ = thread_pb2.OpenProposalThreadRequest(request_id=new_id(), proposal_id=proposal_id)
        opened = await self._call(employer, messaging.OpenProposalThread, open_, by_event=True)
        for who, text in ((employer, offer.question), (trainer, offer.summary)):
            message = thread_pb2.SendMessageRequest(
                request_id=new_id(), thread_id=opened.thread.thread_id, text=text
            )
            await self._call(who, messaging.SendMessage, message)
            self.made["messages"] += 1
        self.made["threads"] += 1

    async def _save_card(self, organisation: int) -> None:
        # Of a journey only what the employer does is needed here.
        employer = self.employer(organisation)
        await Journey(self.services, employer, employer).save_card(self.browser)

    async def _hire(self, number: int) -> None:
        offer = self.plan.proposals[number]
        employer = self.employer(self.plan.jobs[offer.job].organisation)
        journey = Journey(self.services, employer, self.trainer(offer.trainer))
        journey.proposal_id = self.proposal_ids[number]
        started = await journey.start(await journey.start_request(20000 + 1000 * offer.years))
        hire_id = started.hire.hire_id
        async with asyncio.timeout(_HIRE_SECONDS):
            async for told in journey.watch(hire_id):
                state = told.hire.state
        if state != hire_pb2.HIRE_STATE_HIRED:
            raise StackFailure(f"Hire {hire_id} ended {hire_pb2.HireState.Name(state)}.")
        self.hire_ids.append(hire_id)
        self._count("hires")

    async def _close(self, number: int) -> None:
        job, jobs = self.plan.jobs[number], self.services.jobs
        employer, job_id = self.employer(job.organisation), self.job_ids[number]
        if job.state in {job_pb2.JOB_STATE_HIRING_DONE, job_pb2.JOB_STATE_ARCHIVED}:
            finish = job_pb2.FinishHiringRequest(request_id=new_id(), job_id=job_id)
            await self._call(employer, jobs.FinishHiring, finish)
        if job.state == job_pb2.JOB_STATE_ARCHIVED:
            archive = job_pb2.ArchiveJobRequest(request_id=new_id(), job_id=job_id)
            await self._call(employer, jobs.ArchiveJob, archive)
        self.progress()

    def _count(self, word: str) -> None:
        self.made[word] += 1
        self.progress()

    def _caller(self, kind: Kind, subject: str, organisation_id: str | None) -> Caller:
        return Caller(subject, self.token(kind, subject, organisation_id))

    async def _call(
        self,
        caller: Caller,
        method: Callable[..., Awaitable[Answer]],
        request: Message,
        *,
        by_event: bool = False,
    ) -> Answer:
        try:
            if by_event:
                return await caller.call_when_known(method, request)
            return await caller.call(method, request)
        except grpc.aio.AioRpcError as error:
            told = error_of(error)
            name = request.DESCRIPTOR.name.removesuffix("Request")
            raise StackFailure(
                f"{name}: {told.reason or told.code.name}: {told.message}"
            ) from error


@asynccontextmanager
async def open_seeder(
    data: DataDir, plan: Plan, progress: Callable[[], None]
) -> AsyncIterator[Seeder]:
    """Open what fills the stack that runs on a data directory.

    Raises:
        StackFailure: none runs there, or not all of it.

    """
    status = read_status(data)
    at = {each["name"]: each["addresses"] for each in status.content["processes"] if each["pid"]}
    if not status.running or not {*_SERVICES, "stripe", "worker"} <= set(at):
        raise StackFailure(f"No whole stack runs on {data.root}: see `hireflow up`.")
    addresses = SimpleNamespace(**{name: at[name]["grpc"] for name in _SERVICES})
    browser = Browser(at["stripe"]["stripe"])

    def token(kind: Kind, subject: str, organisation_id: str | None) -> str:
        return mint_token(data, kind, sub=subject, org=organisation_id)

    try:
        async with open_services(cast("Addresses", addresses)) as services:
            yield Seeder(services, browser, token, plan, progress, run_id=new_id()[:8])
    finally:
        await browser.close()


def steps(plan: Plan) -> int:
    """Count how often a seeder tells its progress."""
    made = plan.organisations * len(FOLDERS) + 2 * len(plan.jobs) + len(plan.trainers)
    return made + 2 * len(plan.proposals) + len(plan.hires)


async def _each(works: Iterable[Awaitable[None]]) -> None:
    """Do all of it, at most eight at once; the first failure ends it."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(work: Awaitable[None]) -> None:
        async with free:
            await work

    tasks = [asyncio.ensure_future(one(work)) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
