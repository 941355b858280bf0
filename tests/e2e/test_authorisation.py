"""Every method of every service against every kind of caller, generated from the descriptors.

A method without a row fails. Requests are empty: who may call is decided before what is asked.
"""

from collections.abc import AsyncIterable
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from hireflow.contracts.v1 import contract_pb2
from hireflow.events.v1 import events_pb2
from hireflow.hiring.v1 import hire_pb2, operations_pb2
from hireflow.jobs.v1 import folder_pb2, instructions_pb2, job_pb2
from hireflow.messaging.v1 import channel_pb2, thread_pb2
from hireflow.proposals.v1 import (
    folder_screening_pb2,
    matching_pb2,
    proposal_pb2,
    proposal_view_pb2,
    screening_pb2,
)
from services.common.remote_errors import error_of
from tests.e2e.conftest import System
from tests.unit.contracts import authorisation as contracts
from tests.unit.events import authorisation as events
from tests.unit.hiring import authorisation as hiring
from tests.unit.jobs import authorisation as jobs
from tests.unit.messaging import authorisation as messaging
from tests.unit.proposals import authorisation as proposals

KINDS = ("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE")
SERVICES: dict[str, tuple[ServiceDescriptor, dict[str, Any]]] = {
    "jobs": (job_pb2.DESCRIPTOR.services_by_name["JobsService"], jobs.AUTHORISATION),
    "folders": (folder_pb2.DESCRIPTOR.services_by_name["FoldersService"], jobs.FOLDERS),
    "instructions": (
        instructions_pb2.DESCRIPTOR.services_by_name["InstructionsService"],
        jobs.INSTRUCTIONS,
    ),
    "proposals": (
        proposal_pb2.DESCRIPTOR.services_by_name["ProposalsService"],
        proposals.AUTHORISATION,
    ),
    "screening": (
        screening_pb2.DESCRIPTOR.services_by_name["ScreeningService"],
        proposals.SCREENING,
    ),
    "folder_screening": (
        folder_screening_pb2.DESCRIPTOR.services_by_name["FolderScreeningService"],
        proposals.FOLDERS,
    ),
    "view": (
        proposal_view_pb2.DESCRIPTOR.services_by_name["ProposalViewService"],
        proposals.VIEW,
    ),
    "matching": (
        matching_pb2.DESCRIPTOR.services_by_name["MatchingService"],
        proposals.MATCHING,
    ),
    "contracts": (
        contract_pb2.DESCRIPTOR.services_by_name["ContractsService"],
        contracts.AUTHORISATION,
    ),
    "messaging": (
        thread_pb2.DESCRIPTOR.services_by_name["MessagingService"],
        messaging.AUTHORISATION,
    ),
    "channels": (
        channel_pb2.DESCRIPTOR.services_by_name["ChannelsService"],
        messaging.CHANNELS,
    ),
    "hiring": (hire_pb2.DESCRIPTOR.services_by_name["HiringService"], hiring.AUTHORISATION),
    "events": (events_pb2.DESCRIPTOR.services_by_name["EventsService"], events.AUTHORISATION),
    "operations": (
        operations_pb2.DESCRIPTOR.services_by_name["OperationsService"],
        hiring.OPERATIONS,
    ),
}
METHODS = [
    pytest.param(name, method, id=f"{name}.{method.name}")
    for name, (service, _) in SERVICES.items()
    for method in service.methods
]


async def call(system: System, name: str, method: MethodDescriptor, token: str) -> str:
    """Call with an empty request; the reason of the error, or nothing."""
    stub = getattr(system.services, name)
    request = GetMessageClass(method.input_type)()
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    try:
        answer = getattr(stub, method.name)(request, timeout=10, metadata=metadata)
        if isinstance(answer, AsyncIterable):
            async for _ in answer:
                break
        else:
            await answer
    except grpc.aio.AioRpcError as error:
        return error_of(error).reason
    return ""


@pytest.mark.parametrize(("name", "method"), METHODS)
async def test_each_kind_of_caller_may_do_what_its_row_says(
    system: System, name: str, method: MethodDescriptor
) -> None:
    row = SERVICES[name][1][method.name]
    assert set(row) == set(KINDS)
    for kind in KINDS:
        organisation = "org-matrix" if kind in {"EMPLOYER", "AGENT"} else None
        caller = system.caller(kind.lower(), organisation=organisation)
        refused = await call(system, name, method, caller.token) == "CALLER_NOT_ALLOWED"
        assert refused is (row[kind] == "denied"), kind


@pytest.mark.parametrize(("name", "method"), METHODS)
async def test_nobody_may_do_anything_without_a_token(
    system: System, name: str, method: MethodDescriptor
) -> None:
    assert await call(system, name, method, "") == "TOKEN_INVALID"
    assert await call(system, name, method, "not.a.token") == "TOKEN_INVALID"


def test_no_row_is_left_over() -> None:
    for service, rows in SERVICES.values():
        assert set(rows) == {method.name for method in service.methods}
