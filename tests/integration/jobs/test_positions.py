"""What hires do with the positions of a job: idempotent, in any order, and in a race."""

import asyncio

import grpc
import pytest

from hireflow.jobs.v1 import job_pb2
from services.common.auth import Kind
from services.common.remote_errors import error_of
from tests.integration.jobs.world import Metadata, World, new_id
from tests.refusals import refusal
from tests.waiting import until

FINISHES = job_pb2.JobSettings(finish_when_filled=True)


def _counts(job: job_pb2.Job) -> tuple[int, int, int]:
    return job.positions, job.positions_reserved, job.positions_filled


async def test_a_position_is_reserved_and_filled(world: World, employer: Metadata) -> None:
    job = await world.published(employer)
    assert _counts(await world.reserve(job.job_id, new_id("h"))) == (2, 1, 0)
    hire = new_id("h")
    assert _counts(await world.reserve(job.job_id, hire)) == (2, 2, 0)
    filled = await world.fill(job.job_id, hire, new_id("c"))
    assert _counts(filled.job) == (2, 1, 1)
    assert _counts(await world.get(world.by(Kind.TRAINER), job.job_id)) == (2, 0, 1)
    assert not filled.hiring_finished
    assert await world.events(job.job_id) == [
        "created",
        "published",
        "position_reserved",
        "position_reserved",
        "position_filled",
    ]


async def test_a_released_position_is_free_again(world: World, employer: Metadata) -> None:
    job, hire = await world.published(employer, positions=1), new_id("h")
    await world.reserve(job.job_id, hire)
    assert await world.release(job.job_id, hire) is True
    assert await world.release(job.job_id, hire) is False
    assert _counts(await world.reserve(job.job_id, new_id("h"))) == (1, 1, 0)
    assert (await world.events(job.job_id))[2:] == [
        "position_reserved",
        "position_released",
        "position_reserved",
    ]


async def test_the_same_hire_under_new_requests_finds_its_effect_done(
    world: World, employer: Metadata
) -> None:
    job, hire, contract = await world.published(employer), new_id("h"), new_id("c")
    first = await world.reserve(job.job_id, hire)
    assert await world.reserve(job.job_id, hire) == first
    filled = await world.fill(job.job_id, hire, contract)
    assert await world.fill(job.job_id, hire, contract) == filled
    assert await world.reserve(job.job_id, hire) == filled.job
    assert (await world.events(job.job_id))[2:] == ["position_reserved", "position_filled"]


async def test_fifty_equal_reservations_hold_one_position(world: World, employer: Metadata) -> None:
    job = await world.published(employer)
    request = job_pb2.ReservePositionRequest(
        request_id=new_id("r"), job_id=job.job_id, hire_id=new_id("h")
    )
    workflow = world.by(Kind.SERVICE)
    answers = await asyncio.gather(
        *(world.stub.ReservePosition(request, metadata=workflow) for _ in range(50))
    )
    assert all(answer == answers[0] for answer in answers)
    assert _counts(await world.get(employer, job.job_id)) == (2, 1, 0)
    assert (await world.events(job.job_id))[2:] == ["position_reserved"]


async def test_of_many_hires_racing_for_the_last_position_exactly_one_wins(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer, positions=1)
    outcomes = await asyncio.gather(
        *(world.reserve(job.job_id, new_id("h")) for _ in range(10)), return_exceptions=True
    )
    lost = [each for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert len(lost) == 9
    assert {each.code() for each in lost} == {grpc.StatusCode.FAILED_PRECONDITION}
    assert _counts(await world.get(employer, job.job_id)) == (1, 1, 0)
    error = await refusal(world.reserve(job.job_id, new_id("h")))
    assert error.reason == "NO_POSITION"
    assert (await world.events(job.job_id))[2:] == ["position_reserved"]


async def test_a_refused_hire_leaves_no_trace_and_may_come_again(
    world: World, employer: Metadata
) -> None:
    job, first, second = await world.published(employer, positions=1), new_id("h"), new_id("h")
    request_id = new_id("r")
    await world.reserve(job.job_id, first)
    await refusal(world.reserve(job.job_id, second, request_id))
    await world.release(job.job_id, first)
    assert _counts(await world.reserve(job.job_id, second, request_id)) == (1, 1, 0)


async def test_a_release_that_overtakes_its_reservation_is_remembered(
    world: World, employer: Metadata
) -> None:
    job, hire = await world.published(employer), new_id("h")
    assert await world.release(job.job_id, hire) is False
    error = await refusal(world.reserve(job.job_id, hire))
    assert error.code is grpc.StatusCode.FAILED_PRECONDITION
    assert error.reason == "RESERVATION_RELEASED"
    error = await refusal(world.fill(job.job_id, hire, new_id("c")))
    assert error.reason == "RESERVATION_RELEASED"
    assert _counts(await world.get(employer, job.job_id)) == (2, 0, 0)
    assert await world.events(job.job_id) == ["created", "published"]


async def test_a_reservation_and_its_release_at_once_never_leave_a_position_held(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer, positions=10)
    hires = [new_id("h") for _ in range(10)]
    await asyncio.gather(
        *(world.reserve(job.job_id, hire) for hire in hires),
        *(world.release(job.job_id, hire) for hire in hires),
        return_exceptions=True,
    )
    assert _counts(await world.get(employer, job.job_id)) == (10, 0, 0)


@pytest.mark.parametrize("state", ["a draft", "hiring done", "archived"])
async def test_a_job_that_is_not_open_takes_no_hires(
    state: str, world: World, employer: Metadata
) -> None:
    job = await world.draft(employer)
    if state != "a draft":
        await world.publish(employer, job.job_id)
        await world.finish(employer, job.job_id)
    if state == "archived":
        await world.archive(employer, job.job_id)
    error = await refusal(world.reserve(job.job_id, new_id("h")))
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "JOB_NOT_OPEN")


async def test_a_running_hire_is_filled_or_released_after_hiring_is_done(
    world: World, employer: Metadata
) -> None:
    job, stays, goes = await world.published(employer), new_id("h"), new_id("h")
    await world.reserve(job.job_id, stays)
    await world.reserve(job.job_id, goes)
    await world.finish(employer, job.job_id)
    assert await world.release(job.job_id, goes) is True
    filled = await world.fill(job.job_id, stays, new_id("c"))
    assert filled.job.state == job_pb2.JOB_STATE_HIRING_DONE
    assert _counts(filled.job) == (2, 0, 1)
    assert not filled.hiring_finished


async def test_filling_the_last_position_finishes_hiring_when_the_job_says_so(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer, settings=FINISHES)
    hires = [(new_id("h"), new_id("c")) for _ in range(2)]
    for hire, _ in hires:
        await world.reserve(job.job_id, hire)
    first, last = [await world.fill(job.job_id, *hire) for hire in hires]
    assert not first.hiring_finished
    assert last.hiring_finished
    assert last.job.state == job_pb2.JOB_STATE_HIRING_DONE
    assert await world.fill(job.job_id, *hires[1]) == last
    assert (await world.events(job.job_id))[-3:] == [
        "position_filled",
        "position_filled",
        "hiring_finished",
    ]


async def test_a_position_is_filled_only_by_the_hire_that_reserved_it(
    world: World, employer: Metadata
) -> None:
    job, other = await world.published(employer), await world.published(employer)
    hire, contract = new_id("h"), new_id("c")
    error = await refusal(world.fill(job.job_id, hire, contract))
    assert error.code is grpc.StatusCode.NOT_FOUND
    await world.reserve(job.job_id, hire)
    for call in (
        world.fill(other.job_id, hire, contract),
        world.release(other.job_id, hire),
        world.reserve(other.job_id, hire),
    ):
        assert (await refusal(call)).code is grpc.StatusCode.NOT_FOUND
    await world.fill(job.job_id, hire, contract)
    error = await refusal(world.fill(job.job_id, hire, new_id("c")))
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WRONG_STATE")
    error = await refusal(world.release(job.job_id, hire))
    assert error.reason == "WRONG_STATE"


async def test_a_contract_fills_one_position_only(world: World, employer: Metadata) -> None:
    job, contract = await world.published(employer), new_id("c")
    hires = [new_id("h"), new_id("h")]
    for hire in hires:
        await world.reserve(job.job_id, hire)
    await world.fill(job.job_id, hires[0], contract)
    error = await refusal(world.fill(job.job_id, hires[1], contract))
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WRONG_STATE")
    assert _counts(await world.get(employer, job.job_id)) == (2, 1, 1)


async def test_positions_cannot_go_below_those_in_use(world: World, employer: Metadata) -> None:
    job = await world.published(employer)
    for _ in range(2):
        await world.reserve(job.job_id, new_id("h"))
    change = job_pb2.Job(job_id=job.job_id, positions=1)
    request = job_pb2.UpdateJobRequest(request_id=new_id("r"), job=change)
    error = await refusal(world.stub.UpdateJob(request, metadata=employer))
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "POSITIONS_IN_USE")
    assert [violation.field for violation in error.violations] == ["job.positions"]


async def test_a_job_with_a_running_hire_or_a_contract_is_not_archived(
    world: World, employer: Metadata
) -> None:
    job, hire = await world.published(employer), new_id("h")
    await world.reserve(job.job_id, hire)
    await world.finish(employer, job.job_id)
    error = await refusal(world.archive(employer, job.job_id))
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "JOB_IN_USE")
    await world.fill(job.job_id, hire, new_id("c"))
    assert (await refusal(world.archive(employer, job.job_id))).reason == "JOB_IN_USE"


async def test_a_job_goes_to_the_archive_when_all_work_on_it_is_over(
    world: World, employer: Metadata
) -> None:
    job, hire, contract = await world.published(employer), new_id("h"), new_id("c")
    await world.reserve(job.job_id, hire)
    await world.fill(job.job_id, hire, contract)
    await world.finish(employer, job.job_id)

    async def archived() -> bool:
        try:
            await world.archive(employer, job.job_id)
        except grpc.aio.AioRpcError as error:
            told.append(error_of(error).message)
            return False
        return True

    async def told_of(part: str) -> bool:
        assert not await archived()
        return part in told[-1]

    told: list[str] = []
    assert await told_of("1 contracts and 0 milestones")
    await world.tell_work(job.job_id, "t", contract, "ACTIVE", "ACTIVE_FUNDED")
    await until(lambda: told_of("1 contracts and 1 milestones"))
    await world.tell_work(job.job_id, "t", contract, "ENDED", "DISPUTED")
    await until(lambda: told_of("0 contracts and 1 milestones"))
    await world.tell_work(job.job_id, "t", contract, "ENDED", "REFUNDED")
    await until(archived)


async def test_every_bad_id_is_named_in_one_answer(world: World) -> None:
    call = world.stub.FillPosition(
        job_pb2.FillPositionRequest(job_id="x" * 65, hire_id="a\x00b"),
        metadata=world.by(Kind.SERVICE),
    )
    error = await refusal(call)
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in error.violations] == [
        "request_id",
        "job_id",
        "hire_id",
        "contract_id",
    ]
