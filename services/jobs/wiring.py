"""How the parts of jobs come together in a process."""

from pathlib import Path

from hireflow.jobs.v1 import (
    folder_pb2,
    folder_pb2_grpc,
    instructions_pb2,
    instructions_pb2_grpc,
    job_pb2,
    job_pb2_grpc,
)
from services.common.runtime import Part, Resources, Servicer
from services.jobs.events import CONTRACTS, PROPOSALS
from services.jobs.folders_servicer import FoldersServicer
from services.jobs.instructions_servicer import InstructionsServicer
from services.jobs.servicer import JobsServicer

SCHEMA = "jobs"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(resources: Resources) -> Part:
    """Build the services of jobs, their outbox, and their ear for the events of others."""
    given = (resources.database, resources.clock, resources.new_id)
    jobs = job_pb2.DESCRIPTOR.services_by_name["JobsService"].full_name
    instructions = instructions_pb2.DESCRIPTOR.services_by_name["InstructionsService"].full_name
    folders = folder_pb2.DESCRIPTOR.services_by_name["FoldersService"].full_name
    return Part(
        schema=SCHEMA,
        servicers=(
            Servicer(job_pb2_grpc.add_JobsServiceServicer_to_server, JobsServicer(*given), jobs),
            Servicer(
                folder_pb2_grpc.add_FoldersServiceServicer_to_server,
                FoldersServicer(*given),
                folders,
            ),
            Servicer(
                instructions_pb2_grpc.add_InstructionsServiceServicer_to_server,
                InstructionsServicer(resources.database, resources.clock),
                instructions,
            ),
        ),
        subscriptions=(PROPOSALS, CONTRACTS),
    )
