"""A retry of an old request finds its own hire and touches no newer one."""

from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import HIRED, NEEDS_CLIENT, SECURE, UNDONE, cancel


async def test_the_retry_of_a_cancelled_request_sees_its_own_hire_and_not_the_newer(
    system: System,
) -> None:
    """6. Stale request.

    R1 cancelled, R2 (other terms) parks, R1's retry arrives → R1 sees its own cancelled hire, R2
    untouched.
    """
    journey = await system.proposed(SECURE)
    first = await journey.start_request()
    former = (await journey.start(first)).hire
    await cancel(journey, former.hire_id)
    assert (await system.ended(journey, former.hire_id)).state == UNDONE

    newer = await journey.start(await journey.start_request(60000))
    assert newer.hire.waiting_for == NEEDS_CLIENT
    before = await system.hire(journey, newer.hire.hire_id)

    stale = await journey.start(first)
    assert (stale.hire.hire_id, stale.hire.state) == (former.hire_id, UNDONE)
    assert stale.client_secret == ""
    assert await system.hire(journey, newer.hire.hire_id) == before

    await system.browser.authenticate(newer.client_secret)
    hire = await system.ended(journey, newer.hire.hire_id)
    assert hire.state == HIRED
    assert await system.net_charged(hire) == (1, 60000 + 6000 + 995)
    await system.audited(former.hire_id, newer.hire.hire_id)
