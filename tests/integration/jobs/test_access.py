"""Who may do and see what: organisations apart, trainers outside, operators only reading."""

import grpc
import pytest
from google.protobuf.message import Message

from hireflow.jobs.v1 import folder_pb2, instructions_pb2, job_pb2
from services.common.auth import Kind
from tests.integration.jobs.world import Metadata, World, new_id
from tests.refusals import refusal
from tests.unit.jobs.authorisation import AUTHORISATION, FOLDERS, INSTRUCTIONS

METHODS = job_pb2.DESCRIPTOR.services_by_name["JobsService"].methods_by_name


async def _outcome(world: World, method: str, caller: Metadata) -> tuple[grpc.StatusCode, str]:
    request: Message = getattr(job_pb2, METHODS[method].input_type.name)()
    error = await refusal(getattr(world.stub, method)(request, metadata=caller))
    return error.code, error.reason


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("method", METHODS)
async def test_each_kind_of_caller_may_call_what_its_row_says(
    method: str, kind: Kind, world: World
) -> None:
    if kind in {Kind.EMPLOYER, Kind.AGENT} and method == "ListJobs":
        return  # A member's empty request is a good one; the tests of lists show it.
    organisation = new_id("org") if kind in {Kind.EMPLOYER, Kind.AGENT} else None
    code, reason = await _outcome(world, method, world.by(kind, organisation))
    if AUTHORISATION[method][kind.name] == "denied":
        assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")
    else:
        assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("method", FOLDERS)
async def test_each_kind_of_caller_may_do_with_folders_what_its_row_says(
    method: str, kind: Kind, world: World
) -> None:
    if kind in {Kind.EMPLOYER, Kind.AGENT} and method == "ListFolders":
        return  # A member's empty request is a good one; the tests of folders show it.
    organisation = new_id("org") if kind in {Kind.EMPLOYER, Kind.AGENT} else None
    request = getattr(folder_pb2, f"{method}Request")()
    call = getattr(world.folders, method)(request, metadata=world.by(kind, organisation))
    denied = FOLDERS[method][kind.name] == "denied"
    assert (await refusal(call)).reason == ("CALLER_NOT_ALLOWED" if denied else "INVALID_FIELDS")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("method", INSTRUCTIONS)
async def test_each_kind_of_caller_may_do_with_instructions_what_its_row_says(
    method: str, kind: Kind, world: World
) -> None:
    organisation = new_id("org") if kind in {Kind.EMPLOYER, Kind.AGENT} else None
    request = getattr(instructions_pb2, f"{method}Request")()
    call = getattr(world.instructions, method)(request, metadata=world.by(kind, organisation))
    denied = INSTRUCTIONS[method][kind.name] == "denied"
    assert (await refusal(call)).reason == ("CALLER_NOT_ALLOWED" if denied else "INVALID_FIELDS")


async def test_a_call_without_a_token_is_unauthenticated(world: World) -> None:
    assert await _outcome(world, "GetJob", ()) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "TOKEN_INVALID",
    )


async def test_nobody_learns_of_another_organisations_job(world: World, employer: Metadata) -> None:
    job = await world.published(employer)
    for kind in (Kind.EMPLOYER, Kind.AGENT):
        stranger = world.by(kind, new_id("org"))
        changed = job_pb2.Job(job_id=job.job_id, title="Mine")
        update = job_pb2.UpdateJobRequest(request_id=new_id("r"), job=changed)
        for call in (
            world.get(stranger, job.job_id),
            world.publish(stranger, job.job_id),
            world.finish(stranger, job.job_id),
            world.archive(stranger, job.job_id),
            world.stub.UpdateJob(update, metadata=stranger),
        ):
            error = await refusal(call)
            assert (error.code, error.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    unknown = await refusal(world.get(employer, "no-such-job"))
    assert unknown.code is grpc.StatusCode.NOT_FOUND
    assert await world.get(employer, job.job_id) == job


@pytest.mark.parametrize(
    ("visibility", "seen"),
    [
        (job_pb2.JOB_VISIBILITY_PUBLIC, True),
        (job_pb2.JOB_VISIBILITY_UNLISTED, True),
        (job_pb2.JOB_VISIBILITY_INVITE_ONLY, False),
    ],
)
async def test_a_trainer_reads_a_job_only_while_it_is_published_and_not_by_invitation(
    visibility: "job_pb2.JobVisibility.ValueType", seen: bool, world: World, employer: Metadata
) -> None:
    trainer = world.by(Kind.TRAINER)
    settings = job_pb2.JobSettings(visibility=visibility)
    job = await world.draft(employer, settings=settings)
    assert (await refusal(world.get(trainer, job.job_id))).code is grpc.StatusCode.NOT_FOUND
    await world.publish(employer, job.job_id)
    if seen:
        assert (await world.get(trainer, job.job_id)).title == job.title
    else:
        assert (await refusal(world.get(trainer, job.job_id))).code is grpc.StatusCode.NOT_FOUND
    await world.finish(employer, job.job_id)
    assert (await refusal(world.get(trainer, job.job_id))).code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("kind", [Kind.OPERATOR, Kind.SERVICE])
async def test_operators_and_services_read_every_organisations_jobs(
    kind: Kind, world: World, employer: Metadata, organisation_id: str
) -> None:
    job, reader = await world.draft(employer), world.by(kind)
    assert await world.get(reader, job.job_id) == job
    request = job_pb2.ListJobsRequest(organisation_id=organisation_id)
    listed = await world.stub.ListJobs(request, metadata=reader)
    assert list(listed.jobs) == [job]
    error = await refusal(world.stub.ListJobs(job_pb2.ListJobsRequest(), metadata=reader))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in error.violations] == ["organisation_id"]


async def test_the_same_request_id_of_two_callers_is_two_requests(world: World) -> None:
    request = job_pb2.CreateJobRequest(request_id="1", job=job_pb2.Job(title="Same"))
    first, second = (world.by(Kind.EMPLOYER, new_id("org")) for _ in range(2))
    one = (await world.stub.CreateJob(request, metadata=first)).job
    other = (await world.stub.CreateJob(request, metadata=second)).job
    assert one.job_id != other.job_id
