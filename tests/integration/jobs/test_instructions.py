"""Instructions: written in versions, and read by those who work on the job."""

import asyncio

import grpc

from hireflow.jobs.v1 import instructions_pb2, job_events_pb2
from services.common.auth import Kind
from tests.integration.jobs.world import Metadata, World, new_id
from tests.refusals import reason, refusal
from tests.waiting import until


async def read(
    world: World, caller: Metadata, job_id: str, version: int = 0
) -> instructions_pb2.Instructions:
    request = instructions_pb2.GetInstructionsRequest(job_id=job_id, version=version)
    return (await world.instructions.GetInstructions(request, metadata=caller)).instructions


async def versions(world: World, caller: Metadata, job_id: str) -> list[int]:
    found: list[int] = []
    request = instructions_pb2.ListInstructionsVersionsRequest(job_id=job_id, page_size=2)
    while True:
        page = await world.instructions.ListInstructionsVersions(request, metadata=caller)
        assert not any(each.text for each in page.versions)
        found += [each.version for each in page.versions]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return found


async def test_every_version_is_kept_and_the_latest_is_shown(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    assert await reason(read(world, employer, job.job_id)) == "NOT_FOUND"
    for text in ("one", "two", "three"):
        await world.write(employer, job.job_id, text)
    assert (await read(world, employer, job.job_id)).text == "three"
    assert (await read(world, employer, job.job_id, 1)).text == "one"
    assert await versions(world, employer, job.job_id) == [3, 2, 1]
    assert await reason(read(world, employer, job.job_id, 4)) == "NOT_FOUND"
    told = [
        job_events_pb2.JobInstructionsWritten.FromString(row.data).version
        for row in await world.recorded("job", job.job_id)
        if row.type.endswith("instructions_written")
    ]
    assert told == [1, 2, 3]


async def test_somebody_elses_version_is_not_overwritten_unseen(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    await world.write(employer, job.job_id, "one")
    written = await asyncio.gather(
        *(world.write(employer, job.job_id, text, latest_version=1) for text in "ab"),
        return_exceptions=True,
    )
    refused = [each for each in written if isinstance(each, grpc.aio.AioRpcError)]
    assert [each.code() for each in refused] == [grpc.StatusCode.ABORTED]
    assert await versions(world, employer, job.job_id) == [2, 1]


async def test_only_a_trainer_with_an_active_contract_reads_them(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    await world.write(employer, job.job_id, "Do this.")
    hired, other = new_id("t"), new_id("t")
    contract = new_id("c")

    async def seen(trainer_id: str) -> bool:
        try:
            told = await read(world, world.trainer(trainer_id), job.job_id)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return False
        assert (told.text, told.author_id) == ("Do this.", "")
        return True

    await world.tell_work(job.job_id, hired, contract, "PENDING", "NOT_FUNDED")
    assert not await seen(hired)
    await world.tell_work(job.job_id, hired, contract, "ACTIVE", "ACTIVE_FUNDED")
    await until(lambda: seen(hired))
    assert not await seen(other)
    assert await versions(world, world.trainer(hired), job.job_id) == [1]
    await world.finish(employer, job.job_id)
    assert (await world.get(world.trainer(hired), job.job_id)).title == job.title

    await world.tell_work(job.job_id, hired, contract, "ENDED", "REFUNDED")

    async def ended() -> bool:
        return not await seen(hired)

    await until(ended)


async def test_another_organisation_learns_of_no_instructions(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    await world.write(employer, job.job_id, "Ours.")
    stranger = world.by(Kind.EMPLOYER, new_id("org"))
    assert await reason(read(world, stranger, job.job_id)) == "NOT_FOUND"
    assert await reason(versions(world, stranger, job.job_id)) == "NOT_FOUND"
    assert await reason(world.write(stranger, job.job_id, "Mine.")) == "NOT_FOUND"
    assert (await read(world, world.by(Kind.OPERATOR), job.job_id)).text == "Ours."


async def test_an_archived_job_gets_no_new_version(world: World, employer: Metadata) -> None:
    job = await world.draft(employer)
    await world.write(employer, job.job_id, "Before.")
    await world.archive(employer, job.job_id)
    assert await reason(world.write(employer, job.job_id, "After.")) == "WRONG_STATE"
    assert (await read(world, employer, job.job_id)).text == "Before."


async def test_every_bad_field_is_named(world: World, employer: Metadata) -> None:
    error = await refusal(world.write(employer, "", "x" * 100_001, latest_version=-1))
    assert [each.field for each in error.violations] == ["job_id", "text", "latest_version"]
