import asyncio

from hireflow.hiring.v1 import hire_pb2
from services.common.errors import Conflict
from tests.integration.hiring.world import Caller, World, start_request
from tests.refusals import reason
from workflows.hiring.domain import HireChanges, Stage, Verdict
from workflows.hiring.store import terms


async def offered(world: World, hire_id: str, revision: int) -> None:
    """Wait until a revision has reached the workflow."""

    async def brought() -> bool:
        return any(
            offer.revision == revision and hire_id in world.stories.running
            for offer in world.stories.offers
        )

    await world.until(brought)


async def begun(world: World, organisation_id: str) -> tuple[Caller, hire_pb2.Hire]:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    world.stories.offers.clear()
    return payer, hire


async def test_other_terms_supersede_while_nothing_is_paid(
    world: World, organisation_id: str
) -> None:
    payer, hire = await begun(world, organisation_id)
    other = start_request(hire.proposal_id, amount=50_000)
    asking = asyncio.create_task(world.told(payer, other))
    await offered(world, hire.hire_id, 2)
    accepted = HireChanges(accepted_revision=2)
    await world.step(hire.hire_id, 2, Stage.CONTRACT_CREATION, changes=accepted)
    await world.fund(hire, 3)
    answer = (await asking).hire
    assert (answer.hire_id, answer.revision) == (hire.hire_id, 2)
    assert answer.quote.total_minor_units == 55_995
    assert await world.events(hire.hire_id) == ["started", "superseded", "stage_changed"]
    assert world.stories.offers[0].totals.total == 55_995


async def test_equal_offers_at_once_are_one_revision(world: World, organisation_id: str) -> None:
    payer, hire = await begun(world, organisation_id)
    await asyncio.gather(*(world.start(payer, hire.proposal_id, amount=50_000) for _ in range(10)))
    assert {offer.revision for offer in world.stories.offers} == {2}


async def test_terms_that_come_after_the_payment_are_refused(
    world: World, organisation_id: str
) -> None:
    payer, hire = await begun(world, organisation_id)
    await world.pay(await world.fund(hire, 2), 3)
    late = start_request(hire.proposal_id, amount=50_000)
    assert await reason(world.started(payer, late)) == "PAYMENT_ALREADY_SUCCEEDED"
    assert (await world.start(payer, hire.proposal_id)).hire_id == hire.hire_id


async def test_terms_that_the_payment_overtakes_get_their_verdict(
    world: World, organisation_id: str
) -> None:
    payer, hire = await begun(world, organisation_id)
    draft = await world.fund(hire, 2)
    other = start_request(hire.proposal_id, amount=50_000)
    asking = asyncio.create_task(reason(world.told(payer, other)))
    await offered(world, hire.hire_id, 2)
    await world.pay(draft, 3)
    refused = HireChanges(refused_revision=2, refused_reason="PAYMENT_ALREADY_SUCCEEDED")
    await world.step(hire.hire_id, 4, Stage.FUNDING, changes=refused)
    assert await asking == "PAYMENT_ALREADY_SUCCEEDED"
    assert await reason(world.started(payer, other)) == "PAYMENT_ALREADY_SUCCEEDED"


async def test_terms_that_reach_a_hire_as_it_ends_may_begin_the_next_one(
    world: World, organisation_id: str
) -> None:
    payer, hire = await begun(world, organisation_id)
    world.stories.refusals[hire.hire_id] = Conflict("HIRE_ENDING", "being undone")
    other = start_request(hire.proposal_id, amount=50_000)
    assert await reason(world.started(payer, other)) == "HIRE_ENDING"
    await world.undo(hire.hire_id, 2, "HIRE_CANCELLED")
    assert (await world.started(payer, other)).hire.hire_id != hire.hire_id


async def test_an_offer_that_nobody_decided_ends_with_its_hire(
    world: World, organisation_id: str
) -> None:
    payer, hire = await begun(world, organisation_id)
    other = start_request(hire.proposal_id, amount=50_000)
    asking = asyncio.create_task(reason(world.told(payer, other)))
    await offered(world, hire.hire_id, 2)
    await world.undo(hire.hire_id, 2, "PAYMENT_EXPIRED")
    assert await asking == "HIRE_ENDING"


async def test_an_offer_that_newer_terms_overtook_is_refused_for_good(
    world: World, organisation_id: str
) -> None:
    payer, hire = await begun(world, organisation_id)
    older = start_request(hire.proposal_id, amount=50_000)
    await world.started(payer, older)
    await world.start(payer, hire.proposal_id, amount=60_000)
    accepted = HireChanges(accepted_revision=3)
    await world.step(hire.hire_id, 2, Stage.CONTRACT_CREATION, changes=accepted)
    assert await reason(world.started(payer, older)) == "CONFLICT"
    async with world.hiring.database.read() as connection:
        found = await terms.find_terms(connection, hire.hire_id, 2)
    assert found is not None
    assert found.verdict is Verdict.REFUSED
