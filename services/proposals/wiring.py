"""How the parts of proposals come together in a process."""

from pathlib import Path

from hireflow.proposals.v1 import (
    proposal_pb2,
    proposal_pb2_grpc,
    screening_pb2,
    screening_pb2_grpc,
)
from services.common.runtime import Part, Resources, Servicer
from services.proposals.events import FOLDERS, JOBS
from services.proposals.screening_servicer import ScreeningServicer
from services.proposals.servicer import ProposalsServicer

SCHEMA = "proposals"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(resources: Resources) -> Part:
    """Build both services, their outbox, and their ears for the events of jobs and folders."""
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
    return Part(schema=SCHEMA, servicers=(proposals, screening), subscriptions=(JOBS, FOLDERS))
