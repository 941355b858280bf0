"""Folders: made, renamed, emptied, deleted; and the jobs in them."""

import asyncio

import grpc.aio
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from hireflow.jobs.v1 import folder_events_pb2, folder_pb2, job_events_pb2, job_pb2
from services.common.auth import Kind
from services.common.remote_errors import error_of
from tests.integration.jobs.world import Metadata, World, new_id
from tests.refusals import reason, refusal


async def get(world: World, caller: Metadata, folder_id: str) -> folder_pb2.Folder:
    request = folder_pb2.GetFolderRequest(folder_id=folder_id)
    return (await world.folders.GetFolder(request, metadata=caller)).folder


async def update(
    world: World, caller: Metadata, folder: folder_pb2.Folder, *paths: str
) -> folder_pb2.Folder:
    request = folder_pb2.UpdateFolderRequest(
        request_id=new_id("r"), folder=folder, update_mask=FieldMask(paths=paths)
    )
    return (await world.folders.UpdateFolder(request, metadata=caller)).folder


async def delete(world: World, caller: Metadata, folder_id: str, etag: str = "") -> int:
    request = folder_pb2.DeleteFolderRequest(request_id=new_id("r"), folder_id=folder_id, etag=etag)
    return (await world.folders.DeleteFolder(request, metadata=caller)).jobs


async def names(world: World, caller: Metadata, size: int = 0) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    request = folder_pb2.ListFoldersRequest(page_size=size)
    while True:
        page = await world.folders.ListFolders(request, metadata=caller)
        found += [(folder.name, folder.jobs) for folder in page.folders]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return found


async def in_folder(world: World, caller: Metadata, folder_id: str) -> set[str]:
    request = job_pb2.ListJobsRequest(folder_id=folder_id)
    listed = await world.stub.ListJobs(request, metadata=caller)
    return {job.job_id for job in listed.jobs}


async def test_a_folder_lives_from_its_name_to_its_end_and_its_jobs_stay(
    world: World, employer: Metadata
) -> None:
    folder = await world.folder(employer, "Spring", colour="#1f77b4")
    jobs = [(await world.draft(employer)).job_id for _ in range(3)]
    await world.move(employer, folder.folder_id, *jobs[:2])
    assert await in_folder(world, employer, folder.folder_id) == set(jobs[:2])
    assert (await world.get(employer, jobs[0])).folder_id == folder.folder_id
    changed = await update(
        world, employer, folder_pb2.Folder(folder_id=folder.folder_id, name="Summer")
    )
    assert (changed.name, changed.colour, changed.jobs) == ("Summer", "#1f77b4", 2)
    assert await delete(world, employer, folder.folder_id, changed.etag) == 2
    assert await reason(get(world, employer, folder.folder_id)) == "NOT_FOUND"
    assert (await world.get(employer, jobs[0])).folder_id == ""
    told = [
        folder_events_pb2.FolderChanged.FromString(row.data).deleted
        for row in await world.recorded("folder", folder.folder_id)
    ]
    assert told == [False, False, True]


async def test_a_job_is_in_one_folder_and_tells_where(world: World, employer: Metadata) -> None:
    one = await world.folder(employer, "One")
    two = await world.folder(employer, "Two")
    job = await world.draft(employer)
    for folder_id in (one.folder_id, two.folder_id, two.folder_id, ""):
        [result] = await world.move(employer, folder_id, job.job_id)
        assert result.moved
        assert (await world.get(employer, job.job_id)).folder_id == folder_id
    told = [
        job_events_pb2.JobUpdated.FromString(row.data).job.folder_id
        for row in await world.recorded("job", job.job_id)
        if row.type.endswith("updated")
    ]
    assert told == [one.folder_id, two.folder_id, ""]
    assert await names(world, employer) == [("One", 0), ("Two", 0)]


async def test_each_job_is_told_what_became_of_it(world: World, employer: Metadata) -> None:
    folder = await world.folder(employer, "Mixed")
    good = (await world.draft(employer)).job_id
    theirs = (await world.draft(world.by(Kind.EMPLOYER, new_id("org")))).job_id
    results = await world.move(employer, folder.folder_id, good, theirs, "unknown")
    assert [(each.moved, each.reason) for each in results] == [
        (True, ""),
        (False, "NOT_FOUND"),
        (False, "NOT_FOUND"),
    ]


async def test_a_full_folder_takes_no_more_jobs_until_one_leaves(
    world: World, employer: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.jobs.domain.folder.JOBS_LIMIT", 2)
    folder = (await world.folder(employer, "Small")).folder_id
    one, two, three, four = [(await world.draft(employer)).job_id for _ in range(4)]

    async def refused(to: str, *job_ids: str) -> list[str]:
        return [each.reason for each in await world.move(employer, to, *job_ids)]

    assert await refused(folder, one) == [""]
    full = "FOLDER_TOO_FULL"
    assert await refused(folder, three, one, two, four) == ["", "", full, full]
    assert await in_folder(world, employer, folder) == {one, three}
    assert await world.events(two) == ["created"]
    assert await refused("", one) == [""]
    moves = await asyncio.gather(*(refused(folder, job_id) for job_id in (one, two, four)))
    assert sorted(moves) == [[""], [full], [full]]
    assert await delete(world, employer, folder) == 2


async def test_archived_jobs_are_moved_too(world: World, employer: Metadata) -> None:
    folder = (await world.folder(employer, "Old")).folder_id
    job = (await world.draft(employer)).job_id
    await world.archive(employer, job)
    for to in (folder, ""):
        [result] = await world.move(employer, to, job)
        assert result.moved
        after = await world.get(employer, job)
        assert (after.folder_id, after.state) == (to, job_pb2.JOB_STATE_ARCHIVED)
    assert await world.events(job) == ["created", "archived", "updated", "updated"]


async def test_of_two_folders_with_one_name_made_at_once_one_is_refused(
    world: World, employer: Metadata
) -> None:
    made = await asyncio.gather(
        world.folder(employer, "Client A"),
        world.folder(employer, "CLIENT a"),
        return_exceptions=True,
    )
    [refused] = [each for each in made if isinstance(each, grpc.aio.AioRpcError)]
    assert error_of(refused).reason == "FOLDER_EXISTS"
    [kept] = [each for each in made if isinstance(each, folder_pb2.Folder)]
    assert await names(world, employer) == [(kept.name, 0)]
    other = await world.folder(employer, "Client B")
    taken = update(world, employer, folder_pb2.Folder(folder_id=other.folder_id, name="client A"))
    assert await reason(taken) == "FOLDER_EXISTS"


async def test_what_a_mask_names_of_a_folder_changes_and_is_emptied_where_nothing_is_sent(
    world: World, employer: Metadata
) -> None:
    folder = await world.folder(employer, "Spring", "All of it.", "#1f77b4")
    change = folder_pb2.Folder(
        folder_id=folder.folder_id, name="Ignored", description="Less.", colour="#ffffff"
    )
    changed = await update(world, employer, change, "description", "colour")
    assert (changed.name, changed.description, changed.colour) == ("Spring", "Less.", "#ffffff")
    bare = folder_pb2.Folder(folder_id=folder.folder_id)
    changed = await update(world, employer, bare, "description", "colour")
    assert (changed.name, changed.description, changed.colour) == ("Spring", "", "")


@pytest.mark.parametrize(
    ("paths", "field"),
    [
        (["colour", "jobs"], "update_mask.paths[1]"),
        (["name"], "folder.name"),
        (["colour"] * 11, "update_mask"),
    ],
)
async def test_a_mask_of_a_folder_that_is_no_good_is_refused(
    paths: list[str], field: str, world: World, employer: Metadata
) -> None:
    change = folder_pb2.Folder(folder_id=new_id("f"))
    error = await refusal(update(world, employer, change, *paths))
    assert [each.field for each in error.violations] == [field]


async def test_two_hundred_jobs_at_most_are_moved_at_once(world: World, employer: Metadata) -> None:
    error = await refusal(world.move(employer, "", *(f"job-{number}" for number in range(201))))
    assert [each.field for each in error.violations] == ["job_ids"]


async def test_folders_are_listed_by_name_page_by_page(world: World, employer: Metadata) -> None:
    for name in ("delta", "Alpha", "charlie", "Bravo"):
        await world.folder(employer, name)
    listed = [name for name, _ in await names(world, employer, size=3)]
    assert listed == ["Alpha", "Bravo", "charlie", "delta"]


async def test_a_stale_etag_changes_nothing(world: World, employer: Metadata) -> None:
    folder = await world.folder(employer, "Before")
    fresh = folder_pb2.Folder(folder_id=folder.folder_id, name="After", etag=folder.etag)
    await update(world, employer, fresh)
    fresh.name = "Again"
    assert await reason(update(world, employer, fresh)) == "ETAG_MISMATCH"
    assert await reason(delete(world, employer, folder.folder_id, folder.etag)) == "ETAG_MISMATCH"


async def test_every_bad_field_of_a_folder_is_named(world: World, employer: Metadata) -> None:
    error = await refusal(world.folder(employer, " ", description="x" * 1001, colour="blue"))
    assert [each.field for each in error.violations] == [
        "folder.name",
        "folder.description",
        "folder.colour",
    ]


async def test_another_organisations_folder_is_not_there(world: World, employer: Metadata) -> None:
    folder = await world.folder(employer, "Ours")
    stranger = world.by(Kind.EMPLOYER, new_id("org"))
    job = await world.draft(stranger)
    for call in (
        get(world, stranger, folder.folder_id),
        delete(world, stranger, folder.folder_id),
        update(world, stranger, folder_pb2.Folder(folder_id=folder.folder_id, name="Mine")),
        world.move(stranger, folder.folder_id, job.job_id),
    ):
        assert await reason(call) == "NOT_FOUND"
    assert await in_folder(world, stranger, folder.folder_id) == set()
    assert (await get(world, world.by(Kind.OPERATOR), folder.folder_id)).name == "Ours"
