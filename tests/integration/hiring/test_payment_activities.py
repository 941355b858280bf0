"""The payment steps against the real sandbox and database: what dies where, what runs twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe
from temporalio.exceptions import ApplicationError

from deploy.local.forking import ForkServer
from hireflow.hiring.v1 import hire_pb2
from tests.integration.hiring.world import World, new_id
from tests.stripe_sandbox.process import Control, SandboxProcess
from workflows.hire import steps
from workflows.hire.contract import HireTotals
from workflows.hire.payment_activities import PaymentActivities
from workflows.hire.steps import PaymentOutcome, PaymentStatus
from workflows.payments.gateway import Unknown
from workflows.payments.stripe_gateway import (
    StripeCustomers,
    StripeIntents,
    StripeRefunds,
    open_client,
)

TOTALS = HireTotals(amount=45000, marketplace_fee=4500, contract_fee=995, currency="USD")
SOON = timedelta(minutes=15)


@dataclass(frozen=True)
class Till:
    """The payment steps of one hire, a customer with a card, and Stripe's side of it."""

    money: PaymentActivities
    client: stripe.StripeClient
    control: Control
    order: steps.FundingOrder
    hire: hire_pb2.Hire
    card: str

    def take(self, number: int, **changes: Any) -> steps.TakePaymentInput:
        now = datetime.now(UTC)
        given: dict[str, Any] = {
            "step": steps.StepRef(hire_id=self.hire.hire_id, number=number),
            "key": f"fund:{self.order.funding_id}",
            "order": self.order,
            "attempt": 1,
            "method_id": self.card,
            "confirm_until": now + SOON,
            "deadline": now + timedelta(hours=72),
        }
        return steps.TakePaymentInput(**{**given, **changes})

    async def settle(self, number: int) -> PaymentOutcome:
        given = steps.SettlePaymentInput(
            step=steps.StepRef(hire_id=self.hire.hire_id, number=number),
            key=f"fund:{self.order.funding_id}",
            order=self.order,
        )
        return await self.money.settle_payment(given)

    async def refund(self, number: int, charge_id: str, refund_id: str) -> str:
        given = steps.RefundInput(
            step=steps.StepRef(hire_id=self.hire.hire_id, number=number),
            key=f"refund:{refund_id}",
            order=self.order,
            refund_id=refund_id,
            charge_id=charge_id,
        )
        return (await self.money.refund_payment(given)).provider_id

    async def intents(self) -> list[stripe.PaymentIntent]:
        listed = await self.client.v1.payment_intents.list_async(
            {"customer": self.order.customer_id}
        )
        return list(listed.data)


@pytest.fixture(scope="module")
async def sandbox(
    tmp_path_factory: pytest.TempPathFactory, forks: ForkServer
) -> AsyncIterator[SandboxProcess]:
    folder: Path = tmp_path_factory.mktemp("till")
    process = SandboxProcess(folder / "stripe.sqlite", forks)
    await process.start()
    try:
        yield process
    finally:
        await process.kill()


@pytest.fixture
async def till(world: World, organisation_id: str, sandbox: SandboxProcess) -> AsyncIterator[Till]:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    control = Control(sandbox.base)
    async with open_client("sk_test_till", sandbox.base) as client:
        customer = await client.v1.customers.create_async()
        card = await client.v1.payment_methods.attach_async(
            "pm_card_visa", {"customer": customer.id}
        )
        order = steps.FundingOrder(
            funding_id=new_id("funding"),
            revision=1,
            contract_id=new_id("contract"),
            milestone_id=new_id("milestone"),
            organisation_id=organisation_id,
            customer_id=customer.id,
            workflow_id=hire.workflow_id,
            env="test",
            totals=TOTALS,
        )
        money = PaymentActivities(world.hiring, StripeIntents(client), StripeRefunds(client))
        yield Till(money, client, control, order, hire, card.id)
    await control.http.aclose()


async def test_a_step_that_runs_again_after_its_reply_was_lost_charges_once(till: Till) -> None:
    first = await till.money.take_payment(till.take(2))
    again = await till.money.take_payment(till.take(2))
    assert first == again
    assert first.status is PaymentStatus.PAID
    assert [intent.status for intent in await till.intents()] == ["succeeded"]


@pytest.mark.parametrize("kind", ["commit_then_500", "drop_connection_after_commit"])
@pytest.mark.parametrize("operation", ["payment_intents.create", "payment_intents.confirm"])
async def test_an_answer_that_is_lost_after_the_commit_is_asked_about_again(
    till: Till, kind: str, operation: str
) -> None:
    await till.control.post("/faults", kind=kind, operation=operation)
    with pytest.raises(ApplicationError) as caught:
        await till.money.take_payment(till.take(2))
    assert (caught.value.type, caught.value.non_retryable) == ("PAYMENT_UNKNOWN", False)
    paid = await till.money.take_payment(till.take(2))
    assert paid.status is PaymentStatus.PAID
    assert len(await till.intents()) == 1


async def test_a_create_that_failed_at_stripe_is_looked_for_and_then_goes_under_another_key(
    till: Till,
) -> None:
    for _ in range(2):
        await till.control.post("/faults", kind="500_stored", operation="payment_intents.create")
        with pytest.raises(ApplicationError) as caught:
            await till.money.take_payment(till.take(2))
        assert caught.value.type == "PAYMENT_UNKNOWN"
    paid = await till.money.take_payment(till.take(2))
    assert paid.status is PaymentStatus.PAID
    assert len(await till.intents()) == 1


async def test_a_create_whose_key_is_long_forgotten_is_looked_up_not_repeated(till: Till) -> None:
    await till.control.post(
        "/faults", kind="drop_connection_after_commit", operation="payment_intents.create"
    )
    with pytest.raises(ApplicationError):
        await till.money.take_payment(till.take(2))
    await till.control.post("/clock", advance_seconds=30 * 3600)
    paid = await till.money.take_payment(till.take(2))
    assert paid.status is PaymentStatus.PAID
    assert len(await till.intents()) == 1


async def test_a_try_that_comes_too_late_creates_the_intent_and_charges_nothing(
    till: Till,
) -> None:
    late = till.take(2, confirm_until=datetime.now(UTC) - timedelta(seconds=1))
    outcome = await till.money.take_payment(late)
    assert outcome.status is PaymentStatus.ACTION_NEEDED
    assert [intent.amount_received for intent in await till.intents()] == [0]


async def test_what_stripe_never_heard_of_is_closed_and_a_late_take_is_refused(
    till: Till,
) -> None:
    settled = await till.settle(2)
    assert settled.status is PaymentStatus.CANCELED
    with pytest.raises(ApplicationError) as caught:
        await till.money.take_payment(till.take(3))
    assert (caught.value.type, caught.value.non_retryable) == ("PAYMENT_NOT_EXPECTED", True)
    assert await till.intents() == []


async def test_a_settle_that_overtakes_a_create_in_flight_cancels_its_intent(till: Till) -> None:
    await till.control.post("/faults", kind="hold_before", operation="payment_intents.create")
    taking = asyncio.create_task(till.money.take_payment(till.take(2)))
    hold = await till.control.held("payment_intents.create")
    with pytest.raises(ApplicationError) as caught:
        await till.settle(3)  # the key is in flight: not known yet
    assert caught.value.type == "PAYMENT_UNKNOWN"
    await till.control.release(hold)
    took = (await asyncio.gather(taking, return_exceptions=True))[0]
    settled = await till.settle(4)
    paid = isinstance(took, PaymentOutcome) and took.status is PaymentStatus.PAID
    assert settled.status is (PaymentStatus.PAID if paid else PaymentStatus.CANCELED)
    assert len(await till.intents()) == 1


async def test_an_unconfirmed_intent_is_cancelled_by_settling_and_again_changes_nothing(
    till: Till,
) -> None:
    await till.money.take_payment(till.take(2, method_id=None))
    assert (await till.settle(3)).status is PaymentStatus.CANCELED
    assert (await till.settle(3)).status is PaymentStatus.CANCELED
    assert [intent.status for intent in await till.intents()] == ["canceled"]


async def test_a_bank_debit_that_fails_is_told_by_its_code_and_can_be_settled(till: Till) -> None:
    account = await till.client.v1.payment_methods.attach_async(
        "pm_usBankAccount_processing", {"customer": till.order.customer_id}
    )
    waiting = await till.money.take_payment(till.take(2, method_id=account.id))
    assert waiting.status is PaymentStatus.PROCESSING
    failure = {"outcome": "fail", "code": "insufficient_funds"}
    await till.control.post(f"/payment_intents/{waiting.intent_id}/settle", **failure)
    known = steps.ReadPaymentInput(
        step=steps.StepRef(hire_id=till.hire.hire_id, number=3),
        key=f"fund:{till.order.funding_id}",
        order=till.order,
        known=waiting,
        deadline=datetime.now(UTC) + timedelta(hours=72),
    )
    failed = await till.money.read_payment(known)
    assert (failed.status, failed.decline_code) == (PaymentStatus.DECLINED, "insufficient_funds")
    assert (await till.settle(4)).status is PaymentStatus.CANCELED


async def test_a_saved_bank_account_is_listed_beside_the_card(till: Till) -> None:
    await till.client.v1.payment_methods.attach_async(
        "pm_usBankAccount_success", {"customer": till.order.customer_id}
    )
    methods = await StripeCustomers(till.client).methods(till.order.customer_id)
    assert {method.type for method in methods} == {"card", "us_bank_account"}


async def test_a_settle_that_finds_the_charge_made_says_so(till: Till) -> None:
    paid = await till.money.take_payment(till.take(2))
    settled = await till.settle(3)
    assert (settled.status, settled.charge_id) == (PaymentStatus.PAID, paid.charge_id)


@pytest.mark.parametrize("kind", ["commit_then_500", "drop_connection_after_commit", "429"])
async def test_a_refund_whose_answer_was_lost_is_made_once(till: Till, kind: str) -> None:
    paid = await till.money.take_payment(till.take(2))
    refund_id = new_id("refund")
    await till.control.post("/faults", kind=kind, operation="refunds.create")
    with pytest.raises(ApplicationError) as caught:
        await till.refund(3, paid.charge_id or "", refund_id)
    assert caught.value.type == "PAYMENT_UNKNOWN"
    await till.control.post("/clock", advance_seconds=30 * 3600)
    first = await till.refund(3, paid.charge_id or "", refund_id)
    assert await till.refund(3, paid.charge_id or "", refund_id) == first
    charge = await till.client.v1.charges.retrieve_async(paid.charge_id or "")
    assert charge.amount_refunded == TOTALS.total


async def test_a_charge_over_another_amount_is_never_taken_for_the_agreed_one(till: Till) -> None:
    await till.money.take_payment(till.take(2))
    other = replace(till, order=till.order.model_copy(update={"totals": _dearer()}))
    with pytest.raises(ApplicationError) as caught:
        await other.money.take_payment(other.take(3))
    assert (caught.value.type, caught.value.non_retryable) == ("CHARGE_MISMATCH", True)


async def test_an_unreachable_stripe_is_an_unknown_answer() -> None:
    async with open_client("sk_test_till", "http://127.0.0.1:9") as client:
        with pytest.raises(Unknown):
            await StripeIntents(client).read("pi_1")


def _dearer() -> HireTotals:
    return TOTALS.model_copy(update={"amount": TOTALS.amount + 1})
