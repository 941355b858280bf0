"""An organisation's list of jobs, page by page."""

import grpc
import pytest

from hireflow.jobs.v1 import job_pb2
from services.common.auth import Kind
from tests.integration.jobs.world import Metadata, World, new_id
from tests.refusals import refusal


async def _page(
    world: World,
    caller: Metadata,
    size: int,
    token: str = "",
    *states: "job_pb2.JobState.ValueType",
) -> job_pb2.ListJobsResponse:
    request = job_pb2.ListJobsRequest(page_size=size, page_token=token, states=states)
    return await world.stub.ListJobs(request, metadata=caller)


async def test_pages_show_every_job_once_newest_first_while_others_are_created(
    world: World, employer: Metadata
) -> None:
    jobs = [(await world.draft(employer)).job_id for _ in range(7)]
    seen: list[str] = []
    token = ""
    while True:
        page = await _page(world, employer, 3, token)
        seen += [job.job_id for job in page.jobs]
        await world.draft(employer)
        token = page.next_page_token
        if not token:
            break
    assert seen == jobs[::-1]


async def test_a_list_leaves_out_the_archive_unless_asked_for_it(
    world: World, employer: Metadata
) -> None:
    kept, archived = await world.published(employer), await world.draft(employer)
    await world.archive(employer, archived.job_id)
    page = await _page(world, employer, 0)
    assert [job.job_id for job in page.jobs] == [kept.job_id]
    page = await _page(world, employer, 0, "", job_pb2.JOB_STATE_ARCHIVED)
    assert [job.job_id for job in page.jobs] == [archived.job_id]


async def test_states_are_merged_in_the_order_of_creation(world: World, employer: Metadata) -> None:
    wanted = []
    for number in range(6):
        job = await (world.draft if number % 2 else world.published)(employer)
        wanted.append(job.job_id)
    both = job_pb2.JOB_STATE_DRAFT, job_pb2.JOB_STATE_PUBLISHED
    first = await _page(world, employer, 4, "", *both)
    second = await _page(world, employer, 4, first.next_page_token, *both)
    assert [job.job_id for job in (*first.jobs, *second.jobs)] == wanted[::-1]
    assert second.next_page_token == ""


async def test_a_page_token_is_bound_to_its_caller_and_filter(
    world: World, employer: Metadata, organisation_id: str
) -> None:
    for _ in range(2):
        await world.draft(employer)
    token = (await _page(world, employer, 1)).next_page_token
    assert token
    colleague = world.by(Kind.EMPLOYER, organisation_id)
    draft = job_pb2.JOB_STATE_DRAFT
    for call in (
        _page(world, colleague, 1, token),
        _page(world, employer, 1, token, draft),
        _page(world, employer, 1, "made-up"),
        _page(world, employer, -1),
    ):
        assert (await refusal(call)).code is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_organisation_sees_its_own_jobs_alone(world: World, employer: Metadata) -> None:
    await world.draft(employer)
    stranger = world.by(Kind.EMPLOYER, new_id("org"))
    assert not (await _page(world, stranger, 0)).jobs
    request = job_pb2.ListJobsRequest(organisation_id=new_id("org"))
    error = await refusal(world.stub.ListJobs(request, metadata=employer))
    assert error.code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("state", [0, 77])
async def test_an_unknown_state_is_named(state: int, world: World, employer: Metadata) -> None:
    request = job_pb2.ListJobsRequest(states=[job_pb2.JOB_STATE_DRAFT])
    request.states.append(state)  # type: ignore[arg-type] # unknown on purpose
    error = await refusal(world.stub.ListJobs(request, metadata=employer))
    assert [violation.field for violation in error.violations] == ["states[1]"]


async def test_a_list_is_asked_for_ten_states_at_most(world: World, employer: Metadata) -> None:
    request = job_pb2.ListJobsRequest(states=[job_pb2.JOB_STATE_DRAFT] * 11)
    error = await refusal(world.stub.ListJobs(request, metadata=employer))
    assert [violation.field for violation in error.violations] == ["states"]


async def found(world: World, caller: Metadata, text: str = "", category: str = "") -> set[str]:
    request = job_pb2.ListJobsRequest(text=text, category=category)
    listed = await world.stub.ListJobs(request, metadata=caller)
    return {job.title for job in listed.jobs}


async def test_a_list_is_narrowed_by_category_and_by_words_of_any_script(
    world: World, employer: Metadata
) -> None:
    await world.draft(employer, title="Label cats", category="vision")
    await world.draft(
        employer, title="Übersetzen", description="Deutsch nach 日本語", category="text"
    )
    await world.draft(employer, title="Rate 100% of_it", category="text")
    assert await found(world, employer, category="text") == {"Übersetzen", "Rate 100% of_it"}
    assert await found(world, employer, text="LABEL c") == {"Label cats"}
    assert await found(world, employer, text="übersetz") == {"Übersetzen"}
    assert await found(world, employer, text="本") == {"Übersetzen"}
    assert await found(world, employer, text="% of_", category="text") == {"Rate 100% of_it"}
    assert await found(world, employer, text="nothing like it") == set()


async def test_a_page_with_conditions_looks_at_so_many_jobs_and_the_pages_show_each_once(
    world: World, employer: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.jobs.store.jobs.LOOK", 4)
    folder = (await world.folder(employer, "Mixed")).folder_id
    made = []
    for number in range(11):
        # The rare ones are the oldest, the ninth and the newest.
        rare = number in {0, 8, 10}
        changes = {"title": "Rare" if rare else "Usual", "category": "one" if rare else "two"}
        job = await (world.draft if number % 2 else world.published)(employer, **changes)
        await world.move(employer, folder, job.job_id)
        made.append(job.job_id)

    async def pages(request: job_pb2.ListJobsRequest) -> list[list[int]]:
        shown = []
        while True:
            page = await world.stub.ListJobs(request, metadata=employer)
            shown.append([made.index(job.job_id) for job in page.jobs])
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return shown

    expected = [[10, 8], [], [0]]
    assert await pages(job_pb2.ListJobsRequest(text="rare")) == expected
    assert await pages(job_pb2.ListJobsRequest(folder_id=folder, category="one")) == expected
    assert await pages(job_pb2.ListJobsRequest(text="rare", page_size=1)) == [[10], [8], [], [0]]
    assert await pages(job_pb2.ListJobsRequest(category="one", page_size=2)) == [[10, 8], [0]]


async def test_a_token_of_one_filter_is_refused_for_another(
    world: World, employer: Metadata
) -> None:
    for _ in range(2):
        await world.draft(employer, category="text")
    request = job_pb2.ListJobsRequest(page_size=1, category="text")
    request.page_token = (await world.stub.ListJobs(request, metadata=employer)).next_page_token
    request.category = "vision"
    error = await refusal(world.stub.ListJobs(request, metadata=employer))
    assert [each.field for each in error.violations] == ["page_token"]
