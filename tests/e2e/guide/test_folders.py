"""The employer's guide on folders: a test per sentence, through the APIs."""

import pytest

from deploy.local import workspace
from deploy.local.journey import new_id
from hireflow.jobs.v1 import folder_pb2, job_pb2
from tests.e2e.conftest import System
from tests.e2e.guide.acts import published, screened

pytestmark = pytest.mark.timeout(240)


async def test_folders_group_related_jobs(system: System) -> None:
    organisation = f"org-{new_id()}"
    first, second, unrelated = [await published(system, organisation) for _ in range(3)]
    folder_id = await workspace.put_in_folder(first, "Spring sprint")
    await workspace.move_to_folder(second, folder_id)
    inside = job_pb2.ListJobsRequest(folder_id=folder_id)
    listed = (await first.employer.call(system.services.jobs.ListJobs, inside)).jobs
    assert {job.job_id for job in listed} == {first.job.job_id, second.job.job_id}
    folders = folder_pb2.ListFoldersRequest()
    [folder] = (await first.employer.call(system.services.folders.ListFolders, folders)).folders
    assert (folder.folder_id, folder.name, folder.jobs) == (folder_id, "Spring sprint", 2)
    assert unrelated.job.job_id not in {job.job_id for job in listed}


async def test_folder_level_screening_can_aggregate_structured_answers_across_multiple_jobs(
    system: System,
) -> None:
    organisation = f"org-{new_id()}"
    first = await published(system, organisation)
    second = await published(system, organisation)
    folder_id = await workspace.put_in_folder(first, "Spring sprint")
    await workspace.move_to_folder(second, folder_id)
    for journey in (first, second):
        await screened(system, journey)

    table = await workspace.folder_table(first, folder_id, candidates=2)
    assert [column.label for column in table.columns] == ["Years of practice"]
    assert {row.job_id for row in table.rows} == {first.job.job_id, second.job.job_id}
    assert [row.cells[0].answer.number for row in table.rows] == [7, 7]
    lines = (await workspace.folder_csv(first, folder_id)).splitlines()
    assert len(lines) == 3
    assert "Years of practice" in lines[0]
