"""A look at an object of Stripe: what is ours and new is booked once, whatever was told."""

from dataclasses import dataclass, field

import pytest
from google.protobuf.message import Message
from temporalio.exceptions import ApplicationError

from hireflow.contracts.v1 import contract_pb2
from tests.integration.hiring.test_payment_activities import (
    Till,
    sandbox,
    till,
)
from tests.integration.hiring.world import World
from workflows.hire.contract import LateFact, LateOutcome
from workflows.hiring.domain import FundingChange, FundingState, LateKind
from workflows.hiring.use_cases.late_facts import close_funding
from workflows.payments.late_fact_activities import LateFactActivities
from workflows.payments.stripe_gateway import StripeDisputes, StripeIntents, StripeRefunds

__all__ = ["sandbox", "till"]


@dataclass
class Books:
    """Contracts, as far as late facts ask them: what reached them."""

    booked: list[Message] = field(default_factory=list)

    async def RecordRefundedCharge(  # noqa: N802 - gRPC's name
        self, request: contract_pb2.RecordRefundedChargeRequest, timeout: float
    ) -> contract_pb2.RecordRefundedChargeResponse:
        self.booked.append(request)
        return contract_pb2.RecordRefundedChargeResponse()


@dataclass(frozen=True)
class Desk:
    """The look at objects, and what it booked."""

    late: LateFactActivities
    books: Books

    async def look(self, kind: LateKind, object_id: str) -> LateOutcome:
        return (await self.late.take_in(LateFact(kind=kind, object_id=object_id))).outcome


@pytest.fixture
def desk(world: World, till: Till) -> Desk:
    books = Books()
    late = LateFactActivities(
        world.hiring,
        books,  # type: ignore[arg-type] # only what late facts ask
        StripeIntents(till.client),
        StripeRefunds(till.client),
        StripeDisputes(till.client),
    )
    return Desk(late, books)


async def closed(world: World, till: Till) -> str:
    """An unpaid intent whose funding our rows believe closed, of a hire that ended undone."""
    taken = await till.money.take_payment(till.take(2, method_id=None))
    canceled = FundingChange(till.order.funding_id, FundingState.CANCELED)
    await close_funding(world.hiring, canceled)
    await world.undo(till.hire.hire_id, 3, "HIRE_CANCELLED")
    return taken.intent_id or ""


async def test_a_charge_on_a_closed_funding_is_given_back_and_booked_once(
    world: World, till: Till, desk: Desk
) -> None:
    intent_id = await closed(world, till)
    intents = till.client.v1.payment_intents
    paid = await intents.confirm_async(intent_id, {"payment_method": till.card})
    assert await desk.look(LateKind.INTENT, intent_id) is LateOutcome.REFUNDED
    assert await desk.look(LateKind.INTENT, intent_id) is LateOutcome.NOTHING_NEW
    charge = await till.client.v1.charges.retrieve_async(str(paid.latest_charge))
    assert charge.amount_refunded == charge.amount == 50495
    (request,) = desk.books.booked
    assert isinstance(request, contract_pb2.RecordRefundedChargeRequest)
    assert (request.contract_id, request.charge.charge_id) == (till.order.contract_id, charge.id)


@pytest.mark.parametrize("kind", ["commit_then_500", "drop_connection_after_commit"])
async def test_a_refund_whose_answer_was_lost_is_found_by_the_next_look(
    world: World, till: Till, desk: Desk, kind: str
) -> None:
    intent_id = await closed(world, till)
    intents = till.client.v1.payment_intents
    paid = await intents.confirm_async(intent_id, {"payment_method": till.card})
    await till.control.post("/faults", kind=kind, operation="refunds.create")
    with pytest.raises(ApplicationError, match="not known yet"):
        await desk.look(LateKind.INTENT, intent_id)
    await till.control.post("/clock", advance_seconds=30 * 3600)
    assert await desk.look(LateKind.INTENT, intent_id) is LateOutcome.REFUNDED
    charge = await till.client.v1.charges.retrieve_async(str(paid.latest_charge))
    refunds = await till.client.v1.refunds.list_async({"charge": charge.id})
    assert [refund.amount for refund in refunds.data] == [50495]


async def test_an_open_intent_of_a_closed_funding_is_cancelled(
    world: World, till: Till, desk: Desk
) -> None:
    intent_id = await closed(world, till)
    assert await desk.look(LateKind.INTENT, intent_id) is LateOutcome.NOTHING_NEW
    assert [intent.status for intent in await till.intents()] == ["canceled"]
    assert desk.books.booked == []


async def test_what_a_running_hire_charges_is_left_to_it(till: Till, desk: Desk) -> None:
    taken = await till.money.take_payment(till.take(2, method_id=None))
    intent_id = taken.intent_id or ""
    assert await desk.look(LateKind.INTENT, intent_id) is LateOutcome.LEFT
    await till.money.take_payment(till.take(3))
    assert await desk.look(LateKind.INTENT, intent_id) is LateOutcome.LEFT
    assert [intent.status for intent in await till.intents()] == ["succeeded"]


async def test_what_is_none_of_ours_is_unroutable_and_left_alone(till: Till, desk: Desk) -> None:
    v1 = till.client.v1
    foreign = await v1.payment_intents.create_async(
        {
            "amount": 700,
            "currency": "usd",
            "payment_method": till.card,
            "customer": till.order.customer_id,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    assert await desk.look(LateKind.INTENT, foreign.id) is LateOutcome.UNROUTABLE
    charge_id = str(foreign.latest_charge)
    refund = await v1.refunds.create_async({"charge": charge_id, "amount": 100})
    await till.control.post(f"/refunds/{refund.id}/fail")
    assert await desk.look(LateKind.REFUND, refund.id) is LateOutcome.UNROUTABLE
    dispute = await till.control.post(f"/charges/{charge_id}/dispute")
    assert await desk.look(LateKind.DISPUTE, dispute["id"]) is LateOutcome.UNROUTABLE
    assert desk.books.booked == []
