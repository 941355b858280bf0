"""How the parts of messaging come together in a process."""

from pathlib import Path

from hireflow.messaging.v1 import channel_pb2, channel_pb2_grpc, thread_pb2, thread_pb2_grpc
from services.common.runtime import Part, Resources, Servicer
from services.messaging.events import PROPOSALS
from services.messaging.neighbours import CONTRACTS, JOBS
from services.messaging.servicer import MessagingServicer
from services.messaging.servicer.channels import ChannelsServicer

SCHEMA = "messaging"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(resources: Resources) -> Part:
    """Build both services, their outbox, and their ears for proposals, jobs and contracts."""
    given = (resources.database, resources.clock, resources.new_id)
    messaging = Servicer(
        thread_pb2_grpc.add_MessagingServiceServicer_to_server,
        MessagingServicer(*given, resources.settings.file_stores),
        thread_pb2.DESCRIPTOR.services_by_name["MessagingService"].full_name,
    )
    channels = Servicer(
        channel_pb2_grpc.add_ChannelsServiceServicer_to_server,
        ChannelsServicer(*given),
        channel_pb2.DESCRIPTOR.services_by_name["ChannelsService"].full_name,
    )
    return Part(
        schema=SCHEMA,
        servicers=(messaging, channels),
        subscriptions=(PROPOSALS, JOBS, CONTRACTS),
    )
