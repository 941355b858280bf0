"""Starts that come when Temporal has forgotten the hire, and while one is being undone."""

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from tests.e2e.conftest import Hire, System
from tests.e2e.scenarios.acts import HIRED, SECURE, UNDONE, VISA, cancel, start
from tests.refusals import refusal
from tests.waiting import until


async def forgotten_by_temporal(system: System, hire: Hire) -> None:
    """Delete the hire's history, as Temporal does after its retention."""
    client = system.sources.temporal
    request = DeleteWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=hire.workflow_id),
    )
    await client.workflow_service.delete_workflow_execution(request)

    async def gone() -> bool:
        try:
            await client.get_workflow_handle(hire.workflow_id).describe()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return False

    await until(gone)


async def test_a_proposal_that_is_hired_is_not_hired_again_after_temporals_retention(
    system: System,
) -> None:
    """14. Second run after retention → ALREADY_HIRED."""
    journey = await system.proposed(VISA)
    hire = await system.ended(journey, (await start(journey)).hire.hire_id)
    assert hire.state == HIRED
    await system.audited(hire.hire_id)
    request = await journey.start_request()
    await forgotten_by_temporal(system, hire)
    told = await refusal(journey.start(request))
    assert (told.code.name, told.reason) == ("FAILED_PRECONDITION", "ALREADY_HIRED")
    assert await system.hire(journey, hire.hire_id) == hire
    assert await system.net_charged(hire) == (1, 50495)


async def test_a_start_while_undoing_is_told_to_wait_and_afterwards_is_a_hire_of_its_own(
    system: System,
) -> None:
    """14. Start while undoing → HIRE_ENDING; afterwards a new hire id, a new contract."""
    journey = await system.proposed(SECURE)
    former = (await start(journey)).hire
    with system.stop_at("activity.release.before", former.hire_id) as releasing:
        await cancel(journey, former.hire_id)
        await releasing.reached()
        told = await refusal(journey.start(await journey.start_request(60000)))
        assert (told.code.name, told.reason) == ("ABORTED", "HIRE_ENDING")
    undone = await system.ended(journey, former.hire_id)
    assert undone.state == UNDONE

    await journey.save_card(system.browser, VISA)
    hire = await system.ended(journey, (await start(journey)).hire.hire_id)
    assert hire.state == HIRED
    assert hire.hire_id != former.hire_id
    assert hire.contract_id not in {"", undone.contract_id}
    await system.audited(former.hire_id, hire.hire_id)
