"""FoldersService over gRPC: messages to arguments, use case, answer to message."""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.jobs.v1 import folder_pb2, folder_pb2_grpc
from services.common.auth import current_caller
from services.common.database import Database
from services.common.errors import Problems, problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from services.jobs.domain import Folder, Label
from services.jobs.use_cases import foldering
from services.jobs.use_cases.access import Member, as_member, as_reader
from services.jobs.use_cases.foldering import FolderCall
from services.jobs.wire import timestamp

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]
_FIELDS = ("name", "description", "colour")
_PATHS_LIMIT = 10
_JOBS_LIMIT = 200


class FoldersServicer(folder_pb2_grpc.FoldersServiceServicer):
    """Answers the calls of FoldersService. Time and new ids come from outside."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def CreateFolder(
        self, request: folder_pb2.CreateFolderRequest, context: Context
    ) -> folder_pb2.CreateFolderResponse:
        """Create a folder."""
        member = as_member(current_caller())
        label = _label(request.folder)
        with problems() as noted:
            Request.check(request, noted)
            noted.violations.extend(label.violations())
        call = self._call(member, request, self._new_id())
        folder = await foldering.create_folder(self._database, call, label)
        return folder_pb2.CreateFolderResponse(folder=folder_message(folder))

    async def UpdateFolder(
        self, request: folder_pb2.UpdateFolderRequest, context: Context
    ) -> folder_pb2.UpdateFolderResponse:
        """Change the fields named by the mask."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("folder.folder_id", request.folder.folder_id)
            changes = _changes(request, noted)
            # A name that is not changed is a good one.
            named = {"name": "unchanged", **changes}
            noted.violations.extend(Label(**named).violations())
        call = self._call(member, request, request.folder.folder_id, request.folder.etag)
        folder = await foldering.update_folder(
            self._database, call, lambda label: replace(label, **changes)
        )
        return folder_pb2.UpdateFolderResponse(folder=folder_message(folder))

    async def DeleteFolder(
        self, request: folder_pb2.DeleteFolderRequest, context: Context
    ) -> folder_pb2.DeleteFolderResponse:
        """Delete a folder; its jobs stay."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("folder_id", request.folder_id)
        call = self._call(member, request, request.folder_id, request.etag)
        answer = await foldering.delete_folder(self._database, call)
        return folder_pb2.DeleteFolderResponse(jobs=answer.jobs)

    async def GetFolder(
        self, request: folder_pb2.GetFolderRequest, context: Context
    ) -> folder_pb2.GetFolderResponse:
        """Read one folder."""
        caller = as_reader(current_caller())
        with problems() as noted:
            noted.require_id("folder_id", request.folder_id)
        folder = await foldering.get_folder(self._database, caller, request.folder_id)
        return folder_pb2.GetFolderResponse(folder=folder_message(folder))

    async def ListFolders(
        self, request: folder_pb2.ListFoldersRequest, context: Context
    ) -> folder_pb2.ListFoldersResponse:
        """List an organisation's folders by name."""
        caller = as_reader(current_caller())
        organisation_id = request.organisation_id or caller.organisation_id or ""
        with problems() as noted:
            noted.require_id("organisation_id", organisation_id)
        scope = (caller.kind, caller.id, organisation_id)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await foldering.list_folders(self._database, caller, organisation_id, cursor)
        folders = [folder_message(folder) for folder in page.items]
        return folder_pb2.ListFoldersResponse(folders=folders, next_page_token=page.next_token)

    async def MoveJobs(
        self, request: folder_pb2.MoveJobsRequest, context: Context
    ) -> folder_pb2.MoveJobsResponse:
        """Move jobs into a folder, or out of any, with a result each."""
        member = as_member(current_caller())
        ids = request.job_ids
        with problems() as noted:
            Request.check(request, noted)
            noted.require(0 < len(ids) <= _JOBS_LIMIT, "job_ids", f"has 1 to {_JOBS_LIMIT} entries")
            noted.require(len(set(ids)) == len(ids), "job_ids", "names a job twice")
            for index, job_id in enumerate(ids[:_JOBS_LIMIT]):
                noted.require_id(f"job_ids[{index}]", job_id)
            if request.folder_id:
                noted.require_id("folder_id", request.folder_id)
        call = self._call(member, request, request.folder_id)
        answer = await foldering.move_jobs(self._database, call, ids)
        results = [
            folder_pb2.MoveJobResult(job_id=each.job_id, moved=not each.reason, reason=each.reason)
            for each in answer.moves
        ]
        return folder_pb2.MoveJobsResponse(results=results)

    def _call(self, member: Member, request: Message, folder_id: str, etag: str = "") -> FolderCall:
        return FolderCall(member, Request.of(request), folder_id, etag, self._clock())


def folder_message(folder: Folder) -> folder_pb2.Folder:
    """Write a folder."""
    return folder_pb2.Folder(
        folder_id=folder.folder_id,
        organisation_id=folder.organisation_id,
        name=folder.label.name,
        description=folder.label.description,
        colour=folder.label.colour,
        jobs=folder.jobs,
        etag=folder.etag,
        create_time=timestamp(folder.create_time),
        update_time=timestamp(folder.update_time),
    )


def _label(message: folder_pb2.Folder) -> Label:
    return Label(message.name, message.description, message.colour)


def _changes(request: folder_pb2.UpdateFolderRequest, noted: Problems) -> dict[str, str]:
    paths = request.update_mask.paths[:_PATHS_LIMIT]
    too_many = f"has more than {_PATHS_LIMIT} paths"
    noted.require(len(request.update_mask.paths) <= _PATHS_LIMIT, "update_mask", too_many)
    for index, path in enumerate(paths):
        noted.require(
            path in _FIELDS, f"update_mask.paths[{index}]", f"is one of {', '.join(_FIELDS)}"
        )
    named = paths or [name for name in _FIELDS if getattr(request.folder, name)]
    return {name: getattr(request.folder, name) for name in named if name in _FIELDS}
