"""How the parts of proposals come together in a process."""

from pathlib import Path

from hireflow.proposals.v1 import proposal_pb2, proposal_pb2_grpc
from services.common.runtime import Part, Resources, Servicer
from services.proposals.events import FOLDERS, JOBS
from services.proposals.servicer import ProposalsServicer

SCHEMA = "proposals"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(resources: Resources) -> Part:
    """Build ProposalsService, its outbox, and its ears for the events of jobs and folders."""
    servicer = ProposalsServicer(resources.database, resources.clock, resources.new_id)
    name = proposal_pb2.DESCRIPTOR.services_by_name["ProposalsService"].full_name
    add = proposal_pb2_grpc.add_ProposalsServiceServicer_to_server
    return Part(
        schema=SCHEMA, servicers=(Servicer(add, servicer, name),), subscriptions=(JOBS, FOLDERS)
    )
