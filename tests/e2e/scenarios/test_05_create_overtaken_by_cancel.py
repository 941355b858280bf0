"""The undoing overtakes what is still on its way to be done."""

import asyncio

import pytest

from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import (
    HIRED,
    UNDONE,
    VISA,
    assert_free,
    contracts_of,
    hires_of,
    job_of,
    start,
)
from tests.waiting import until_logged

pytestmark = pytest.mark.timeout(240)
STAGE_SECONDS = 7.0
FIRST = "activity.reserve.before"


async def test_a_contract_whose_creation_arrives_after_its_cancel_is_refused(
    system: System,
) -> None:
    """5. Create overtaken by cancel.

    Contracts paused inside CreateContract past the deadline; cancel commits; the create goes on →
    refused, nothing left over.
    """
    journey = await system.proposed(VISA)
    log = system.stack.process("contracts").log
    async with system.hiring_with(stage_deadline=STAGE_SECONDS) as take_over:
        take_over(journey)
        with system.stop_at("CreateContract.before", journey.proposal_id) as create:
            started = await start(journey)
            await create.reached()
            hire = await system.ended(journey, started.hire.hire_id)
            assert (hire.state, hire.end_reason) == (UNDONE, "STAGE_TIMED_OUT")
            before = len(log.read_text())
        await until_logged(log, before, "CreateContract", "CONTRACT_CANCELLED")
        assert await contracts_of(system, journey) == []
        await assert_free(journey)
        await system.audited(hire.hire_id)


async def test_a_position_that_is_reserved_after_its_release_goes_to_nobody(
    system: System,
) -> None:
    """5. The same for the last position: it goes to the next hire, and the late one is refused."""
    journey = await system.proposed(VISA)
    log = system.stack.process("jobs").log
    async with system.hiring_with(stage_deadline=STAGE_SECONDS) as take_over:
        take_over(journey)
        with system.stop_at(FIRST, journey.proposal_id) as first:
            asking = asyncio.create_task(start(journey))
            await first.reached()
            [hire] = await hires_of(journey)
            with system.stop_at("ReservePosition.before", hire.hire_id) as reserve:
                first.disarm()
                await reserve.reached()
                await asking
                hire = await system.ended(journey, hire.hire_id)
                assert (hire.state, hire.end_reason) == (UNDONE, "STAGE_TIMED_OUT")
                # The one position is free for the next hire of the proposal.
                following = await system.ended(journey, (await start(journey)).hire.hire_id)
                assert following.state == HIRED
                before = len(log.read_text())
        await until_logged(log, before, "ReservePosition", "FAILED_PRECONDITION")
    job = await job_of(journey)
    assert (job.positions_reserved, job.positions_filled) == (0, 1)
    await system.audited(hire.hire_id, following.hire_id)
