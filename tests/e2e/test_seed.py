"""`hireflow seed` fills a running stack, and its users see what it made."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import pytest

from deploy.local.failure import StackFailure
from deploy.local.journey import Caller
from deploy.local.seed.desk import Desk, open_desk
from deploy.local.seed.drawing import draw
from deploy.local.seed.plan import Plan
from deploy.local.seed.seeder import Seeder
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2, screening_pb2
from tests.e2e.conftest import System

JOBS, PROPOSALS, SEED = 6, 12, 1
EVERY_STATE = (
    *("job draft", "job published", "job hiring done", "job archived"),
    *("job public", "job unlisted", "job invite only"),
    *("job paid hourly", "job paid fixed", "job paid per label"),
    *("job in a folder", "job in no folder", "job done with somebody hired"),
    *("rate fixed", "rate hour", "rate label"),
    *("review unreviewed", "review shortlisted", "review maybe", "review resume sent"),
    *("review declined", "review hired", "proposal withdrawn", "proposal with signals"),
    *("screening started", "screening half answered", "screening answered", "screening complete"),
    *("answer number", "answer option", "answer text", "answer url", "answer left out"),
    *("hire hired", "hire undone", "hire waits for client confirmation"),
    *("hire waits for payment method", "thread proposal", "thread job", "thread channel"),
    *("thread read", "thread unread"),
    *("message edited", "message deleted", "message with a file", "message by a hire in a channel"),
)


@dataclass(frozen=True)
class Seeded:
    """A stack that was filled, the plan of it, and who reads."""

    system: System
    plan: Plan
    job_ids: list[str]
    hires: list[str]
    made: dict[str, int]
    desk: Desk

    @property
    def employer(self) -> Caller:
        return self.desk.employer(0)

    async def jobs(self) -> list[job_pb2.Job]:
        # Unless asked for, archived ones are left out.
        every = set(job_pb2.JobState.values()) - {job_pb2.JOB_STATE_UNSPECIFIED}
        request = job_pb2.ListJobsRequest(page_size=100, states=every)
        return list((await self.employer.call(self.system.services.jobs.ListJobs, request)).jobs)

    async def proposals(self, jobs: Sequence[job_pb2.Job]) -> list[proposal_pb2.Proposal]:
        found: list[proposal_pb2.Proposal] = []
        for job in jobs:
            request = proposal_pb2.ListProposalsRequest(job_id=job.job_id, page_size=100)
            listing = self.system.services.proposals.ListProposals
            found += (await self.employer.call(listing, request)).proposals
        return found


@pytest.fixture(scope="module")
async def seeded(system: System) -> AsyncIterator[Seeded]:
    numbers = (f"--jobs={JOBS}", f"--proposals={PROPOSALS}", f"--seed={SEED}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local.cli", "seed", "--json", *numbers),
        *("--data-dir", str(system.stack.data.root)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    told = json.loads(out)
    assert f"Run {told['run']}: " in err.decode()
    async with open_desk(system.stack.data, told["run"]) as desk:
        plan = draw(JOBS, PROPOSALS, SEED)
        yield Seeded(system, plan, told["jobs"], told["hires"], told["made"], desk)


def words(value: str, prefix: str) -> str:
    return value.removeprefix(prefix).replace("_", " ").lower()


def of_jobs(jobs: Sequence[job_pb2.Job]) -> Iterator[str]:
    for job in jobs:
        yield f"job {words(job_pb2.JobState.Name(job.state), 'JOB_STATE_')}"
        visibility = job_pb2.JobVisibility.Name(job.settings.visibility)
        yield f"job {words(visibility, 'JOB_VISIBILITY_')}"
        yield f"job paid {words(job_pb2.PayKind.Name(job.pay.kind), 'PAY_KIND_')}"
        yield "job in a folder" if job.folder_id else "job in no folder"
        if job.state == job_pb2.JOB_STATE_HIRING_DONE and job.positions_filled:
            yield "job done with somebody hired"


def of_proposals(proposals: Sequence[proposal_pb2.Proposal]) -> Iterator[str]:
    for each in proposals:
        yield f"rate {words(proposal_pb2.RateUnit.Name(each.rate.unit), 'RATE_UNIT_')}"
        state = proposal_pb2.ReviewState.Name(each.review_state)
        yield f"review {words(state, 'REVIEW_STATE_')}"
        if each.mismatch_signals:
            yield "proposal with signals"


async def of_trainers(seeded: Seeded) -> list[str]:
    seen: list[str] = []
    services = seeded.system.services
    for number in range(len(seeded.plan.trainers)):
        trainer = seeded.desk.trainer(number)
        listing = proposal_pb2.ListOwnProposalsRequest(page_size=100)
        own = await trainer.call(services.proposals.ListOwnProposals, listing)
        withdrawn = proposal_pb2.PROPOSAL_STATUS_WITHDRAWN
        seen += ["proposal withdrawn" for each in own.proposals if each.status == withdrawn]
    for planned in seeded.plan.screenings:
        job_id = seeded.job_ids[planned.job]
        asking = screening_pb2.GetOwnScreeningRequest(job_id=job_id)
        trainer = seeded.desk.trainer(planned.trainer)
        told = (await trainer.call(services.screening.GetOwnScreening, asking)).screening
        seen += of_screening(told)
    return seen


def of_screening(told: screening_pb2.OwnScreening) -> Iterator[str]:
    if told.complete:
        yield "screening complete"
    elif told.answers_final:
        yield "screening answered"
    else:
        yield "screening half answered" if told.answers else "screening started"
    for answer in told.answers:
        yield f"answer {answer.WhichOneof('value')}"
    if told.complete and len(told.answers) < len(told.fields):
        yield "answer left out"


async def of_hires(seeded: Seeded) -> list[str]:
    request = hire_pb2.ListHiresRequest(
        organisation_id=seeded.desk.organisation_id(0), page_size=100
    )
    listed = await seeded.employer.call(seeded.system.services.hiring.ListHires, request)
    states = [hire_pb2.HireState.Name(hire.state) for hire in listed.hires]
    waits = [hire_pb2.HireWaitingFor.Name(hire.waiting_for) for hire in listed.hires]
    return [
        *(f"hire {words(state, 'HIRE_STATE_')}" for state in states),
        *(f"hire waits for {words(wait, 'HIRE_WAITING_FOR_')}" for wait in waits),
    ]


async def of_threads(seeded: Seeded) -> list[str]:
    seen: list[str] = []
    messaging = seeded.system.services.messaging
    request = thread_pb2.ListThreadsRequest(page_size=100)
    for thread in (await seeded.employer.call(messaging.ListThreads, request)).threads:
        kind = words(thread_pb2.ThreadKind.Name(thread.kind), "THREAD_KIND_")
        seen += [f"thread {kind}", "thread unread" if thread.unread_count else "thread read"]
        inside = thread_pb2.ListMessagesRequest(thread_id=thread.thread_id, page_size=100)
        for message in (await seeded.employer.call(messaging.ListMessages, inside)).messages:
            seen += ["message edited"] if message.edit_count else []
            seen += ["message deleted"] if message.HasField("delete_time") else []
            seen += ["message with a file"] if message.attachments else []
            if kind == "channel" and message.sender.id.startswith("trainer-"):
                seen.append("message by a hire in a channel")
    return seen


async def test_what_was_drawn_is_what_the_employer_lists(seeded: Seeded) -> None:
    plan, jobs = seeded.plan, await seeded.jobs()
    assert Counter((job.title, job.state) for job in jobs) == Counter(
        (job.posting.title, job.state) for job in plan.jobs
    )
    found = await seeded.proposals(jobs)
    kept = [each for each in plan.proposals if not each.withdrawn]
    assert Counter(each.message for each in found) == Counter(each.message for each in kept)
    assert len(seeded.hires) == len(plan.hires())
    await seeded.system.audited(*seeded.hires)


async def test_every_state_is_there(seeded: Seeded) -> None:
    jobs = await seeded.jobs()
    seen = {
        *of_jobs(jobs),
        *of_proposals(await seeded.proposals(jobs)),
        *await of_trainers(seeded),
        *await of_hires(seeded),
        *await of_threads(seeded),
    }
    assert set(EVERY_STATE) - seen == set()


async def test_a_run_that_is_repeated_does_only_what_is_missing(seeded: Seeded) -> None:
    before = await seeded.jobs()
    told: list[None] = []
    seeder = Seeder(seeded.desk, seeded.plan, lambda: told.append(None))
    await seeder.run()
    assert len(told) == seeder.steps
    assert dict(seeder.made) == seeded.made
    assert set(seeder.hire_ids.values()) == set(seeded.hires)
    assert await seeded.jobs() == before


async def test_a_run_is_not_gone_on_with_by_other_arguments(seeded: Seeded) -> None:
    seeder = Seeder(seeded.desk, draw(JOBS, PROPOSALS, SEED + 1), lambda: None)
    with pytest.raises(StackFailure, match=r"CreateJob: REQUEST_ID_REUSED: .* has this --run"):
        await seeder.run()
