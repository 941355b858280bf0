"""How the parts of messaging come together in a process."""

from pathlib import Path

from hireflow.messaging.v1 import thread_pb2, thread_pb2_grpc
from services.common.runtime import Part, Resources, Servicer
from services.messaging.events import PROPOSALS
from services.messaging.servicer import MessagingServicer

SCHEMA = "messaging"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(resources: Resources) -> Part:
    """Build MessagingService, its outbox, and its ear for the events of proposals."""
    servicer = MessagingServicer(resources.database, resources.clock, resources.new_id)
    add = thread_pb2_grpc.add_MessagingServiceServicer_to_server
    name = thread_pb2.DESCRIPTOR.services_by_name["MessagingService"].full_name
    return Part(
        schema=SCHEMA,
        servicers=(Servicer(add, servicer, name),),
        subscriptions=(PROPOSALS,),
    )
