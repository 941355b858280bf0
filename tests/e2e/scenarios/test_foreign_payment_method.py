"""A payment method that belongs to another organisation's customer."""

import grpc

from deploy.local.audit import read_facts
from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import (
    VISA,
    assert_free,
    contracts_of,
    hires_of,
)
from tests.refusals import refusal


async def test_another_organisations_payment_method_is_refused_and_nothing_is_created(
    system: System,
) -> None:
    """A payment method of another organisation's customer → refused, nothing created."""
    stranger = await system.proposed()
    card = await stranger.save_card(system.browser, VISA)
    journey = await system.proposed(VISA)
    request = await journey.start_request(method_id=card)
    told = await refusal(journey.start(request))
    assert (told.code, told.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "PAYMENT_METHOD_MISSING",
    )
    assert await hires_of(journey) == []
    assert await contracts_of(system, journey) == []
    facts = await read_facts(system.sources, [])
    assert f"hire/{journey.proposal_id}" not in facts.intents
    await assert_free(journey)
