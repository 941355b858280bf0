"""The employer is charged, and from there on nothing works."""

import grpc
from temporalio.common import SearchAttributeKey

from deploy.local.journey import Journey, new_id
from hireflow.hiring.v1 import hire_pb2, operations_pb2
from tests.e2e.conftest import Hire, System
from tests.e2e.scenarios.acts import (
    ACTIVE,
    HIRED,
    PENDING,
    RUNNING,
    SECURE,
    TOTAL,
    amend,
    contract_of,
    proposal_of,
    start,
)
from tests.waiting import until

BLOCKED = SearchAttributeKey.for_keyword("HireBlocked")


async def assert_not_undone(system: System, journey: Journey, hire_id: str) -> Hire:
    """It is blocked and says so, and all that it did stands."""
    hire = await system.hire(journey, hire_id)
    assert (hire.state, hire.waiting_for) == (RUNNING, hire_pb2.HIRE_WAITING_FOR_OPERATOR)
    assert hire.blocked_reason == "CHARGE_MISMATCH"
    assert await system.net_charged(hire) == (1, TOTAL)
    assert (await contract_of(system, hire)).state == PENDING
    assert (await proposal_of(journey)).hire_id == hire_id
    return hire


async def order_retry(system: System, hire_id: str) -> None:
    """Have the step tried again; while the new worker takes over, the API says to repeat."""
    order = operations_pb2.RetryHireStepRequest(
        request_id=new_id(), hire_id=hire_id, reason="amended"
    )

    async def accepted() -> bool:
        try:
            await system.sources.operator.call(system.services.operations.RetryHireStep, order)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False
        return True

    await until(accepted)


async def test_a_charged_hire_that_cannot_go_on_is_blocked_and_visible_and_not_undone(
    system: System,
) -> None:
    """12. After the pivot all goes wrong.

    ActivateContract refuses, messaging is gone, Temporal's cancel twice, worker killed → blocked,
    visible, not undone; retry → HIRED.

    ActivateContract refuses because the contract is over another amount than the charge, until
    that is put right.
    """
    journey = await system.proposed(SECURE)
    started = await start(journey)
    hire_id = started.hire.hire_id
    handle = system.sources.temporal.get_workflow_handle(started.hire.workflow_id)
    await amend(system, started.hire, 46000)
    async with system.without("messaging", killed=True):
        await system.browser.authenticate(started.client_secret)
        await system.told(journey, hire_id, "blocked")
        for _ in range(2):
            await handle.cancel()
        async with system.without("worker", killed=True):
            await assert_not_undone(system, journey, hire_id)
            described = await handle.describe()
            assert described.typed_search_attributes.get(BLOCKED) == "CHARGE_MISMATCH"
        hire = await assert_not_undone(system, journey, hire_id)

        await amend(system, hire, 45000)
        await order_retry(system, hire_id)
        await system.told(journey, hire_id, "contract_activated")
        assert (await contract_of(system, hire)).state == ACTIVE
        assert (await system.hire(journey, hire_id)).state == RUNNING
    hire = await system.ended(journey, hire_id)
    assert hire.state == HIRED
    await system.audited(hire_id)
