"""What of the approvals' scenario applies before approvals exist."""

import grpc

from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import VISA, assert_free, contracts_of, hires_of
from tests.refusals import refusal


async def test_an_agents_start_is_refused_and_nothing_is_created(system: System) -> None:
    """10. Until approvals exist, an agent's StartHire is refused (APPROVAL_UNAVAILABLE)."""
    journey = await system.proposed(VISA)
    request = await journey.start_request()
    agent = system.caller("agent", organisation=journey.job.organisation_id)
    told = await refusal(agent.call(journey.services.hiring.StartHire, request))
    assert (told.code, told.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "APPROVAL_UNAVAILABLE",
    )
    assert await hires_of(journey) == []
    assert await contracts_of(system, journey) == []
    await assert_free(journey)
