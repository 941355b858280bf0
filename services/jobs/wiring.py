"""How the parts of jobs come together in a process."""

from pathlib import Path

from hireflow.jobs.v1 import job_pb2, job_pb2_grpc
from services.common.runtime import Part, Resources, Servicer
from services.jobs.events import PROPOSALS
from services.jobs.servicer import JobsServicer

SCHEMA = "jobs"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(resources: Resources) -> Part:
    """Build JobsService, its outbox, and its ear for the events of proposals."""
    servicer = JobsServicer(resources.database, resources.clock, resources.new_id)
    name = job_pb2.DESCRIPTOR.services_by_name["JobsService"].full_name
    return Part(
        schema=SCHEMA,
        servicers=(Servicer(job_pb2_grpc.add_JobsServiceServicer_to_server, servicer, name),),
        subscriptions=(PROPOSALS,),
    )
