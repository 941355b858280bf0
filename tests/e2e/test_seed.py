"""`hireflow seed` fills a running stack, and its users see what it made."""

import asyncio
import json
import sys
from collections import Counter

from deploy.local.journey import Caller
from deploy.local.seed_plan import draw
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.e2e.conftest import System

JOBS, PROPOSALS, SEED = 6, 12, 1


async def _seed(system: System) -> dict[str, object]:
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
    told: dict[str, object] = json.loads(out)
    return told


async def _proposals(system: System, employer: Caller, job_id: str) -> list[proposal_pb2.Proposal]:
    request = proposal_pb2.ListProposalsRequest(job_id=job_id, page_size=100)
    listed = await employer.call(system.services.proposals.ListProposals, request)
    return list(listed.proposals)


async def test_what_was_drawn_is_what_the_employer_lists(system: System) -> None:
    told, plan = await _seed(system), draw(JOBS, PROPOSALS, SEED)
    organisations, hires = told["organisations"], told["hires"]
    assert isinstance(organisations, list)
    assert isinstance(hires, list)
    employer = system.caller("employer", organisation=organisations[0])
    # Unless asked for, archived ones are left out.
    every = set(job_pb2.JobState.values()) - {job_pb2.JOB_STATE_UNSPECIFIED}
    request = job_pb2.ListJobsRequest(page_size=100, states=every)
    listed = (await employer.call(system.services.jobs.ListJobs, request)).jobs
    assert Counter((job.title, job.state) for job in listed) == Counter(
        (job.posting.title, job.state) for job in plan.jobs
    )
    found = [each for job in listed for each in await _proposals(system, employer, job.job_id)]
    kept = [each for each in plan.proposals if not each.withdrawn]
    assert Counter(each.message for each in found) == Counter(each.message for each in kept)
    hired = [each for each in found if each.review_state == proposal_pb2.REVIEW_STATE_HIRED]
    assert len(hired) == len(hires) == len(plan.hires) > 0
    await system.audited(*map(str, hires))
