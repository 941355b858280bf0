"""A position that was filled is given back: which contract may, and what becomes of the job."""

import grpc.aio

from hireflow.jobs.v1 import job_pb2
from tests.integration.jobs.world import Metadata, World, new_id
from tests.refusals import refusal
from tests.waiting import until

FINISHES = job_pb2.JobSettings(finish_when_filled=True)


def _counts(job: job_pb2.Job) -> tuple[int, int, int]:
    return job.positions, job.positions_reserved, job.positions_filled


async def hired(world: World, job_id: str) -> tuple[str, str]:
    """Hire somebody; give the hire and its contract."""
    hire, contract = new_id("h"), new_id("c")
    await world.reserve(job_id, hire)
    await world.fill(job_id, hire, contract)
    return hire, contract


async def test_a_filled_position_is_given_back_by_its_own_contract_alone(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer, positions=1, settings=FINISHES)
    hire, contract = new_id("h"), new_id("c")
    await world.reserve(job.job_id, hire)
    assert (await world.fill(job.job_id, hire, contract)).hiring_finished
    for other in ("", new_id("c")):
        error = await refusal(world.release(job.job_id, hire, other))
        assert error.reason == "WRONG_STATE"
    assert await world.release(job.job_id, hire, contract) is True
    assert await world.release(job.job_id, hire, contract) is False
    error = await refusal(world.fill(job.job_id, hire, contract))
    assert error.reason == "RESERVATION_RELEASED"
    after = await world.get(employer, job.job_id)
    assert (_counts(after), after.state) == ((1, 0, 0), job_pb2.JOB_STATE_PUBLISHED)
    assert _counts(await world.reserve(job.job_id, new_id("h"))) == (1, 1, 0)
    assert (await world.events(job.job_id))[-5:] == [
        "position_filled",
        "hiring_finished",
        "position_released",
        "hiring_reopened",
        "position_reserved",
    ]


async def test_hiring_that_a_member_finished_stays_so_when_a_position_is_given_back(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer, positions=1, settings=FINISHES)
    hire, contract = await hired(world, job.job_id)
    await world.reopen(employer, job.job_id)
    await world.finish(employer, job.job_id)
    assert await world.release(job.job_id, hire, contract) is True
    after = await world.get(employer, job.job_id)
    assert (_counts(after), after.state) == ((1, 0, 0), job_pb2.JOB_STATE_HIRING_DONE)


async def test_hiring_that_finished_by_itself_is_open_again_whichever_position_is_given_back(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer, settings=FINISHES)
    hire, contract = await hired(world, job.job_id)
    await hired(world, job.job_id)
    assert (await world.get(employer, job.job_id)).state == job_pb2.JOB_STATE_HIRING_DONE
    assert await world.release(job.job_id, hire, contract) is True
    after = await world.get(employer, job.job_id)
    assert (_counts(after), after.state) == ((2, 0, 1), job_pb2.JOB_STATE_PUBLISHED)


async def test_a_position_of_an_archived_job_is_given_back_and_the_job_stays_archived(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer, positions=1, settings=FINISHES)
    hire, contract = await hired(world, job.job_id)
    await world.tell_work(job.job_id, "t", contract, "ENDED", "PAID")

    async def archived() -> bool:
        try:
            return bool(await world.archive(employer, job.job_id))
        except grpc.aio.AioRpcError:
            return False  # until the contract's end is heard of

    await until(archived)
    assert await world.release(job.job_id, hire, contract) is True
    after = await world.get(employer, job.job_id)
    assert (_counts(after), after.state) == ((1, 0, 0), job_pb2.JOB_STATE_ARCHIVED)
    assert (await world.events(job.job_id))[-2:] == ["archived", "position_released"]
