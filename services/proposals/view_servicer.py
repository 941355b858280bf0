"""ProposalViewService over gRPC."""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.hiring.v1 import hire_pb2
from hireflow.proposals.v1 import proposal_view_pb2 as pb
from hireflow.proposals.v1 import proposal_view_pb2_grpc
from services.common.auth import current_caller
from services.common.contact_details import without_contact_details
from services.common.database import Database
from services.common.errors import problems
from services.common.paging import Cursor
from services.proposals import wire
from services.proposals.domain import Profile, ReservationState, Surroundings
from services.proposals.screening_wire import screening_message
from services.proposals.use_cases import viewing
from services.proposals.use_cases.access import as_reader

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]
_STATES = {
    ReservationState.RESERVED: hire_pb2.HIRE_STATE_RUNNING,
    ReservationState.HIRED: hire_pb2.HIRE_STATE_HIRED,
    ReservationState.RELEASED: hire_pb2.HIRE_STATE_UNDONE,
}


class ProposalViewServicer(proposal_view_pb2_grpc.ProposalViewServiceServicer):
    """Answers the calls of ProposalViewService."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ViewProposal(
        self, request: pb.ViewProposalRequest, context: Context
    ) -> pb.ViewProposalResponse:
        """Read everything around a proposal."""
        reader = as_reader(current_caller())
        with problems() as noted:
            noted.require_id("proposal_id", request.proposal_id)
        # As ListNotes reads it, whose token the answer gives.
        newest = Cursor.read(0, "", reader.kind, reader.id, request.proposal_id)
        view = await viewing.view_proposal(self._database, reader, request.proposal_id, newest)
        screening = view.screening
        return pb.ViewProposalResponse(
            proposal=wire.proposal_message(view.around.proposal),
            profile=_profile_message(view.around.profile),
            screening=None if screening is None else screening_message(screening),
            notes=[wire.note_message(note) for note in view.notes.items],
            next_notes_page_token=view.notes.next_token,
            thread_id=view.around.thread_id,
            hire=_hire_message(view.around),
        )


def _profile_message(profile: Profile) -> pb.CandidateProfile:
    masked = profile.masked()
    return pb.CandidateProfile(
        country=masked.country,
        title=masked.title,
        languages=profile.languages,
        skills=map(without_contact_details, profile.skills),
        has_resume=bool(profile.resume_reference),
        update_time=wire.timestamp(profile.update_time),
    )


def _hire_message(around: Surroundings) -> pb.ProposalHire | None:
    hire, time = around.hire, around.reserve_time
    if hire is None or time is None:
        return None
    return pb.ProposalHire(
        hire_id=hire.hire_id,
        state=_STATES[hire.state],
        contract_id=hire.contract_id,
        reserve_time=wire.timestamp(time),
    )
