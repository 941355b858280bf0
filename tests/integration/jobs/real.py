"""The calls of the model on the real services, and their answers in its words."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc.aio
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from hireflow.jobs.v1 import folder_pb2, instructions_pb2, job_pb2
from services.common.auth import Kind, Principal
from services.common.remote_errors import error_of
from tests.integration.jobs.calls import (
    COMPLETE,
    ORGANISATIONS,
    PEOPLE,
    TRANSITIONS,
    WORKFLOW,
    Call,
    moved,
    revoked,
)
from tests.integration.jobs.world import Metadata, World, complete_job, new_id

Transition: TypeAlias = (
    job_pb2.PublishJobRequest
    | job_pb2.FinishHiringRequest
    | job_pb2.ReopenHiringRequest
    | job_pb2.ArchiveJobRequest
)


def _message(fields: Mapping[str, object]) -> job_pb2.Job:
    message = job_pb2.Job(title=str(fields.get("title", "")))
    message.description = str(fields.get("description", ""))
    if fields.get("paid"):
        message.pay.CopyFrom(complete_job().pay)
    message.positions = int(str(fields.get("positions", 0)))
    if fields.get("finishes"):
        message.settings.finish_when_filled = True
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
        self.ids = {name: new_id(name) for name in (*PEOPLE, WORKFLOW, "A", "B")}
        self.callers = {name: self._caller(name) for name in (*PEOPLE, WORKFLOW)}
        self.jobs: list[str] = []
        self.folders: list[str] = []

    def _caller(self, name: str) -> Metadata:
        kinds = {WORKFLOW: Kind.SERVICE, "operator": Kind.OPERATOR}
        who = Principal(kinds.get(name, Kind.TRAINER), self.ids[name])
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
            wanted.category = "image-annotation"
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

    def _reserve(self, call: Call, _: str) -> Asked:
        request = job_pb2.ReservePositionRequest(**self._position(call))
        show = self.shown
        return Asked(self.world.stub.ReservePosition, request, lambda answer: show(answer.job))

    def _fill(self, call: Call, _: str) -> Asked:
        request = job_pb2.FillPositionRequest(
            **self._position(call), contract_id=self._contract(call)
        )

        def show(answer: job_pb2.FillPositionResponse) -> object:
            return self.shown(answer.job), answer.hiring_finished

        return Asked(self.world.stub.FillPosition, request, show)

    def _release(self, call: Call, _: str) -> Asked:
        contract_id = self._contract(call) if call.what == "give_back" else ""
        request = job_pb2.ReleasePositionRequest(**self._position(call), contract_id=contract_id)
        return Asked(self.world.stub.ReleasePosition, request, lambda answer: answer.released)

    _give_back = _release

    def _position(self, call: Call) -> dict[str, str]:
        hire_id = f"{self.ids[WORKFLOW]}-{call.hire}"
        return {"request_id": new_id("r"), "job_id": self._job(call.place), "hire_id": hire_id}

    def _contract(self, call: Call) -> str:
        return f"{self.ids[WORKFLOW]}-contract-{call.contract}"

    def _write(self, call: Call, _: str) -> Asked:
        request = instructions_pb2.WriteInstructionsRequest(
            request_id=new_id("r"), job_id=self._job(call.job), text=call.name
        )
        request.latest_version = 99 if call.etag == "stale" else 0
        method = self.world.instructions.WriteInstructions
        return Asked(method, request, lambda answer: answer.instructions.version)

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
            "paid": job.pay.kind != job_pb2.PAY_KIND_UNSPECIFIED,
            "visibility": _word(job_pb2.JobVisibility.Name(job.settings.visibility), 2),
            "finishes": job.settings.finish_when_filled,
            "positions": job.positions,
        }
        folder = self.folders.index(job.folder_id) if job.folder_id else -1
        state = _word(job_pb2.JobState.Name(job.state), 2)
        taken = job.positions_reserved, job.positions_filled
        return state, folder, *taken, int(job.etag.removeprefix("v")), fields

    def shown_folder(self, folder: folder_pb2.Folder) -> object:
        """A folder in the words of the model; one that is met first takes the next place."""
        if folder.folder_id not in self.folders:
            self.folders.append(folder.folder_id)
        return folder.name, int(folder.etag.removeprefix("v")), folder.jobs


def _word(name: str, prefix: int) -> str:
    """The value of an enum without so many words before it."""
    return name.split("_", prefix)[prefix]
