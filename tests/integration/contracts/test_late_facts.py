"""What Stripe tells after a charge was booked: refunds that come back, disputes and their ends."""

import asyncio
from typing import Any

import pytest

from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2 as pb
from services.common.auth import Kind
from tests.integration.contracts.test_charging import ledger
from tests.integration.contracts.world import Agreement, Stub, World, reason, unique
from tests.refusals import refusal

OPEN, WON, LOST = pb.DISPUTE_STATE_OPEN, pb.DISPUTE_STATE_WON, pb.DISPUTE_STATE_LOST
ACTIVE_FUNDED = pb.MILESTONE_STATE_ACTIVE_FUNDED
DISPUTED = pb.MILESTONE_STATE_DISPUTED
REFUNDED = pb.MILESTONE_STATE_REFUNDED


async def activated(hiring: Stub, agreement: Agreement) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.ActivateContract(agreement.activate())


def failed(agreement: Agreement) -> pb.RecordRefundFailedRequest:
    return pb.RecordRefundFailedRequest(
        request_id=unique("request"), refund_id=f"re_{agreement.hire_id}"
    )


def dispute(
    agreement: Agreement, state: "pb.DisputeState.ValueType", amount: int = 50495, **changes: Any
) -> pb.RecordDisputeRequest:
    fields: dict[str, Any] = {
        "request_id": unique("request"),
        "dispute_id": f"dp_{agreement.hire_id}",
        "charge_id": agreement.charge().charge_id,
        "amount": money_pb2.Money(minor_units=amount, currency_code="USD"),
        "state": state,
    }
    return pb.RecordDisputeRequest(**{**fields, **changes})


async def milestone_state(call: Any) -> int:
    return int((await call).contract.milestones[0].state)


async def test_a_refund_that_failed_is_taken_back_once_and_the_milestone_is_still_owed(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.RecordRefundedCharge(agreement.refunded())
    await hiring.CancelContract(agreement.cancel())
    answers = await asyncio.gather(
        *(hiring.RecordRefundFailed(failed(agreement)) for _ in range(8))
    )
    assert {answer.contract.milestones[0].state for answer in answers} == {REFUNDED}
    assert (await ledger(hiring, agreement))[1:] == [
        ("refund", f"re_{agreement.hire_id}", {"HELD": 45000, "FEES": 5495, "REFUNDED": -50495}),
        (
            "refund_failed",
            f"re_{agreement.hire_id}",
            {"HELD": -45000, "FEES": -5495, "REFUNDED": 50495},
        ),
    ]
    assert (await world.events(agreement.contract_id))[-1] == "refund.failed"
    assert (await world.events(agreement.contract_id)).count("refund.failed") == 1


async def test_a_refund_that_is_not_booked_cannot_fail_yet(
    hiring: Stub, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    missing = ("NOT_FOUND", "NOT_FOUND")
    assert await reason(hiring.RecordRefundFailed(failed(agreement))) == missing
    await hiring.RecordRefundedCharge(agreement.refunded())
    await hiring.RecordRefundFailed(failed(agreement))


async def test_a_dispute_takes_what_is_held_and_the_rest_from_us_and_a_won_one_brings_it_back(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await activated(hiring, agreement)
    opened = [hiring.RecordDispute(dispute(agreement, OPEN)) for _ in range(5)]
    assert {await milestone_state(each) for each in opened} == {DISPUTED}
    taken = {"HELD": 45000, "PLATFORM_LOSS": 5495, "CHARGED_BACK": -50495}
    dispute_id = f"dp_{agreement.hire_id}"
    assert (await ledger(hiring, agreement))[1:] == [("chargeback", dispute_id, taken)]
    for _ in range(2):
        won = hiring.RecordDispute(dispute(agreement, WON))
        assert await milestone_state(won) == ACTIVE_FUNDED
    returned = {account: -amount for account, amount in taken.items()}
    booked = await ledger(hiring, agreement)
    assert booked[2:] == [("chargeback_reversed", dispute_id, returned)]
    late = hiring.RecordDispute(dispute(agreement, OPEN))  # a word that was overtaken
    assert await milestone_state(late) == ACTIVE_FUNDED
    assert await ledger(hiring, agreement) == booked
    assert (await world.events(agreement.contract_id))[-2:] == [
        "milestone.disputed",
        "dispute.closed",
    ]


@pytest.mark.parametrize(
    ("first", "second", "after"),
    [(WON, WON, ACTIVE_FUNDED), (WON, LOST, REFUNDED), (LOST, WON, REFUNDED)],
)
async def test_a_milestone_is_disputed_until_the_last_dispute_of_its_charge_is_decided(  # noqa: PLR0917 - fixtures
    first: "pb.DisputeState.ValueType",
    second: "pb.DisputeState.ValueType",
    after: int,
    hiring: Stub,
    world: World,
    agreement: Agreement,
) -> None:
    await activated(hiring, agreement)

    async def told(number: int, state: "pb.DisputeState.ValueType") -> int:
        request = dispute(agreement, state, 30000, dispute_id=f"dp_{number}_{agreement.hire_id}")
        return await milestone_state(hiring.RecordDispute(request))

    assert [await told(1, OPEN), await told(2, OPEN)] == [DISPUTED, DISPUTED]
    assert [await told(1, first), await told(2, second)] == [DISPUTED, after]
    assert (await world.events(agreement.contract_id))[-2:] == ["dispute.closed"] * 2
    request = pb.VerifyLedgerRequest(contract_id=agreement.contract_id)
    proved = await world.caller(Kind.OPERATOR, "operator-1").VerifyLedger(request)
    assert list(proved.findings) == []


async def test_what_the_bank_took_is_not_given_back_as_well_until_the_dispute_is_won(
    hiring: Stub, agreement: Agreement
) -> None:
    await activated(hiring, agreement)
    await hiring.RecordDispute(dispute(agreement, OPEN))
    wrong = ("FAILED_PRECONDITION", "WRONG_STATE")
    assert await reason(hiring.RefundContract(agreement.refund())) == wrong
    await hiring.RecordDispute(dispute(agreement, WON))
    assert await milestone_state(hiring.RefundContract(agreement.refund())) == REFUNDED


async def test_a_dispute_that_is_first_told_lost_is_opened_and_closed(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await activated(hiring, agreement)
    lost = hiring.RecordDispute(dispute(agreement, LOST))
    assert await milestone_state(lost) == REFUNDED
    assert [kind for kind, _, _ in await ledger(hiring, agreement)] == ["funding", "chargeback"]
    assert (await world.events(agreement.contract_id))[-2:] == [
        "milestone.disputed",
        "dispute.closed",
    ]
    wrong = ("FAILED_PRECONDITION", "WRONG_STATE")
    assert await reason(hiring.RecordDispute(dispute(agreement, WON))) == wrong


async def test_a_dispute_of_a_charge_that_was_given_back_is_our_loss_and_moves_no_milestone(
    hiring: Stub, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.RecordRefundedCharge(agreement.refunded())
    await hiring.CancelContract(agreement.cancel())
    opened = hiring.RecordDispute(dispute(agreement, OPEN))
    assert await milestone_state(opened) == REFUNDED
    booked = (await ledger(hiring, agreement))[-1]
    assert booked[2] == {"PLATFORM_LOSS": 50495, "CHARGED_BACK": -50495}


async def test_a_dispute_that_cannot_be_of_this_charge_is_refused_and_books_nothing(
    hiring: Stub, agreement: Agreement
) -> None:
    await activated(hiring, agreement)
    mismatch = ("FAILED_PRECONDITION", "CHARGE_MISMATCH")
    assert await reason(hiring.RecordDispute(dispute(agreement, OPEN, amount=50496))) == mismatch
    euros = dispute(agreement, OPEN)
    euros.amount.currency_code = "EUR"
    assert await reason(hiring.RecordDispute(euros)) == mismatch
    unknown = dispute(agreement, OPEN, charge_id="ch_of_nobody")
    assert await reason(hiring.RecordDispute(unknown)) == ("NOT_FOUND", "NOT_FOUND")
    assert len(await ledger(hiring, agreement)) == 1


async def test_late_facts_name_every_bad_field_at_once(hiring: Stub) -> None:
    error = await refusal(hiring.RecordDispute(pb.RecordDisputeRequest()))
    assert [each.field for each in error.violations] == [
        "request_id",
        "dispute_id",
        "charge_id",
        "amount.minor_units",
        "amount.currency_code",
        "state",
    ]
    error = await refusal(hiring.RecordRefundFailed(pb.RecordRefundFailedRequest()))
    assert [each.field for each in error.violations] == ["request_id", "refund_id"]
