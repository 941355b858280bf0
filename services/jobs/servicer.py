"""JobsService over gRPC: messages to arguments, use case, answer to message.

Who may call comes first, then every bad field at once, then the work.
"""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.jobs.v1 import job_pb2, job_pb2_grpc
from services.common.auth import current_caller
from services.common.database import Database
from services.common.errors import Problems, problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from services.jobs.store.jobs import Wanted
from services.jobs.use_cases import invitations, lifecycle, positions, reading
from services.jobs.use_cases.access import (
    HireWorkflow,
    Member,
    as_hire_workflow,
    as_member,
    as_reader,
)
from services.jobs.use_cases.lifecycle import Change
from services.jobs.use_cases.positions import HireCall
from services.jobs.wire import Rewriting, job_message, read_posting, read_states, timestamp

_IDS_LIMIT = 200
_TEXT_LIMIT = 100
Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]
ChangeRequest: TypeAlias = (
    job_pb2.PublishJobRequest
    | job_pb2.FinishHiringRequest
    | job_pb2.ReopenHiringRequest
    | job_pb2.ArchiveJobRequest
)
PositionRequest: TypeAlias = (
    job_pb2.ReservePositionRequest | job_pb2.ReleasePositionRequest | job_pb2.FillPositionRequest
)


class JobsServicer(job_pb2_grpc.JobsServiceServicer):
    """Answers the calls of JobsService. Time and new ids come from outside."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def CreateJob(
        self, request: job_pb2.CreateJobRequest, context: Context
    ) -> job_pb2.CreateJobResponse:
        """Create a draft."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            posting = read_posting(request.job, noted)
        job = await lifecycle.create_job(
            self._database,
            member,
            Request.of(request),
            job_id=self._new_id(),
            posting=posting,
            now=self._clock(),
        )
        return job_pb2.CreateJobResponse(job=job_message(job))

    async def UpdateJob(
        self, request: job_pb2.UpdateJobRequest, context: Context
    ) -> job_pb2.UpdateJobResponse:
        """Change the fields named by the mask."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("job.job_id", request.job.job_id)
            rewriting = Rewriting(request.job, request.update_mask, noted)
        change = self._change(member, request, request.job.job_id, request.job.etag)
        job = await lifecycle.update_job(self._database, change, rewriting)
        return job_pb2.UpdateJobResponse(job=job_message(job))

    async def PublishJob(
        self, request: job_pb2.PublishJobRequest, context: Context
    ) -> job_pb2.PublishJobResponse:
        """Open a draft for proposals."""
        job = await lifecycle.publish_job(self._database, self._read_change(request))
        return job_pb2.PublishJobResponse(job=job_message(job))

    async def FinishHiring(
        self, request: job_pb2.FinishHiringRequest, context: Context
    ) -> job_pb2.FinishHiringResponse:
        """Take no new proposals."""
        job = await lifecycle.finish_hiring(self._database, self._read_change(request))
        return job_pb2.FinishHiringResponse(job=job_message(job))

    async def ReopenHiring(
        self, request: job_pb2.ReopenHiringRequest, context: Context
    ) -> job_pb2.ReopenHiringResponse:
        """Take proposals again."""
        job = await lifecycle.reopen_hiring(self._database, self._read_change(request))
        return job_pb2.ReopenHiringResponse(job=job_message(job))

    async def ArchiveJob(
        self, request: job_pb2.ArchiveJobRequest, context: Context
    ) -> job_pb2.ArchiveJobResponse:
        """Put a job away for ever."""
        job = await lifecycle.archive_job(self._database, self._read_change(request))
        return job_pb2.ArchiveJobResponse(job=job_message(job))

    async def GetJob(
        self, request: job_pb2.GetJobRequest, context: Context
    ) -> job_pb2.GetJobResponse:
        """Read one job."""
        with problems() as noted:
            noted.require_id("job_id", request.job_id)
        job = await reading.get_job(self._database, current_caller(), request.job_id)
        return job_pb2.GetJobResponse(job=job_message(job))

    async def BatchGetJobs(
        self, request: job_pb2.BatchGetJobsRequest, context: Context
    ) -> job_pb2.BatchGetJobsResponse:
        """Read many jobs at once."""
        with problems() as noted:
            _check_ids("job_ids", request.job_ids, noted)
        found = await reading.batch_get_jobs(self._database, current_caller(), request.job_ids)
        return job_pb2.BatchGetJobsResponse(jobs=[job_message(job) for job in found])

    async def ListJobs(
        self, request: job_pb2.ListJobsRequest, context: Context
    ) -> job_pb2.ListJobsResponse:
        """List an organisation's jobs, newest first."""
        caller = as_reader(current_caller())
        organisation_id = request.organisation_id or caller.organisation_id or ""
        with problems() as noted:
            noted.require_id("organisation_id", organisation_id)
            states = read_states(request.states, noted)
            noted.require(
                len(request.text) <= _TEXT_LIMIT, "text", f"is longer than {_TEXT_LIMIT} characters"
            )
            noted.require("\x00" not in request.text, "text", "contains a NUL character")
            if request.folder_id:
                noted.require_id("folder_id", request.folder_id)
            if request.category:
                noted.require_id("category", request.category)
        wanted = Wanted(
            organisation_id,
            frozenset(states),
            folder_id=request.folder_id,
            category=request.category,
            text=request.text,
        )
        filters = (wanted.folder_id, wanted.category, wanted.text)
        scope = (caller.kind, caller.id, organisation_id, *filters, *sorted(states))
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await reading.list_jobs(self._database, caller, wanted, cursor)
        jobs = [job_message(job) for job in page.items]
        return job_pb2.ListJobsResponse(jobs=jobs, next_page_token=page.next_token)

    async def InviteTrainers(
        self, request: job_pb2.InviteTrainersRequest, context: Context
    ) -> job_pb2.InviteTrainersResponse:
        """Invite trainers to a job."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("job_id", request.job_id)
            _check_ids("trainer_ids", request.trainer_ids, noted)
        change = self._change(member, request, request.job_id, "")
        answer = await invitations.invite_trainers(self._database, change, request.trainer_ids)
        return job_pb2.InviteTrainersResponse(
            job=job_message(answer.job), invited_trainer_ids=answer.trainer_ids
        )

    async def RevokeInvitation(
        self, request: job_pb2.RevokeInvitationRequest, context: Context
    ) -> job_pb2.RevokeInvitationResponse:
        """Take an invitation back."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("job_id", request.job_id)
            noted.require_id("trainer_id", request.trainer_id)
        change = self._change(member, request, request.job_id, "")
        answer = await invitations.revoke_invitation(self._database, change, request.trainer_id)
        return job_pb2.RevokeInvitationResponse(revoked=answer.revoked)

    async def ListInvitations(
        self, request: job_pb2.ListInvitationsRequest, context: Context
    ) -> job_pb2.ListInvitationsResponse:
        """List who is invited to a job, newest first."""
        caller = as_reader(current_caller())
        with problems() as noted:
            noted.require_id("job_id", request.job_id)
        scope = (caller.kind, caller.id, request.job_id)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await invitations.list_invitations(self._database, caller, request.job_id, cursor)
        shown = [
            job_pb2.Invitation(
                job_id=each.job_id,
                trainer_id=each.trainer_id,
                create_time=timestamp(each.create_time),
            )
            for each in page.items
        ]
        return job_pb2.ListInvitationsResponse(invitations=shown, next_page_token=page.next_token)

    async def ReservePosition(
        self, request: job_pb2.ReservePositionRequest, context: Context
    ) -> job_pb2.ReservePositionResponse:
        """Hold a position for a hire."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            _check_position(request, noted)
        call = self._hire_call(caller, request)
        job = await positions.reserve_position(self._database, call)
        return job_pb2.ReservePositionResponse(job=job_message(job))

    async def ReleasePosition(
        self, request: job_pb2.ReleasePositionRequest, context: Context
    ) -> job_pb2.ReleasePositionResponse:
        """Give a hire's position back."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            _check_position(request, noted)
            if request.contract_id:
                noted.require_id("contract_id", request.contract_id)
        call = self._hire_call(caller, request)
        answer = await positions.release_position(self._database, call, request.contract_id)
        return job_pb2.ReleasePositionResponse(released=answer.released)

    async def FillPosition(
        self, request: job_pb2.FillPositionRequest, context: Context
    ) -> job_pb2.FillPositionResponse:
        """Put a hire's contract on its position."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            _check_position(request, noted)
            noted.require_id("contract_id", request.contract_id)
        call = self._hire_call(caller, request)
        answer = await positions.fill_position(self._database, call, request.contract_id)
        return job_pb2.FillPositionResponse(
            job=job_message(answer.job), hiring_finished=answer.hiring_finished
        )

    def _read_change(self, request: ChangeRequest) -> Change:
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("job_id", request.job_id)
        return self._change(member, request, request.job_id, request.etag)

    def _change(self, member: Member, request: Message, job_id: str, etag: str) -> Change:
        return Change(member, Request.of(request), job_id, etag, self._clock())

    def _hire_call(self, caller: HireWorkflow, request: PositionRequest) -> HireCall:
        key = Request.of(request)
        return HireCall(caller, key, request.job_id, request.hire_id, self._clock())


def _check_ids(field: str, ids: Sequence[str], noted: Problems) -> None:
    noted.require(0 < len(ids) <= _IDS_LIMIT, field, f"has 1 to {_IDS_LIMIT} entries")
    for index, each in enumerate(ids[:_IDS_LIMIT]):
        noted.require_id(f"{field}[{index}]", each)


def _check_position(request: PositionRequest, noted: Problems) -> None:
    Request.check(request, noted)
    noted.require_id("job_id", request.job_id)
    noted.require_id("hire_id", request.hire_id)
