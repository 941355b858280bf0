import asyncio

import sqlalchemy as sa

from hireflow.hiring.v1 import hire_pb2, payment_method_pb2
from services.common.auth import Kind
from tests.integration.hiring.world import Caller, World, new_id
from tests.refusals import reason
from workflows.hiring.store.tables import CUSTOMER


async def setup(world: World, payer: Caller, request_id: str = "") -> str:
    """Begin saving a method; the answer is the organisation's customer."""
    request = hire_pb2.CreatePaymentSetupRequest(request_id=request_id or new_id("r"))
    await world.stub.CreatePaymentSetup(request, metadata=payer.metadata)
    query = sa.select(CUSTOMER.c.customer_id).where(
        CUSTOMER.c.organisation_id == payer.principal.organisation_id
    )
    async with world.hiring.database.read() as connection:
        customer_id: str = (await connection.execute(query)).scalar_one()
    return customer_id


async def listed(world: World, caller: Caller) -> list[payment_method_pb2.PaymentMethod]:
    request = hire_pb2.ListPaymentMethodsRequest()
    answer = await world.stub.ListPaymentMethods(request, metadata=caller.metadata)
    return list(answer.payment_methods)


async def choose(world: World, payer: Caller, method_id: str, request_id: str = "") -> None:
    request = hire_pb2.SetDefaultPaymentMethodRequest(
        request_id=request_id or new_id("r"), payment_method_id=method_id
    )
    await world.stub.SetDefaultPaymentMethod(request, metadata=payer.metadata)


async def remove(world: World, payer: Caller, method_id: str, request_id: str = "") -> None:
    request = hire_pb2.RemovePaymentMethodRequest(
        request_id=request_id or new_id("r"), payment_method_id=method_id
    )
    await world.stub.RemovePaymentMethod(request, metadata=payer.metadata)


async def test_ten_setups_at_once_make_one_customer(world: World, organisation_id: str) -> None:
    payer = world.payer(organisation_id)
    customers = await asyncio.gather(*(setup(world, payer) for _ in range(10)))
    assert len(set(customers)) == 1


async def test_a_repeated_setup_is_the_same_setup(world: World, organisation_id: str) -> None:
    payer = world.payer(organisation_id)
    request = hire_pb2.CreatePaymentSetupRequest(request_id="once")
    first, again = [
        await world.stub.CreatePaymentSetup(request, metadata=payer.metadata) for _ in range(2)
    ]
    assert first == again
    assert first.client_secret != ""


async def test_the_default_is_charged_when_none_is_named(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    customer_id = await setup(world, payer)
    first, second = [world.provider.save_method(customer_id) for _ in range(2)]
    proposal_id = world.proposal(organisation_id)
    unnamed = {"client_confirms": None}
    assert await reason(world.start(payer, proposal_id, **unnamed)) == "PAYMENT_METHOD_MISSING"
    await choose(world, payer, first)
    agent = world.by(Kind.AGENT, organisation_id)
    shown = {each.payment_method_id: each.is_default for each in await listed(world, agent)}
    assert shown == {second: False, first: True}
    hire = await world.start(payer, proposal_id, **unnamed)
    assert world.stories.running[hire.hire_id].payment.method_id == first


async def test_a_late_repeat_of_an_old_choice_does_not_undo_a_newer_one(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    customer_id = await setup(world, payer)
    first, second = [world.provider.save_method(customer_id) for _ in range(2)]
    await choose(world, payer, first, request_id="old")
    await choose(world, payer, second)
    await choose(world, payer, first, request_id="old")
    defaults = [each for each in await listed(world, payer) if each.is_default]
    assert [each.payment_method_id for each in defaults] == [second]


async def test_a_method_of_another_organisation_is_missing_and_nothing_is_created(
    world: World, organisation_id: str
) -> None:
    stranger = world.payer(new_id("org"))
    foreign = world.provider.save_method(await setup(world, stranger))
    payer = world.payer(organisation_id)
    proposal_id = world.proposal(organisation_id)
    call = world.start(payer, proposal_id, payment_method_id=foreign)
    assert await reason(call) == "PAYMENT_METHOD_MISSING"
    assert await reason(choose(world, payer, foreign)) == "PAYMENT_METHOD_MISSING"
    page = await world.stub.ListHires(hire_pb2.ListHiresRequest(), metadata=payer.metadata)
    assert not page.hires


async def test_a_method_that_a_running_unpaid_hire_names_cannot_be_removed(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    method_id = world.provider.save_method(await setup(world, payer))
    proposal_id = world.proposal(organisation_id)
    hire = await world.start(payer, proposal_id, payment_method_id=method_id)
    assert await reason(remove(world, payer, method_id)) == "PAYMENT_METHOD_IN_USE"
    await world.undo(hire.hire_id, 2, "PAYMENT_EXPIRED")
    await choose(world, payer, method_id)
    for _ in range(2):
        await remove(world, payer, method_id, request_id="once")
    assert await listed(world, payer) == []
    for _ in range(2):
        again = remove(world, payer, method_id, request_id="again")
        assert await reason(again) == "PAYMENT_METHOD_MISSING"


async def test_only_payers_change_payment_methods(world: World, organisation_id: str) -> None:
    member = world.by(Kind.EMPLOYER, organisation_id)
    agent = world.by(Kind.AGENT, organisation_id)
    assert await reason(setup(world, member)) == "PAYER_ROLE_MISSING"
    assert await reason(choose(world, member, "pm_1")) == "PAYER_ROLE_MISSING"
    assert await reason(remove(world, agent, "pm_1")) == "CALLER_NOT_ALLOWED"
    assert await listed(world, member) == []
    assert await reason(listed(world, world.by(Kind.OPERATOR))) == "CALLER_NOT_ALLOWED"
