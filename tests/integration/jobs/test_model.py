"""Random calls by several people, against the services of jobs and against a simple model."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hireflow.jobs.v1 import folder_pb2, instructions_pb2, job_pb2
from tests.integration.jobs.calls import (
    CALLS,
    FIRST,
    ORGANISATIONS,
    PEOPLE,
    TRAINERS,
    WORKFLOW,
    Call,
)
from tests.integration.jobs.model import Model
from tests.integration.jobs.real import Asked, Real
from tests.integration.jobs.world import World
from tests.refusals import reason
from tests.seeds import told_seed

Run: TypeAlias = Callable[[Coroutine[Any, Any, None]], None]
STATES = job_pb2.JobState.values()[1:]


async def _compare_lists(model: Model, real: Real) -> None:
    """Compare what each member's lists of jobs and folders show."""
    for person, organisation in ORGANISATIONS.items():
        by = real.callers[person]
        mine = [job for job in model.jobs if job.organisation == organisation]
        for places in ([], *([place] for place, _ in model.folders_of(organisation))):
            request = job_pb2.ListJobsRequest(
                states=STATES, folder_id=real.folders[places[0]] if places else ""
            )
            listed = (await real.world.stub.ListJobs(request, metadata=by)).jobs
            inside = [job for job in mine if not places or job.folder in places]
            assert [real.shown(job) for job in listed] == [job.seen() for job in inside[::-1]]
        folders = sorted(model.folders_of(organisation), key=lambda each: each[1].name.lower())
        every = folder_pb2.ListFoldersRequest()
        shown = (await real.world.folders.ListFolders(every, metadata=by)).folders
        assert [real.shown_folder(each) for each in shown] == [
            (folder.name, folder.version, model.inside(place)) for place, folder in folders
        ]


async def _compare_jobs(model: Model, real: Real) -> None:
    """Compare what each person may read of each job, who is invited, and what events told."""
    for job, job_id in zip(model.jobs, real.jobs, strict=True):
        for person in PEOPLE:
            by = real.callers[person]
            if not model.sees(person, job):
                assert await reason(real.world.get(by, job_id)) == "NOT_FOUND"
                continue
            state, folder, reserved, *rest = job.seen()
            hidden = (-1, 0) if person in TRAINERS else (folder, reserved)
            assert real.shown(await real.world.get(by, job_id)) == (state, *hidden, *rest)
        request = job_pb2.ListInvitationsRequest(job_id=job_id)
        by = real.callers["operator"]
        listed = (await real.world.stub.ListInvitations(request, metadata=by)).invitations
        assert set(real.names([each.trainer_id for each in listed])) == set(job.invited)
        assert await real.world.events(job_id) == job.events


async def _compare_instructions(model: Model, real: Real) -> None:
    """Compare what each person reads of each job's instructions."""
    for job, job_id in zip(model.jobs, real.jobs, strict=True):
        for person in PEOPLE:
            expected = "NOT_FOUND"
            if job.texts and person not in TRAINERS and model.sees(person, job):
                expected = job.texts[-1]
            request = instructions_pb2.GetInstructionsRequest(job_id=job_id)
            asked = Asked(
                real.world.instructions.GetInstructions,
                request,
                lambda answer: answer.instructions.text,
            )
            assert await real.send(person, asked) == expected


async def _compare(world: World, calls: list[Call]) -> None:
    model, real = Model(), Real(world)
    for call in calls:
        asked = real.ask(call, model.etag(call))
        expected = model.apply(call)
        assert await real.send(call.by, asked) == expected, call
        if call.again == "same":
            assert await real.send(call.by, asked) == expected, ("again", call)
        if call.again == "other" and call.by != WORKFLOW and not isinstance(expected, str):
            other = job_pb2.ArchiveJobRequest(
                request_id=asked.request.request_id,  # type: ignore[attr-defined] # each has one
                job_id="unknown",
            )
            reused = Asked(world.stub.ArchiveJob, other, lambda answer: answer)
            assert await real.send(call.by, reused) == "REQUEST_ID_REUSED", call
    await _compare_lists(model, real)
    await _compare_jobs(model, real)
    await _compare_instructions(model, real)


@pytest.fixture
async def run(world: World) -> Run:
    """Run a coroutine on the loop of the session, where the services run too."""
    return asyncio.get_running_loop().run_until_complete


def test_the_services_do_what_a_simple_model_of_them_does(world: World, run: Run) -> None:
    with told_seed() as drawn:

        @seed(drawn)
        @settings(
            max_examples=3,
            deadline=None,
            database=None,
            # A failure names its call; to shrink it against real services would take minutes.
            phases=(Phase.generate,),
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(calls=st.lists(CALLS, min_size=80, max_size=100))
        def compare(calls: list[Call]) -> None:
            run(_compare(world, [*FIRST, *calls]))

        compare()
