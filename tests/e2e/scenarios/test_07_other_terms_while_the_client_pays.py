"""Other terms are offered in the very moment in which the client pays the former ones."""

import asyncio

import httpx
import pytest

from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import HIRED, SECURE, TOTAL, contract_of
from tests.e2e.scenarios.test_02_success_races_cancel import LOST
from tests.refusals import refusal

OTHER_TERMS = 60000
OTHER_TOTAL = 60000 + 6000 + 995


async def test_terms_that_come_before_the_payment_are_charged_alone(system: System) -> None:
    """7. Other terms while the client pays: B first → B alone is charged."""
    journey = await system.proposed(SECURE)
    a = await journey.start(await journey.start_request())
    b = await journey.start(await journey.start_request(OTHER_TERMS))
    assert b.hire.hire_id == a.hire.hire_id
    assert b.hire.revision == 2
    with pytest.raises(httpx.HTTPStatusError):  # the intent of A is final
        await system.browser.authenticate(a.client_secret)
    await system.browser.authenticate(b.client_secret)
    hire = await system.ended(journey, a.hire.hire_id)
    assert hire.state == HIRED
    assert await system.net_charged(hire) == (1, OTHER_TOTAL)
    [milestone] = (await contract_of(system, hire)).milestones
    assert milestone.terms.amount.minor_units == OTHER_TERMS
    await system.audited(hire.hire_id)


async def test_terms_that_come_after_the_payment_are_refused_and_the_paid_ones_go_on(
    system: System,
) -> None:
    """7. Other terms while the client pays: A is paid first → B ABORTED."""
    journey = await system.proposed(SECURE)
    async with system.webhooks(LOST):
        a = await journey.start(await journey.start_request())
        await system.browser.authenticate(a.client_secret)
        told = await refusal(journey.start(await journey.start_request(OTHER_TERMS)))
    assert (told.code.name, told.reason) == ("ABORTED", "PAYMENT_ALREADY_SUCCEEDED")
    hire = await system.ended(journey, a.hire.hire_id)
    assert hire.state == HIRED
    assert await system.net_charged(hire) == (1, TOTAL)
    [milestone] = (await contract_of(system, hire)).milestones
    assert milestone.terms.amount.minor_units == 45000
    await system.audited(hire.hire_id)


async def test_a_payment_while_our_cancel_is_on_its_way_lets_the_paid_terms_go_on(
    system: System,
) -> None:
    """7. Other terms while the client pays: in the very moment in which B is taken up."""
    journey = await system.proposed(SECURE)
    a = await journey.start(await journey.start_request())
    offer = await journey.start_request(OTHER_TERMS)
    intent = a.hire.payment_intent_id
    await system.fault(kind="hold_before", operation="payment_intents.cancel", object=intent)
    asking = asyncio.create_task(refusal(journey.start(offer)))
    hold = await system.hold_reached("payment_intents.cancel")
    async with system.late_webhooks():
        await system.browser.authenticate(a.client_secret)
        await system.release(hold)
        told = await asking
    assert (told.code.name, told.reason) == ("ABORTED", "PAYMENT_ALREADY_SUCCEEDED")
    hire = await system.ended(journey, a.hire.hire_id)
    assert hire.state == HIRED
    assert await system.net_charged(hire) == (1, TOTAL)
    [milestone] = (await contract_of(system, hire)).milestones
    assert milestone.quote.total_minor_units == TOTAL
    await system.audited(hire.hire_id)
