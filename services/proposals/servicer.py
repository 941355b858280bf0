"""ProposalsService over gRPC: messages to arguments, use case, answer to message.

Who may call comes first, then every bad field at once, then the work.
"""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.proposals.v1 import proposal_pb2 as pb
from hireflow.proposals.v1 import proposal_pb2_grpc
from services.common.auth import current_caller
from services.common.database import Database
from services.common.errors import ID_LIMIT, Problems, problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from services.proposals import wire
from services.proposals.use_cases import hiring, noting, offering, reviewing
from services.proposals.use_cases.access import (
    HireWorkflow,
    as_hire_workflow,
    as_member,
    as_reader,
    as_trainer,
)
from services.proposals.use_cases.hiring import HireCall

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]
HireRequest: TypeAlias = pb.ReserveProposalRequest | pb.ReleaseProposalRequest | pb.MarkHiredRequest


class ProposalsServicer(proposal_pb2_grpc.ProposalsServiceServicer):
    """Answers the calls of ProposalsService. Time and new ids come from outside."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def UpsertProfile(
        self, request: pb.UpsertProfileRequest, context: Context
    ) -> pb.UpsertProfileResponse:
        """Write the calling trainer's profile, whole."""
        trainer = as_trainer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            profile = wire.read_profile(request.profile, trainer.id, self._clock(), noted)
        written = await offering.upsert_profile(
            self._database, trainer, Request.of(request), profile
        )
        return pb.UpsertProfileResponse(profile=wire.profile_message(written))

    async def GetProfile(
        self, request: pb.GetProfileRequest, context: Context
    ) -> pb.GetProfileResponse:
        """Read the calling trainer's profile."""
        trainer = as_trainer(current_caller())
        profile = await offering.get_profile(self._database, trainer)
        return pb.GetProfileResponse(profile=wire.profile_message(profile))

    async def SubmitProposal(
        self, request: pb.SubmitProposalRequest, context: Context
    ) -> pb.SubmitProposalResponse:
        """Offer the calling trainer's work for a job."""
        trainer = as_trainer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("job_id", request.job_id)
            offer = wire.read_offer(request, noted)
        own = await offering.submit_proposal(
            self._database,
            trainer,
            Request.of(request),
            proposal_id=self._new_id(),
            job_id=request.job_id,
            offer=offer,
            now=self._clock(),
            write=wire.written,
        )
        return pb.SubmitProposalResponse(proposal=wire.own_message(own))

    async def WithdrawProposal(
        self, request: pb.WithdrawProposalRequest, context: Context
    ) -> pb.WithdrawProposalResponse:
        """Take a proposal back."""
        trainer = as_trainer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("proposal_id", request.proposal_id)
        own = await offering.withdraw_proposal(
            self._database, trainer, Request.of(request), request.proposal_id, self._clock()
        )
        return pb.WithdrawProposalResponse(proposal=wire.own_message(own))

    async def GetOwnProposal(
        self, request: pb.GetOwnProposalRequest, context: Context
    ) -> pb.GetOwnProposalResponse:
        """Read one of the calling trainer's own proposals."""
        trainer = as_trainer(current_caller())
        with problems() as noted:
            noted.require_id("proposal_id", request.proposal_id)
        own = await offering.get_own_proposal(self._database, trainer, request.proposal_id)
        return pb.GetOwnProposalResponse(proposal=wire.own_message(own))

    async def ListOwnProposals(
        self, request: pb.ListOwnProposalsRequest, context: Context
    ) -> pb.ListOwnProposalsResponse:
        """List the calling trainer's own proposals, newest first."""
        trainer = as_trainer(current_caller())
        cursor = Cursor.read(request.page_size, request.page_token, trainer.kind, trainer.id)
        page = await offering.list_own_proposals(self._database, trainer, cursor)
        return pb.ListOwnProposalsResponse(
            proposals=[wire.own_message(own) for own in page.items],
            next_page_token=page.next_token,
        )

    async def GetProposal(
        self, request: pb.GetProposalRequest, context: Context
    ) -> pb.GetProposalResponse:
        """Read one proposal as its employer sees it."""
        reader = as_reader(current_caller())
        with problems() as noted:
            noted.require_id("proposal_id", request.proposal_id)
        proposal = await reviewing.get_proposal(self._database, reader, request.proposal_id)
        return pb.GetProposalResponse(proposal=wire.proposal_message(proposal))

    async def ListProposals(
        self, request: pb.ListProposalsRequest, context: Context
    ) -> pb.ListProposalsResponse:
        """List a job's live proposals."""
        reader = as_reader(current_caller())
        with problems() as noted:
            noted.require_id("job_id", request.job_id)
            wanted = wire.read_filter(request, noted)
            order = wire.read_order(request.order, noted)
        scope = (reader.kind, reader.id, request.job_id, order, *wire.filter_scope(wanted))
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        listed = await reviewing.list_proposals(
            self._database, reader, request.job_id, cursor, wanted=wanted, order=order
        )
        return wire.list_message(listed)

    async def CountProposals(
        self, request: pb.CountProposalsRequest, context: Context
    ) -> pb.CountProposalsResponse:
        """Count a job's live proposals by review state."""
        reader = as_reader(current_caller())
        with problems() as noted:
            noted.require_id("job_id", request.job_id)
        counted = await reviewing.count_proposals(self._database, reader, request.job_id)
        counts = wire.counts(counted)
        return pb.CountProposalsResponse(counts=counts, total=sum(counted.values()))

    async def SetReviewState(
        self, request: pb.SetReviewStateRequest, context: Context
    ) -> pb.SetReviewStateResponse:
        """Move a proposal in the review."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("proposal_id", request.proposal_id)
            state = wire.read_state(request.review_state, noted)
            short = len(request.etag) <= ID_LIMIT
            noted.require(short, "etag", f"must have at most {ID_LIMIT} characters")
        proposal = await reviewing.set_review_state(
            self._database,
            member,
            Request.of(request),
            proposal_id=request.proposal_id,
            state=state,
            etag=request.etag,
            now=self._clock(),
        )
        return pb.SetReviewStateResponse(proposal=wire.proposal_message(proposal))

    async def ReviewProposals(
        self, request: pb.ReviewProposalsRequest, context: Context
    ) -> pb.ReviewProposalsResponse:
        """Move many proposals in the review."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            moves = wire.read_moves(request.moves, noted)
        reviewed = await reviewing.review_proposals(
            self._database, member, Request.of(request), moves, self._clock()
        )
        return pb.ReviewProposalsResponse(
            results=[wire.result_message(each) for each in reviewed.results]
        )

    async def AddNote(self, request: pb.AddNoteRequest, context: Context) -> pb.AddNoteResponse:
        """Add an internal note to a proposal."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("proposal_id", request.proposal_id)
            noted.require(request.text.strip(), "text", "must not be blank")
            wire.check_text("text", request.text, noted)
        note = await noting.add_note(
            self._database,
            member,
            Request.of(request),
            note_id=self._new_id(),
            proposal_id=request.proposal_id,
            text=request.text,
            now=self._clock(),
        )
        return pb.AddNoteResponse(note=wire.note_message(note))

    async def ListNotes(
        self, request: pb.ListNotesRequest, context: Context
    ) -> pb.ListNotesResponse:
        """List a proposal's internal notes."""
        reader = as_reader(current_caller())
        with problems() as noted:
            noted.require_id("proposal_id", request.proposal_id)
        scope = (reader.kind, reader.id, request.proposal_id)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await noting.list_notes(self._database, reader, request.proposal_id, cursor)
        notes = [wire.note_message(note) for note in page.items]
        return pb.ListNotesResponse(notes=notes, next_page_token=page.next_token)

    async def ReserveProposal(
        self, request: pb.ReserveProposalRequest, context: Context
    ) -> pb.ReserveProposalResponse:
        """Hold a proposal for a hire."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            _check_hire(request, noted)
            noted.require_id("organisation_id", request.organisation_id)
        proposal = await hiring.reserve_proposal(
            self._database,
            self._hire_call(caller, request),
            organisation_id=request.organisation_id,
            confirm_declined=request.confirm_declined,
        )
        return pb.ReserveProposalResponse(proposal=wire.proposal_message(proposal))

    async def ReleaseProposal(
        self, request: pb.ReleaseProposalRequest, context: Context
    ) -> pb.ReleaseProposalResponse:
        """End a hire's reservation."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            _check_hire(request, noted)
            if request.contract_id:
                noted.require_id("contract_id", request.contract_id)
        call = self._hire_call(caller, request)
        answer = await hiring.release_proposal(self._database, call, request.contract_id)
        return pb.ReleaseProposalResponse(released=answer.released)

    async def MarkHired(
        self, request: pb.MarkHiredRequest, context: Context
    ) -> pb.MarkHiredResponse:
        """Mark a reserved proposal as hired."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            _check_hire(request, noted)
            noted.require_id("contract_id", request.contract_id)
        call = self._hire_call(caller, request)
        proposal = await hiring.mark_hired(self._database, call, request.contract_id)
        return pb.MarkHiredResponse(proposal=wire.proposal_message(proposal))

    def _hire_call(self, caller: HireWorkflow, request: HireRequest) -> HireCall:
        return HireCall(
            caller, Request.of(request), request.proposal_id, request.hire_id, self._clock()
        )


def _check_hire(request: HireRequest, noted: Problems) -> None:
    Request.check(request, noted)
    noted.require_id("proposal_id", request.proposal_id)
    noted.require_id("hire_id", request.hire_id)
