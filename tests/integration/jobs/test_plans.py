"""A job's screening plan, as members, trainers and other services see it."""

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from hireflow.jobs.v1 import job_events_pb2, job_pb2
from services.common.auth import Kind
from tests.integration.jobs.world import Metadata, World, new_id
from tests.refusals import refusal

PLAN = job_pb2.ScreeningPlan(
    prompt="Find out whether they know cats.",
    fields=[
        job_pb2.ScreeningField(
            key="why", label="Why you?", required=True, type=job_pb2.SCREENING_FIELD_TYPE_LONG_TEXT
        ),
        job_pb2.ScreeningField(
            key="level",
            label="Level",
            type=job_pb2.SCREENING_FIELD_TYPE_SINGLE_SELECT,
            options=["junior", "senior"],
        ),
    ],
)


async def update(world: World, caller: Metadata, job: job_pb2.Job, *paths: str) -> job_pb2.Job:
    request = job_pb2.UpdateJobRequest(
        request_id=new_id("r"), job=job, update_mask=FieldMask(paths=paths)
    )
    return (await world.stub.UpdateJob(request, metadata=caller)).job


async def test_a_plan_is_read_back_as_it_was_written_and_its_version_grows_with_it_alone(
    world: World, employer: Metadata
) -> None:
    draft = await world.draft(employer, screening_plan=PLAN)
    assert draft.screening_plan == PLAN
    assert draft.screening_plan_version == 1
    renamed = await update(world, employer, job_pb2.Job(job_id=draft.job_id, title="Dogs"))
    assert renamed.screening_plan_version == 1
    asked = job_pb2.Job(job_id=draft.job_id, screening_plan=job_pb2.ScreeningPlan(prompt="Dogs?"))
    replanned = await update(world, employer, asked, "screening_plan.prompt")
    assert replanned.screening_plan_version == 2
    assert list(replanned.screening_plan.fields) == list(PLAN.fields)
    bare = await update(world, employer, job_pb2.Job(job_id=draft.job_id), "screening_plan")
    assert not bare.HasField("screening_plan")
    assert bare.screening_plan_version == 3


async def test_the_questions_alone_are_changed_under_the_prompt_that_was_there(
    world: World, employer: Metadata
) -> None:
    draft = await world.draft(employer, screening_plan=PLAN)
    asked = job_pb2.Job(job_id=draft.job_id)
    asked.screening_plan.fields.extend(PLAN.fields[:1])
    changed = await update(world, employer, asked, "screening_plan.fields")
    assert changed.screening_plan.prompt == PLAN.prompt
    assert list(changed.screening_plan.fields) == [PLAN.fields[0]]
    for path in ("screening_plan", "screening_plan.prompt"):
        asked.screening_plan.prompt = ""
        error = await refusal(update(world, employer, asked, path))
        assert [each.field for each in error.violations] == ["job.screening_plan.prompt"]


async def test_trainers_see_the_questions_and_not_what_the_interviewer_is_told(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer, screening_plan=PLAN)
    seen = await world.get(world.by(Kind.TRAINER), job.job_id)
    assert list(seen.screening_plan.fields) == list(PLAN.fields)
    assert seen.screening_plan.prompt == ""
    talk = job_pb2.ScreeningPlan(prompt="Have a talk.")
    asked = await world.published(employer, screening_plan=talk)
    shown = await world.get(world.by(Kind.TRAINER), asked.job_id)
    assert shown.HasField("screening_plan")
    assert shown.screening_plan == job_pb2.ScreeningPlan()
    unasked = await world.published(employer)
    shown = await world.get(world.by(Kind.TRAINER), unasked.job_id)
    assert not shown.HasField("screening_plan")
    assert (await world.get(world.by(Kind.SERVICE), job.job_id)).screening_plan == PLAN


async def test_other_services_are_told_the_questions_and_their_version_and_not_the_prompt(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer, screening_plan=PLAN)
    for row in await world.recorded("job", job.job_id):
        facts = job_events_pb2.JobPublished.FromString(row.data).job
        assert facts.screening_plan.version == 1
        assert list(facts.screening_plan.fields) == list(PLAN.fields)
        assert PLAN.prompt.encode() not in row.data


async def test_every_problem_of_a_plan_is_told_beside_the_other_bad_fields(
    world: World, employer: Metadata
) -> None:
    plan = job_pb2.ScreeningPlan(fields=[job_pb2.ScreeningField(key="A b", label="x")])
    error = await refusal(world.draft(employer, title="two\nlines", screening_plan=plan))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert {each.field for each in error.violations} == {
        "job.title",
        "job.screening_plan.prompt",
        "job.screening_plan.fields[0].key",
        "job.screening_plan.fields[0].type",
    }
