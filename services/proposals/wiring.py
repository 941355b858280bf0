"""How the parts of proposals come together in a process."""

from pathlib import Path

from hireflow.proposals.v1 import (
    folder_screening_pb2,
    folder_screening_pb2_grpc,
    matching_pb2,
    matching_pb2_grpc,
    proposal_pb2,
    proposal_pb2_grpc,
    proposal_view_pb2,
    proposal_view_pb2_grpc,
    screening_pb2,
    screening_pb2_grpc,
)
from services.common.runtime import Part, Resources, Servicer
from services.proposals.events import FOLDERS, JOBS
from services.proposals.folder_screening_servicer import FolderScreeningServicer
from services.proposals.matching_servicer import MatchingServicer
from services.proposals.neighbours import THREADS
from services.proposals.screening_servicer import ScreeningServicer
from services.proposals.servicer import ProposalsServicer
from services.proposals.view_servicer import ProposalViewServicer

SCHEMA = "proposals"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(resources: Resources) -> Part:
    """Build the services, their outbox, and their ears for jobs, folders and threads."""
    given = (resources.database, resources.clock, resources.new_id)
    proposals = Servicer(
        proposal_pb2_grpc.add_ProposalsServiceServicer_to_server,
        ProposalsServicer(*given),
        proposal_pb2.DESCRIPTOR.services_by_name["ProposalsService"].full_name,
    )
    screening = Servicer(
        screening_pb2_grpc.add_ScreeningServiceServicer_to_server,
        ScreeningServicer(*given),
        screening_pb2.DESCRIPTOR.services_by_name["ScreeningService"].full_name,
    )
    view = Servicer(
        proposal_view_pb2_grpc.add_ProposalViewServiceServicer_to_server,
        ProposalViewServicer(resources.database),
        proposal_view_pb2.DESCRIPTOR.services_by_name["ProposalViewService"].full_name,
    )
    folders = Servicer(
        folder_screening_pb2_grpc.add_FolderScreeningServiceServicer_to_server,
        FolderScreeningServicer(resources.database),
        folder_screening_pb2.DESCRIPTOR.services_by_name["FolderScreeningService"].full_name,
    )
    matching = Servicer(
        matching_pb2_grpc.add_MatchingServiceServicer_to_server,
        MatchingServicer(resources.database),
        matching_pb2.DESCRIPTOR.services_by_name["MatchingService"].full_name,
    )
    return Part(
        schema=SCHEMA,
        servicers=(proposals, screening, view, folders, matching),
        subscriptions=(JOBS, FOLDERS, THREADS),
    )
