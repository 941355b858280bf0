"""Random calls by several people, against the services of jobs and against a simple model."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc.aio
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hireflow.jobs.v1 import folder_pb2, job_pb2
from services.common.auth import Kind, Principal
from services.common.client import error_of
from tests.integration.jobs.calls import (
    CALLS,
    COMPLETE,
    FIRST,
    ORGANISATIONS,
    PEOPLE,
    TRAINERS,
    TRANSITIONS,
    Call,
    moved,
    revoked,
)
from tests.integration.jobs.model import Model
from tests.integration.jobs.world import Metadata, World, complete_job, new_id
from tests.refusals import reason

Run: TypeAlias = Callable[[Coroutine[Any, Any, None]], None]
Transition: TypeAlias = (
    job_pb2.PublishJobRequest
    | job_pb2.FinishHiringRequest
    | job_pb2.ReopenHiringRequest
    | job_pb2.ArchiveJobRequest
)
STATES = job_pb2.JobState.values()[1:]


def _message(fields: Mapping[str, object]) -> job_pb2.Job:
    message = job_pb2.Job(title=str(fields.get("title", "")))
    message.description = str(fields.get("description", ""))
    if fields.get("paid"):
        message.pay.CopyFrom(complete_job().pay)
    if "visibility" in fields:
        visibility = f"JOB_VISIBILITY_{fields['visibility']}"
        message.settings.visibility = job_pb2.JobVisibility.Value(visibility)
    return message


@dataclass(frozen=True)
class Asked:
    """A call as it is sent, and how its answer reads in the words of the model."""

    method: Callable[..., Awaitable[Any]]
    request: Message
    show: Callable[[Any], object]


class Real:
    """The same calls on the services, with people of their own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids = {name: new_id(name) for name in (*PEOPLE, "A", "B")}
        self.callers = {name: self._caller(name) for name in PEOPLE}
        self.jobs: list[str] = []
        self.folders: list[str] = []

    def _caller(self, name: str) -> Metadata:
        kind = Kind.TRAINER if name in TRAINERS else Kind.OPERATOR
        who = Principal(kind, self.ids[name])
        if name in ORGANISATIONS:
            who = Principal(Kind.EMPLOYER, self.ids[name], self.ids[ORGANISATIONS[name]])
        return self.world.named(who)

    def ask(self, call: Call, etag: str) -> Asked:
        """Write the call's request, under a new request_id."""
        if call.what in TRANSITIONS:
            return self._transit(call, etag)
        asked: Asked = getattr(self, f"_{call.what}")(call, etag)
        return asked

    async def send(self, caller: str, asked: Asked) -> object:
        """Send it; give what it answers, or the reason why it is refused."""
        try:
            answer = await asked.method(asked.request, metadata=self.callers[caller])
        except grpc.aio.AioRpcError as error:
            return error_of(error).reason
        return asked.show(answer)

    def _create(self, call: Call, _: str) -> Asked:
        wanted = complete_job(positions=-1)
        if call.draft is not None:
            wanted = _message({**COMPLETE, **call.draft})
            wanted.category, wanted.positions = "image-annotation", 1
        request = job_pb2.CreateJobRequest(request_id=new_id("r"), job=wanted)
        return Asked(self.world.stub.CreateJob, request, lambda answer: self.shown(answer.job))

    def _edit(self, call: Call, etag: str) -> Asked:
        job = _message(call.edit.values)
        job.job_id, job.etag = self._job(call.job), etag
        mask = FieldMask(paths=call.edit.mask)
        request = job_pb2.UpdateJobRequest(request_id=new_id("r"), job=job, update_mask=mask)
        return Asked(self.world.stub.UpdateJob, request, lambda answer: self.shown(answer.job))

    def _transit(self, call: Call, etag: str) -> Asked:
        stub = self.world.stub
        methods: dict[str, tuple[Callable[..., Awaitable[Any]], type[Transition]]] = {
            "publish": (stub.PublishJob, job_pb2.PublishJobRequest),
            "finish": (stub.FinishHiring, job_pb2.FinishHiringRequest),
            "reopen": (stub.ReopenHiring, job_pb2.ReopenHiringRequest),
            "archive": (stub.ArchiveJob, job_pb2.ArchiveJobRequest),
        }
        method, kind = methods[call.what]
        request = kind(request_id=new_id("r"), job_id=self._job(call.job), etag=etag)
        return Asked(method, request, lambda answer: self.shown(answer.job))

    def _invite(self, call: Call, _: str) -> Asked:
        request = job_pb2.InviteTrainersRequest(
            request_id=new_id("r"),
            job_id=self._job(call.job),
            trainer_ids=[self.ids[name] for name in call.invited],
        )

        def show(answer: job_pb2.InviteTrainersResponse) -> object:
            return self.shown(answer.job), set(self.names(answer.invited_trainer_ids))

        return Asked(self.world.stub.InviteTrainers, request, show)

    def _revoke(self, call: Call, _: str) -> Asked:
        request = job_pb2.RevokeInvitationRequest(
            request_id=new_id("r"),
            job_id=self._job(call.job),
            trainer_id=self.ids[revoked(call)],
        )
        return Asked(self.world.stub.RevokeInvitation, request, lambda answer: answer.revoked)

    def _make_folder(self, call: Call, _: str) -> Asked:
        request = folder_pb2.CreateFolderRequest(
            request_id=new_id("r"), folder=folder_pb2.Folder(name=call.name)
        )
        show = self.shown_folder
        return Asked(self.world.folders.CreateFolder, request, lambda answer: show(answer.folder))

    def _rename_folder(self, call: Call, etag: str) -> Asked:
        folder = folder_pb2.Folder(folder_id=self._folder(call.folder), name=call.name, etag=etag)
        mask = FieldMask(paths=["name"])
        request = folder_pb2.UpdateFolderRequest(
            request_id=new_id("r"), folder=folder, update_mask=mask
        )
        show = self.shown_folder
        return Asked(self.world.folders.UpdateFolder, request, lambda answer: show(answer.folder))

    def _delete_folder(self, call: Call, etag: str) -> Asked:
        request = folder_pb2.DeleteFolderRequest(
            request_id=new_id("r"), folder_id=self._folder(call.folder), etag=etag
        )
        return Asked(self.world.folders.DeleteFolder, request, lambda answer: answer.jobs)

    def _move(self, call: Call, _: str) -> Asked:
        request = folder_pb2.MoveJobsRequest(
            request_id=new_id("r"),
            folder_id="" if call.folder == -1 else self._folder(call.folder),
            job_ids=[self._job(place) for place in moved(call)],
        )

        def show(answer: folder_pb2.MoveJobsResponse) -> object:
            assert all(each.moved is not bool(each.reason) for each in answer.results)
            return [each.reason for each in answer.results]

        return Asked(self.world.folders.MoveJobs, request, show)

    def _job(self, place: int) -> str:
        return self.jobs[place] if place < len(self.jobs) else f"unknown-{place}"

    def _folder(self, place: int) -> str:
        return self.folders[place] if 0 <= place < len(self.folders) else "unknown"

    def names(self, ids: Collection[str]) -> list[str]:
        return [name for name, identifier in self.ids.items() if identifier in ids]

    def shown(self, job: job_pb2.Job) -> object:
        """A job in the words of the model; one that is met first takes the next place."""
        if job.job_id not in self.jobs:
            self.jobs.append(job.job_id)
        fields = {
            "title": job.title,
            "description": job.description,
            "paid": job.pay.maximum_minor_units > 0,
            "visibility": _word(job_pb2.JobVisibility.Name(job.settings.visibility), 2),
        }
        folder = self.folders.index(job.folder_id) if job.folder_id else -1
        state = _word(job_pb2.JobState.Name(job.state), 2)
        return state, folder, int(job.etag.removeprefix("v")), fields

    def shown_folder(self, folder: folder_pb2.Folder) -> object:
        """A folder in the words of the model; one that is met first takes the next place."""
        if folder.folder_id not in self.folders:
            self.folders.append(folder.folder_id)
        return folder.name, int(folder.etag.removeprefix("v")), folder.jobs


def _word(name: str, prefix: int) -> str:
    """The value of an enum without so many words before it."""
    return name.split("_", prefix)[prefix]


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
            state, folder, *rest = job.seen()
            shown_folder = -1 if person in TRAINERS else folder
            assert real.shown(await real.world.get(by, job_id)) == (state, shown_folder, *rest)
        request = job_pb2.ListInvitationsRequest(job_id=job_id)
        by = real.callers["operator"]
        listed = (await real.world.stub.ListInvitations(request, metadata=by)).invitations
        assert set(real.names([each.trainer_id for each in listed])) == set(job.invited)
        assert await real.world.events(job_id) == job.events


async def _compare(world: World, calls: list[Call]) -> None:
    model, real = Model(), Real(world)
    for call in calls:
        asked = real.ask(call, model.etag(call))
        expected = model.apply(call)
        assert await real.send(call.caller, asked) == expected, call
        if call.again == "same":
            assert await real.send(call.caller, asked) == expected, ("again", call)
        if call.again == "other" and not isinstance(expected, str):
            other = job_pb2.ArchiveJobRequest(
                request_id=asked.request.request_id,  # type: ignore[attr-defined] # each has one
                job_id="unknown",
            )
            reused = Asked(world.stub.ArchiveJob, other, lambda answer: answer)
            assert await real.send(call.caller, reused) == "REQUEST_ID_REUSED", call
    await _compare_lists(model, real)
    await _compare_jobs(model, real)


@pytest.fixture
async def run(world: World) -> Run:
    """Run a coroutine on the loop of the session, where the services run too."""
    return asyncio.get_running_loop().run_until_complete


def test_the_services_do_what_a_simple_model_of_them_does(world: World, run: Run) -> None:
    @settings(
        max_examples=4,
        deadline=None,
        database=None,
        derandomize=True,
        # A failure names its call; to shrink it against real services would take minutes.
        phases=(Phase.generate,),
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(calls=st.lists(CALLS, min_size=60, max_size=80))
    def compare(calls: list[Call]) -> None:
        run(_compare(world, [*FIRST, *calls]))

    compare()
