"""A job from draft to archive, as its organisation's members see it over gRPC."""

import asyncio

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from hireflow.jobs.v1 import job_pb2
from services.common.auth import Kind
from tests.integration.jobs.world import Metadata, World, complete_job, new_id
from tests.refusals import refusal


async def test_a_job_lives_from_draft_to_archive_and_tells_each_step(
    world: World, employer: Metadata, organisation_id: str
) -> None:
    draft = await world.draft(employer)
    assert draft.state == job_pb2.JOB_STATE_DRAFT
    assert draft.organisation_id == organisation_id
    assert draft.settings.visibility == job_pb2.JOB_VISIBILITY_PUBLIC
    assert not draft.HasField("publish_time")
    published = await world.publish(employer, draft.job_id)
    assert published.state == job_pb2.JOB_STATE_PUBLISHED
    assert published.HasField("publish_time")
    assert published.etag != draft.etag
    await world.finish(employer, draft.job_id)
    assert (await world.reopen(employer, draft.job_id)).state == job_pb2.JOB_STATE_PUBLISHED
    await world.finish(employer, draft.job_id)
    archived = await world.archive(employer, draft.job_id)
    assert archived.state == job_pb2.JOB_STATE_ARCHIVED
    assert await world.get(employer, draft.job_id) == archived
    assert await world.events(draft.job_id) == [
        "created",
        "published",
        "hiring_finished",
        "hiring_reopened",
        "hiring_finished",
        "archived",
    ]


async def test_what_a_draft_is_created_with_is_what_is_read_back(
    world: World, employer: Metadata
) -> None:
    settings = job_pb2.JobSettings(
        visibility=job_pb2.JOB_VISIBILITY_UNLISTED,
        finish_when_filled=True,
        add_hires_to_channels=True,
    )
    draft = await world.draft(employer, settings=settings, required_countries=["DE"])
    expected = complete_job(settings=settings, required_countries=["DE"])
    got = await world.get(employer, draft.job_id)
    assert got == draft
    written = ("title", "description", "category", "pay", "positions", "settings")
    lists = ("required_languages", "required_skills", "required_countries")
    for name in (*written, *lists):
        assert getattr(got, name) == getattr(expected, name)


async def test_output_only_fields_of_a_new_job_are_ignored(
    world: World, employer: Metadata, organisation_id: str
) -> None:
    draft = await world.draft(
        employer,
        job_id="mine",
        organisation_id="theirs",
        state=job_pb2.JOB_STATE_PUBLISHED,
        positions_filled=9,
        proposals=9,
    )
    assert draft.job_id != "mine"
    assert draft.organisation_id == organisation_id
    assert draft.state == job_pb2.JOB_STATE_DRAFT
    assert (draft.positions_filled, draft.proposals) == (0, 0)


async def test_publishing_an_incomplete_draft_names_every_missing_field(
    world: World, employer: Metadata
) -> None:
    create = job_pb2.CreateJobRequest(request_id=new_id("r"))
    draft = (await world.stub.CreateJob(create, metadata=employer)).job
    error = await refusal(world.publish(employer, draft.job_id))
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "JOB_INCOMPLETE")
    assert [violation.field for violation in error.violations] == [
        "job.title",
        "job.description",
        "job.category",
        "job.pay.kind",
        "job.pay.maximum_minor_units",
        "job.pay.currency_code",
        "job.positions",
    ]
    assert await world.events(draft.job_id) == ["created"]


async def test_every_bad_field_is_named_in_one_answer(world: World, employer: Metadata) -> None:
    job = complete_job(
        title="x" * 201,
        positions=-1,
        pay=job_pb2.Pay(kind=77, currency_code="usd"),  # type: ignore[arg-type] # unknown on purpose
        settings=job_pb2.JobSettings(visibility=77),  # type: ignore[arg-type] # unknown on purpose
    )
    error = await refusal(
        world.stub.CreateJob(job_pb2.CreateJobRequest(job=job), metadata=employer)
    )
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS")
    assert {violation.field for violation in error.violations} == {
        "request_id",
        "job.title",
        "job.positions",
        "job.pay.kind",
        "job.pay.currency_code",
        "job.settings.visibility",
    }


async def _update(
    world: World, caller: Metadata, job: job_pb2.Job, *paths: str, request_id: str = ""
) -> job_pb2.Job:
    request = job_pb2.UpdateJobRequest(
        request_id=request_id or new_id("r"), job=job, update_mask=FieldMask(paths=paths)
    )
    return (await world.stub.UpdateJob(request, metadata=caller)).job


async def test_a_mask_changes_the_named_fields_and_no_other(
    world: World, employer: Metadata
) -> None:
    draft = await world.draft(employer, required_countries=["DE"])
    change = job_pb2.Job(job_id=draft.job_id, title="Rate dogs", category="ignored")
    change.pay.maximum_minor_units = 4000
    paths = ("title", "pay.maximum_minor_units", "required_countries")
    changed = await _update(world, employer, change, *paths)
    assert changed.title == "Rate dogs"
    assert changed.category == draft.category
    assert list(changed.required_countries) == []
    assert changed.pay.maximum_minor_units == 4000
    assert changed.pay.minimum_minor_units == draft.pay.minimum_minor_units
    assert await world.events(draft.job_id) == ["created", "updated"]


async def test_without_a_mask_every_field_that_is_set_changes(
    world: World, employer: Metadata
) -> None:
    draft = await world.draft(employer)
    change = job_pb2.Job(job_id=draft.job_id, title="Rate dogs", state=job_pb2.JOB_STATE_ARCHIVED)
    change.settings.finish_when_filled = True
    changed = await _update(world, employer, change)
    assert changed.title == "Rate dogs"
    assert changed.description == draft.description
    assert changed.settings.finish_when_filled
    assert changed.state == job_pb2.JOB_STATE_DRAFT


async def test_a_job_sent_back_as_it_was_read_changes_nothing(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    assert await _update(world, employer, job) == job
    assert await world.events(job.job_id) == ["created", "published"]


@pytest.mark.parametrize("path", ["state", "etag", "positions_filled", "colour", "pay.colour", ""])
async def test_a_mask_with_an_unknown_or_output_only_path_is_refused(
    path: str, world: World, employer: Metadata
) -> None:
    change = job_pb2.Job(job_id=new_id("job"), title="x" * 201)
    error = await refusal(_update(world, employer, change, "title", path))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in error.violations] == [
        "update_mask.paths[1]",
        "job.title",
    ]


@pytest.mark.parametrize("path", ["settings", "settings.visibility"])
async def test_a_job_by_invitation_is_never_made_public_by_silence(
    path: str, world: World, employer: Metadata
) -> None:
    settings = job_pb2.JobSettings(visibility=job_pb2.JOB_VISIBILITY_INVITE_ONLY)
    draft = await world.draft(employer, settings=settings)
    change = job_pb2.Job(job_id=draft.job_id, title="x" * 201)
    change.settings.finish_when_filled = True
    error = await refusal(_update(world, employer, change, "title", path))
    assert [each.field for each in error.violations] == ["job.title", "job.settings.visibility"]
    change = job_pb2.Job(job_id=draft.job_id)
    error = await refusal(_update(world, employer, change, path))
    assert [each.field for each in error.violations] == ["job.settings.visibility"]
    assert (await world.get(employer, draft.job_id)).settings == settings


async def test_a_named_field_of_a_group_that_is_not_sent_is_emptied(
    world: World, employer: Metadata
) -> None:
    settings = job_pb2.JobSettings(
        visibility=job_pb2.JOB_VISIBILITY_UNLISTED, finish_when_filled=True
    )
    draft = await world.draft(employer, settings=settings)
    paths = ("pay.kind", "settings.finish_when_filled")
    changed = await _update(world, employer, job_pb2.Job(job_id=draft.job_id), *paths)
    assert changed.pay.kind == job_pb2.PAY_KIND_UNSPECIFIED
    assert changed.pay.maximum_minor_units == draft.pay.maximum_minor_units
    assert changed.settings.visibility == job_pb2.JOB_VISIBILITY_UNLISTED
    assert not changed.settings.finish_when_filled


async def test_a_range_is_checked_against_the_bound_that_was_there_before(
    world: World, employer: Metadata
) -> None:
    draft = await world.draft(employer)
    change = job_pb2.Job(job_id=draft.job_id)
    change.pay.maximum_minor_units = draft.pay.minimum_minor_units - 1
    error = await refusal(_update(world, employer, change, "pay.maximum_minor_units"))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [each.field for each in error.violations] == ["job.pay.maximum_minor_units"]


async def test_a_stale_etag_is_aborted_and_the_present_one_accepted(
    world: World, employer: Metadata
) -> None:
    draft = await world.draft(employer)
    first = job_pb2.Job(job_id=draft.job_id, title="First", etag=draft.etag)
    changed = await _update(world, employer, first)
    second = job_pb2.Job(job_id=draft.job_id, title="Second", etag=draft.etag)
    error = await refusal(_update(world, employer, second))
    assert (error.code, error.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    publish = job_pb2.PublishJobRequest(
        request_id=new_id("r"), job_id=draft.job_id, etag=changed.etag
    )
    await world.stub.PublishJob(publish, metadata=employer)


async def test_a_step_that_the_state_does_not_know_is_refused(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    for step in (world.publish(employer, job.job_id), world.archive(employer, job.job_id)):
        error = await refusal(step)
        assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WRONG_STATE")
        assert "a published job cannot" in error.message


async def test_fifty_equal_creations_make_one_job_and_give_fifty_equal_answers(
    world: World, employer: Metadata, organisation_id: str
) -> None:
    request = job_pb2.CreateJobRequest(request_id=new_id("r"), job=complete_job())
    answers = await asyncio.gather(
        *(world.stub.CreateJob(request, metadata=employer) for _ in range(50))
    )
    assert all(answer == answers[0] for answer in answers)
    listed = await world.stub.ListJobs(job_pb2.ListJobsRequest(), metadata=employer)
    assert [job.job_id for job in listed.jobs] == [answers[0].job.job_id]
    assert listed.jobs[0].organisation_id == organisation_id
    assert await world.events(answers[0].job.job_id) == ["created"]


async def test_a_repeat_gets_the_first_answer_even_after_later_changes(
    world: World, employer: Metadata
) -> None:
    draft = await world.draft(employer)
    request = job_pb2.PublishJobRequest(request_id=new_id("r"), job_id=draft.job_id)
    first = await world.stub.PublishJob(request, metadata=employer)
    await world.finish(employer, draft.job_id)
    assert await world.stub.PublishJob(request, metadata=employer) == first
    assert await world.events(draft.job_id) == ["created", "published", "hiring_finished"]


async def test_a_request_id_used_for_another_body_is_refused(
    world: World, employer: Metadata
) -> None:
    request = job_pb2.CreateJobRequest(request_id=new_id("r"), job=complete_job())
    await world.stub.CreateJob(request, metadata=employer)
    request.job.title = "Something else"
    error = await refusal(world.stub.CreateJob(request, metadata=employer))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert error.reason == "REQUEST_ID_REUSED"


async def test_an_agent_may_do_what_a_member_may(world: World, organisation_id: str) -> None:
    agent = world.by(Kind.AGENT, organisation_id)
    job = await world.published(agent)
    await world.finish(agent, job.job_id)
    await world.archive(agent, job.job_id)
