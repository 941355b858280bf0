"""Whom a job invites, and what that opens to them."""

import asyncio

import grpc

from hireflow.jobs.v1 import job_events_pb2, job_pb2
from services.common.auth import Kind
from tests.integration.jobs.world import Metadata, World, new_id
from tests.refusals import refusal

INVITING = job_pb2.JobSettings(visibility=job_pb2.JOB_VISIBILITY_INVITE_ONLY)


async def invited(world: World, caller: Metadata, job_id: str, size: int = 0) -> list[str]:
    found: list[str] = []
    request = job_pb2.ListInvitationsRequest(job_id=job_id, page_size=size)
    while True:
        page = await world.stub.ListInvitations(request, metadata=caller)
        found += [each.trainer_id for each in page.invitations]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return found


async def test_an_invited_trainer_reads_a_job_that_others_do_not_learn_of(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer, settings=INVITING)
    alice, bob = world.trainer("alice"), world.trainer("bob")
    assert list((await world.invite(employer, job.job_id, "alice")).invited_trainer_ids) == [
        "alice"
    ]
    assert (await world.get(alice, job.job_id)).title == job.title
    assert (await refusal(world.get(bob, job.job_id))).code is grpc.StatusCode.NOT_FOUND
    batch = job_pb2.BatchGetJobsRequest(job_ids=[job.job_id, "unknown"])
    assert len((await world.stub.BatchGetJobs(batch, metadata=alice)).jobs) == 1
    assert len((await world.stub.BatchGetJobs(batch, metadata=bob)).jobs) == 0

    revoke = job_pb2.RevokeInvitationRequest(
        request_id=new_id("r"), job_id=job.job_id, trainer_id="alice"
    )
    assert (await world.stub.RevokeInvitation(revoke, metadata=employer)).revoked
    assert (await refusal(world.get(alice, job.job_id))).code is grpc.StatusCode.NOT_FOUND


async def test_an_invitation_is_told_once_however_often_it_is_made(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    answers = await asyncio.gather(*(world.invite(employer, job.job_id, "a", "b") for _ in "123"))
    news = [name for answer in answers for name in answer.invited_trainer_ids]
    assert sorted(news) == ["a", "b"]
    assert list((await world.invite(employer, job.job_id, "b", "c")).invited_trainer_ids) == ["c"]
    told = [
        list(job_events_pb2.JobTrainersInvited.FromString(row.data).trainer_ids)
        for row in await world.recorded("job", job.job_id)
        if row.type.endswith("trainers_invited")
    ]
    assert told == [["a", "b"], ["c"]]
    assert await invited(world, employer, job.job_id, size=1) == ["c", "b", "a"]


async def test_a_repeat_of_the_request_gets_the_first_answer(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    request = job_pb2.InviteTrainersRequest(request_id="1", job_id=job.job_id, trainer_ids=["a"])
    first = await world.stub.InviteTrainers(request, metadata=employer)
    assert await world.stub.InviteTrainers(request, metadata=employer) == first


async def test_revoking_what_was_never_invited_changes_nothing(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    revoke = job_pb2.RevokeInvitationRequest(
        request_id=new_id("r"), job_id=job.job_id, trainer_id="a"
    )
    assert not (await world.stub.RevokeInvitation(revoke, metadata=employer)).revoked
    assert (await world.get(employer, job.job_id)).etag == job.etag


async def test_nobody_invites_to_or_lists_another_organisations_job(
    world: World, employer: Metadata
) -> None:
    job = await world.published(employer)
    stranger = world.by(Kind.EMPLOYER, new_id("org"))
    assert (await refusal(world.invite(stranger, job.job_id, "a"))).reason == "NOT_FOUND"
    assert (await refusal(invited(world, stranger, job.job_id))).reason == "NOT_FOUND"
    assert await invited(world, world.by(Kind.OPERATOR), job.job_id) == []


async def test_an_archived_job_invites_nobody(world: World, employer: Metadata) -> None:
    job = await world.draft(employer)
    await world.archive(employer, job.job_id)
    assert (await refusal(world.invite(employer, job.job_id, "a"))).reason == "WRONG_STATE"


async def test_every_bad_trainer_is_named(world: World, employer: Metadata) -> None:
    job = await world.draft(employer)
    error = await refusal(world.invite(employer, job.job_id, "", "fine", "x" * 65))
    assert [each.field for each in error.violations] == ["trainer_ids[0]", "trainer_ids[2]"]
    error = await refusal(world.invite(employer, job.job_id))
    assert [each.field for each in error.violations] == ["trainer_ids"]
