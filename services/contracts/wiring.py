"""How the parts of contracts come together in a process."""

from pathlib import Path

from hireflow.contracts.v1 import contract_pb2, contract_pb2_grpc
from services.common.runtime import Part, Resources, Servicer
from services.contracts.servicer import ContractsServicer
from services.contracts.settings import FeeSettings

SCHEMA = "contracts"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(resources: Resources) -> Part:
    """Build ContractsService and its outbox."""
    fees = FeeSettings().fees
    servicer = ContractsServicer(resources.database, resources.clock, resources.new_id, fees)
    add = contract_pb2_grpc.add_ContractsServiceServicer_to_server
    name = contract_pb2.DESCRIPTOR.services_by_name["ContractsService"].full_name
    return Part(schema=SCHEMA, servicers=(Servicer(add, servicer, name),))
