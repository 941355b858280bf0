"""The employer's guide on folders: a test per sentence, through the APIs."""

import pytest

from deploy.local import workspace
from deploy.local.journey import new_id
from hireflow.jobs.v1 import job_pb2
from tests.e2e.conftest import System
from tests.e2e.guide.acts import published

pytestmark = pytest.mark.timeout(240)


async def test_folders_group_related_jobs(system: System) -> None:
    organisation = f"org-{new_id()}"
    first = await published(system, organisation)
    await published(system, organisation)
    folder_id = await workspace.put_in_folder(first, "Spring sprint")
    inside = job_pb2.ListJobsRequest(folder_id=folder_id)
    [job] = (await first.employer.call(system.services.jobs.ListJobs, inside)).jobs
    assert job.job_id == first.job.job_id
