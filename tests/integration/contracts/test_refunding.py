"""A hire's charge is given back in full once, whatever the contract made of it until then."""

import asyncio

from hireflow.contracts.v1 import contract_pb2 as pb
from tests.integration.contracts.test_charging import ACTIVATED, ledger, numbers
from tests.integration.contracts.world import Agreement, Stub, World, outcome, reason

FUNDED = {"CHARGED": 50495, "HELD": -45000, "FEES": -5495}
GIVEN_BACK = {"HELD": 45000, "REFUNDED": -50495, "FEES": 5495}
CANCELLED = ["milestone.refunded", "contract.cancelled"]
ENDED = ["milestone.refunded", "contract.ended", "invoice.issued"]


async def booked(hiring: Stub, agreement: Agreement) -> list[dict[str, int]]:
    return [postings for _, _, postings in await ledger(hiring, agreement)]


async def test_a_refund_of_an_active_contract_ends_it_with_a_credit_note(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    invoice = (await hiring.ActivateContract(agreement.activate())).invoice
    answer = await hiring.RefundContract(agreement.refund())
    assert answer.contract.state == pb.CONTRACT_STATE_ENDED
    assert answer.contract.milestones[0].state == pb.MILESTONE_STATE_REFUNDED
    assert await booked(hiring, agreement) == [FUNDED, GIVEN_BACK]
    note = answer.credit_note
    assert note.kind == pb.INVOICE_KIND_CREDIT_NOTE
    assert (note.number, note.lines) == (invoice.number + 1, invoice.lines)
    assert note.note.startswith(f"Credits all of invoice {invoice.number}. ")
    assert await numbers(hiring, agreement) == [1, 2]
    assert (await world.events(agreement.contract_id))[2:] == [*ACTIVATED, *ENDED]


async def test_a_refund_before_the_activation_cancels_and_the_late_activation_is_refused(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    answer = await hiring.RefundContract(agreement.refund())
    assert answer.contract.state == pb.CONTRACT_STATE_CANCELLED
    assert answer.contract.milestones[0].state == pb.MILESTONE_STATE_REFUNDED
    assert not answer.HasField("credit_note")
    recorded = ("FAILED_PRECONDITION", "CHARGE_RECORDED")
    assert await reason(hiring.ActivateContract(agreement.activate())) == recorded
    assert await booked(hiring, agreement) == [FUNDED, GIVEN_BACK]
    assert await numbers(hiring, agreement) == []
    assert (await world.events(agreement.contract_id))[2:] == CANCELLED


async def test_of_an_activation_and_a_refund_at_once_either_order_gives_all_back_once(
    hiring: Stub, world: World
) -> None:
    agreements = [Agreement.new() for _ in range(12)]
    for each in agreements:
        await hiring.CreateContract(each.create())
    for each in agreements:
        _, refunded = await asyncio.gather(
            outcome(hiring.ActivateContract(each.activate())),
            hiring.RefundContract(each.refund()),
        )
        activated = refunded.contract.state == pb.CONTRACT_STATE_ENDED
        assert activated or refunded.contract.state == pb.CONTRACT_STATE_CANCELLED
        assert await booked(hiring, each) == [FUNDED, GIVEN_BACK]
        events = (await world.events(each.contract_id))[2:]
        assert events == ([*ACTIVATED, *ENDED] if activated else CANCELLED)


async def test_many_refunds_at_once_under_whatever_request_are_one(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    for each, activated in ((agreement, True), (Agreement.new(), False)):
        await hiring.CreateContract(each.create())
        if activated:
            await hiring.ActivateContract(each.activate())
        same = each.refund()
        answers = await asyncio.gather(
            *(hiring.RefundContract(same) for _ in range(5)),
            *(hiring.RefundContract(each.refund()) for _ in range(5)),
        )
        assert all(answer == answers[0] for answer in answers)
        assert await booked(hiring, each) == [FUNDED, GIVEN_BACK]


async def test_a_second_refund_or_another_charge_is_refused(
    hiring: Stub, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.ActivateContract(agreement.activate())
    other = agreement.refund()
    other.charge.CopyFrom(agreement.charge(attempt=2))
    wrong = ("FAILED_PRECONDITION", "WRONG_STATE")
    assert await reason(hiring.RefundContract(other)) == wrong
    await hiring.RefundContract(agreement.refund())
    assert await reason(hiring.RefundContract(agreement.refund("re_another"))) == wrong
    assert await booked(hiring, agreement) == [FUNDED, GIVEN_BACK]


async def test_a_refund_that_was_booked_as_a_late_charges_closes_the_contract_all_the_same(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.RecordRefundedCharge(agreement.refunded())
    for _ in range(2):
        answer = await hiring.RefundContract(agreement.refund())
        assert answer.contract.state == pb.CONTRACT_STATE_CANCELLED
    assert await booked(hiring, agreement) == [FUNDED, GIVEN_BACK]
    assert (await world.events(agreement.contract_id))[2:] == CANCELLED


async def test_one_refund_never_gives_two_charges_back(hiring: Stub, agreement: Agreement) -> None:
    pending, active = Agreement.new(), Agreement.new()
    for each in (agreement, pending, active):
        await hiring.CreateContract(each.create())
    for each in (agreement, active):
        await hiring.ActivateContract(each.activate())
    taken = f"re_{agreement.hire_id}"
    await hiring.RefundContract(agreement.refund())
    recorded = ("FAILED_PRECONDITION", "CHARGE_RECORDED")
    for each in (pending, active):
        assert await reason(hiring.RefundContract(each.refund(taken))) == recorded
    late = pending.refunded(refund_id=taken)
    assert await reason(hiring.RecordRefundedCharge(late)) == recorded
    assert await booked(hiring, pending) == []


async def test_a_contract_that_was_cancelled_before_it_was_created_takes_no_refund(
    hiring: Stub, agreement: Agreement
) -> None:
    await hiring.CancelContract(agreement.cancel())
    cancelled = ("FAILED_PRECONDITION", "CONTRACT_CANCELLED")
    assert await reason(hiring.RefundContract(agreement.refund())) == cancelled
    other = Agreement.new()
    assert await reason(hiring.RefundContract(other.refund())) == ("NOT_FOUND", "NOT_FOUND")
