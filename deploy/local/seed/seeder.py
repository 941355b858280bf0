"""Carries a plan out through the public APIs, as its users would."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TypeAlias

from deploy.local.journey import Caller
from deploy.local.seed import texts
from deploy.local.seed.candidates import attachment
from deploy.local.seed.desk import Desk
from deploy.local.seed.hires import Hires, Talks
from deploy.local.seed.plan import (
    FOLDERS,
    Ending,
    Line,
    Plan,
    PlannedJob,
    Progress,
    Talk,
)
from hireflow.jobs.v1 import folder_pb2, instructions_pb2, job_pb2
from hireflow.messaging.v1 import channel_pb2, thread_pb2
from hireflow.proposals.v1 import proposal_pb2, screening_pb2

AT_ONCE = 8
_Work: TypeAlias = Callable[[], Awaitable[None]]


class Seeder:
    """Fills a stack; `made` counts what is there by the word for it, also after a repeat.

    Every step has the request_id of its run and place: whoever repeats a run that broke off does
    again what was done, which changes nothing, and then the rest.
    """

    def __init__(self, desk: Desk, plan: Plan, progress: Callable[[], None]) -> None:
        self._desk = desk
        self._services = desk.services
        self._plan = plan
        self._progress = progress
        self.made: Counter[str] = Counter()
        self.job_ids: dict[int, str] = {}
        self.hire_ids: dict[int, str] = {}
        self._folder_ids: dict[tuple[int, int], str] = {}
        self._channel_ids: dict[int, str] = {}
        self._proposal_ids: dict[int, str] = {}
        self._talks = Talks(desk, self.made)
        self._hires = Hires(desk, plan, self._talks)
        self._stages = self._in_order()

    @property
    def steps(self) -> int:
        """How often progress is told."""
        return sum(map(len, self._stages))

    async def run(self) -> None:
        """Make everything, each kind once all that it needs is there.

        Raises:
            StackFailure: a call was refused; what was made before stays.

        """
        for stage in self._stages:
            await _each(partial(self._one, work) for work in stage)

    def _in_order(self) -> list[list[_Work]]:
        plan = self._plan
        folders = [(org, n) for org in range(plan.organisations) for n in range(len(FOLDERS))]
        return [
            [partial(self._make_folder, *each) for each in folders],
            [partial(self._publish, number) for number in range(len(plan.jobs))],
            [partial(self._write_profile, number) for number in range(len(plan.trainers))],
            [partial(self._screen, number) for number in range(len(plan.screenings))],
            [partial(self._propose, number) for number in range(len(plan.proposals))],
            [partial(self._review, number) for number in range(len(plan.proposals))],
            [partial(self._hires.save_card, *each) for each in self._hires.cards()],
            [partial(self._hire, number) for number in plan.hires()],
            [partial(self._close, number) for number in range(len(plan.jobs))],
        ]

    async def _one(self, work: _Work) -> None:
        await work()
        self._progress()

    def _employer_of(self, job: int) -> Caller:
        return self._desk.employer(self._plan.jobs[job].organisation)

    async def _make_folder(self, organisation: int, number: int) -> None:
        name, colour = FOLDERS[number]
        request = folder_pb2.CreateFolderRequest(
            request_id=self._desk.step("folder", organisation, number),
            folder=folder_pb2.Folder(name=name, colour=colour, description="Sample data"),
        )
        employer = self._desk.employer(organisation)
        made = await self._desk.call(employer, self._services.folders.CreateFolder, request)
        self._folder_ids[organisation, number] = made.folder.folder_id
        self.made["folders"] += 1

    async def _publish(self, place: int) -> None:
        job, employer = self._plan.jobs[place], self._employer_of(place)
        call, step, jobs = self._desk.call, self._desk.step, self._services.jobs
        create = job_pb2.CreateJobRequest(request_id=step("job", place), job=job.posting)
        job_id = (await call(employer, jobs.CreateJob, create)).job.job_id
        self.job_ids[place] = job_id
        if job.folder is not None:
            folder_id = self._folder_ids[job.organisation, job.folder]
            move = folder_pb2.MoveJobsRequest(
                request_id=step("move", place), job_ids=[job_id], folder_id=folder_id
            )
            await call(employer, self._services.folders.MoveJobs, move)
        write = instructions_pb2.WriteInstructionsRequest(
            request_id=step("instructions", place), job_id=job_id, text=job.instructions
        )
        await call(employer, self._services.instructions.WriteInstructions, write)
        if job.state != job_pb2.JOB_STATE_DRAFT:
            publish = job_pb2.PublishJobRequest(request_id=step("publish", place), job_id=job_id)
            await call(employer, jobs.PublishJob, publish)
            await self._invite(place, employer, job_id)
        if job.channel:
            await self._make_channel(place, job, employer, job_id)
        self.made["jobs"] += 1

    async def _invite(self, place: int, employer: Caller, job_id: str) -> None:
        for part, trainers in enumerate(self._plan.invitations(place)):
            invite = job_pb2.InviteTrainersRequest(
                request_id=self._desk.step("invite", place, part),
                job_id=job_id,
                trainer_ids=[self._desk.trainer(each).id for each in trainers],
            )
            await self._desk.call(employer, self._services.jobs.InviteTrainers, invite)
            self.made["invitations"] += len(trainers)

    async def _make_channel(
        self, place: int, job: PlannedJob, employer: Caller, job_id: str
    ) -> None:
        create = channel_pb2.CreateChannelRequest(
            request_id=self._desk.step("channel", place), job_id=job_id, name=job.channel
        )
        make = self._services.channels.CreateChannel
        thread = (await self._desk.call(employer, make, create, by_event=True)).thread
        self._channel_ids[place] = thread.thread_id
        guide = attachment("rating-guide.pdf")
        welcome = Line(by_trainer=False, text=texts.INVITATION_TO_CHANNEL, attachment=guide)
        talk = Talk((welcome,), read=False)
        await self._talks.hold(employer, employer, thread.thread_id, talk, "welcome", place)
        self.made["channels"] += 1

    async def _write_profile(self, number: int) -> None:
        request = proposal_pb2.UpsertProfileRequest(
            request_id=self._desk.step("profile", number), profile=self._plan.trainers[number]
        )
        trainer = self._desk.trainer(number)
        await self._desk.call(trainer, self._services.proposals.UpsertProfile, request)
        self.made["trainers"] += 1

    async def _screen(self, number: int) -> None:
        planned, screening = self._plan.screenings[number], self._services.screening
        trainer = self._desk.trainer(planned.trainer)
        start = screening_pb2.StartScreeningRequest(
            request_id=self._desk.step("screening", number), job_id=self.job_ids[planned.job]
        )
        started = await self._desk.call(trainer, screening.StartScreening, start, by_event=True)
        own = started.screening
        if planned.progress is not Progress.STARTED:
            answer = screening_pb2.AnswerScreeningRequest(
                request_id=self._desk.step("answers", number),
                screening_id=own.screening_id,
                answers=planned.answers,
                final=planned.progress is not Progress.HALF_ANSWERED,
            )
            await self._desk.call(trainer, screening.AnswerScreening, answer)
        if planned.progress is Progress.COMPLETE:
            record = screening_pb2.RecordInterviewRequest(
                request_id=self._desk.step("interview", number),
                screening_id=own.screening_id,
                interview=planned.interview,
                plan_version=own.plan_version,
            )
            await self._desk.call(self._desk.interviewer(), screening.RecordInterview, record)
        self.made["screenings"] += 1

    async def _propose(self, number: int) -> None:
        offer = self._plan.proposals[number]
        request = proposal_pb2.SubmitProposalRequest(
            request_id=self._desk.step("proposal", number),
            job_id=self.job_ids[offer.job],
            message=offer.message,
            summary=offer.summary,
            rate=offer.rate,
        )
        submit, trainer = self._services.proposals.SubmitProposal, self._desk.trainer(offer.trainer)
        submitted = await self._desk.call(trainer, submit, request, by_event=True)
        self._proposal_ids[number] = submitted.proposal.proposal_id
        self.made["proposals"] += 1

    async def _review(self, number: int) -> None:
        offer, proposal_id = self._plan.proposals[number], self._proposal_ids[number]
        employer, trainer = self._employer_of(offer.job), self._desk.trainer(offer.trainer)
        call, step, proposals = self._desk.call, self._desk.step, self._services.proposals
        if offer.review != proposal_pb2.REVIEW_STATE_UNREVIEWED:
            state = proposal_pb2.SetReviewStateRequest(
                request_id=step("review", number),
                proposal_id=proposal_id,
                review_state=offer.review,
            )
            await call(employer, proposals.SetReviewState, state)
        if offer.note:
            note = proposal_pb2.AddNoteRequest(
                request_id=step("note", number), proposal_id=proposal_id, text=offer.note
            )
            await call(employer, proposals.AddNote, note)
            self.made["notes"] += 1
        if offer.talk:
            open_ = thread_pb2.OpenProposalThreadRequest(
                request_id=step("thread", number), proposal_id=proposal_id
            )
            open_thread = self._services.messaging.OpenProposalThread
            opened = await call(employer, open_thread, open_, by_event=True)
            thread_id = opened.thread.thread_id
            await self._talks.hold(employer, trainer, thread_id, offer.talk, "talk", number)
            self.made["threads"] += 1
        if offer.withdrawn:
            withdraw = proposal_pb2.WithdrawProposalRequest(
                request_id=step("withdraw", number), proposal_id=proposal_id
            )
            await call(trainer, proposals.WithdrawProposal, withdraw)

    async def _hire(self, number: int) -> None:
        offer = self._plan.proposals[number]
        hire = await self._hires.hire(number, self._proposal_ids[number])
        self.hire_ids[number] = hire.hire_id
        self.made["hires"] += 1
        joins = self._plan.jobs[offer.job].posting.settings.add_hires_to_channels
        if offer.ending is Ending.HIRED and joins and offer.job in self._channel_ids:
            greet = thread_pb2.SendMessageRequest(
                request_id=self._desk.step("greet", number),
                thread_id=self._channel_ids[offer.job],
                text=texts.GREETING_IN_CHANNEL,
            )
            trainer, send = self._desk.trainer(offer.trainer), self._services.messaging.SendMessage
            await self._desk.call(trainer, send, greet, by_event=True)
            self.made["messages"] += 1

    async def _close(self, place: int) -> None:
        job, jobs, job_id = self._plan.jobs[place], self._services.jobs, self.job_ids[place]
        employer, step = self._employer_of(place), self._desk.step
        if job.state in {job_pb2.JOB_STATE_HIRING_DONE, job_pb2.JOB_STATE_ARCHIVED}:
            finish = job_pb2.FinishHiringRequest(request_id=step("finish", place), job_id=job_id)
            await self._desk.call(employer, jobs.FinishHiring, finish)
        if job.state == job_pb2.JOB_STATE_ARCHIVED:
            archive = job_pb2.ArchiveJobRequest(request_id=step("archive", place), job_id=job_id)
            await self._desk.call(employer, jobs.ArchiveJob, archive)


async def _each(works: Iterable[_Work]) -> None:
    """Do all of it, at most eight at once; the first failure ends it."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(work: _Work) -> None:
        async with free:
            await work()

    tasks = [asyncio.ensure_future(one(work)) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
