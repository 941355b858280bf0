"""A charge is booked once, in one transaction with all that it causes."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from hireflow.contracts.v1 import contract_pb2 as pb
from tests.integration.contracts.world import Agreement, Stub, World, reason
from tests.refusals import refusal

ACTIVATED = ["milestone.funded", "contract.activated", "invoice.issued"]


async def ledger(hiring: Stub, agreement: Agreement) -> list[tuple[str, str, dict[str, int]]]:
    request = pb.ListLedgerEntriesRequest(contract_id=agreement.contract_id)
    entries = (await hiring.ListLedgerEntries(request)).entries
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    return [
        (
            entry.kind,
            entry.external_id,
            {
                pb.LedgerAccount.Name(each.account).removeprefix("LEDGER_ACCOUNT_"): (
                    each.amount_minor_units
                )
                for each in entry.postings
            },
        )
        for entry in entries
    ]


async def numbers(hiring: Stub, *agreements: Agreement) -> list[int]:
    found = []
    for agreement in agreements:
        request = pb.ListInvoicesRequest(contract_id=agreement.contract_id)
        found += [invoice.number for invoice in (await hiring.ListInvoices(request)).invoices]
    return found


async def test_an_activation_books_funds_begins_and_invoices(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    answer = await hiring.ActivateContract(agreement.activate())
    assert answer.contract.state == pb.CONTRACT_STATE_ACTIVE
    (milestone,) = answer.contract.milestones
    assert milestone.state == pb.MILESTONE_STATE_ACTIVE_FUNDED
    assert milestone.charge_id == agreement.charge().charge_id
    lines = [(line.description, line.amount_minor_units) for line in answer.invoice.lines]
    assert lines == [
        ("Milestone: First hundred", 45000),
        ("Marketplace fee", 4500),
        ("Contract fee, once per contract", 995),
    ]
    assert (answer.invoice.number, answer.invoice.total_minor_units) == (1, 50495)
    assert "Taxes" in answer.invoice.note
    assert await ledger(hiring, agreement) == [
        ("funding", milestone.charge_id, {"CHARGED": 50495, "HELD": -45000, "FEES": -5495})
    ]
    assert (await world.events(agreement.contract_id))[2:] == ACTIVATED


async def test_fifty_equal_activations_at_once_have_one_effect_and_one_answer(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    request = agreement.activate()
    answers = await asyncio.gather(*(hiring.ActivateContract(request) for _ in range(50)))
    assert all(answer == answers[0] for answer in answers)
    assert len(await ledger(hiring, agreement)) == 1
    assert await numbers(hiring, agreement) == [1]
    assert (await world.events(agreement.contract_id))[2:] == ACTIVATED


async def test_the_same_charge_under_many_new_requests_at_once_is_booked_once(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    answers = await asyncio.gather(
        *(hiring.ActivateContract(agreement.activate()) for _ in range(10))
    )
    assert all(answer == answers[0] for answer in answers)
    assert await world.count("ledger_entry", contract_id=agreement.contract_id) == 1
    assert (await world.events(agreement.contract_id))[2:] == ACTIVATED


async def test_another_charge_on_a_funded_milestone_is_refused_and_not_booked(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.ActivateContract(agreement.activate())
    second = agreement.activate(agreement.charge(attempt=2))
    recorded = ("FAILED_PRECONDITION", "CHARGE_RECORDED")
    assert await reason(hiring.ActivateContract(second)) == recorded
    assert await world.count("charge", contract_id=agreement.contract_id) == 1


async def test_one_charge_or_one_funding_never_pays_for_two_contracts(
    hiring: Stub, agreement: Agreement
) -> None:
    other = Agreement.new()
    await hiring.CreateContract(agreement.create())
    await hiring.CreateContract(other.create())
    await hiring.ActivateContract(agreement.activate())
    recorded = ("FAILED_PRECONDITION", "CHARGE_RECORDED")
    stolen = agreement.charge()
    assert await reason(hiring.ActivateContract(other.activate(stolen))) == recorded
    stolen.charge_id = "ch_of_the_same_funding"
    assert await reason(hiring.ActivateContract(other.activate(stolen))) == recorded


@pytest.mark.parametrize(("amount", "currency"), [(50494, "USD"), (50495, "EUR")])
async def test_a_charge_that_is_not_the_frozen_quote_is_refused_and_leaves_nothing(
    amount: int, currency: str, hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    wrong = agreement.activate(agreement.charge(amount, currency))
    mismatch = ("FAILED_PRECONDITION", "CHARGE_MISMATCH")
    assert await reason(hiring.ActivateContract(wrong)) == mismatch
    assert await world.count("charge", contract_id=agreement.contract_id) == 0
    assert len(await world.events(agreement.contract_id)) == 2
    await hiring.ActivateContract(agreement.activate())


async def test_a_charge_names_every_bad_field_at_once(hiring: Stub) -> None:
    error = await refusal(hiring.ActivateContract(pb.ActivateContractRequest()))
    assert [each.field for each in error.violations] == [
        "request_id",
        "contract_id",
        "milestone_id",
        "charge.charge_id",
        "charge.payment_intent_id",
        "charge.funding_id",
        "charge.amount.minor_units",
        "charge.amount.currency_code",
    ]


async def test_a_cancelled_contract_is_not_activated(hiring: Stub, agreement: Agreement) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.CancelContract(agreement.cancel())
    cancelled = ("FAILED_PRECONDITION", "CONTRACT_CANCELLED")
    assert await reason(hiring.ActivateContract(agreement.activate())) == cancelled


async def test_of_an_activation_and_a_cancel_at_once_exactly_one_wins(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    results = await asyncio.gather(
        hiring.ActivateContract(agreement.activate()),
        hiring.CancelContract(agreement.cancel()),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Exception) for result in results) == 1
    events = (await world.events(agreement.contract_id))[2:]
    assert events in (ACTIVATED, ["milestone.cancelled", "contract.cancelled"])


async def test_two_activations_in_one_organisation_one_rolled_back_leave_no_gap_in_the_numbers(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    """A paper of the milestone stands in the way, so that one fails after it took its number."""
    rival, later = (Agreement.new(organisation_id=agreement.organisation_id) for _ in range(2))
    for each in (agreement, rival, later):
        await hiring.CreateContract(each.create())
    async with world.database.begin() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO contracts.invoice VALUES (:contract, 'elsewhere-' || :contract, 1, "
                "'FUNDING', :contract, :milestone, '[]', 'USD', '', now())"
            ),
            {"contract": agreement.contract_id, "milestone": agreement.milestone_id},
        )
    failed, _ = await asyncio.gather(
        reason(hiring.ActivateContract(agreement.activate())),
        hiring.ActivateContract(rival.activate()),
    )
    assert failed == ("ABORTED", "CONFLICT")
    for table in ("charge", "ledger_entry"):
        assert await world.count(table, contract_id=agreement.contract_id) == 0
    assert len(await world.events(agreement.contract_id)) == 2
    read = await hiring.GetContract(pb.GetContractRequest(contract_id=agreement.contract_id))
    assert read.contract.state == pb.CONTRACT_STATE_PENDING
    await hiring.ActivateContract(later.activate())
    assert await numbers(hiring, rival, later) == [1, 2]


async def test_many_activations_at_once_number_their_invoices_one_by_one(
    hiring: Stub, agreement: Agreement
) -> None:
    organisation_id = agreement.organisation_id
    agreements = [Agreement.new(organisation_id=organisation_id) for _ in range(12)]
    for each in agreements:
        await hiring.CreateContract(each.create())
    await asyncio.gather(*(hiring.ActivateContract(each.activate()) for each in agreements))
    assert sorted(await numbers(hiring, *agreements)) == list(range(1, 13))


async def test_a_late_charge_is_booked_with_its_refund_and_then_the_contract_is_cancelled(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    request = agreement.refunded()
    answers = await asyncio.gather(
        *(hiring.RecordRefundedCharge(request) for _ in range(5)),
        *(hiring.RecordRefundedCharge(agreement.refunded()) for _ in range(5)),
    )
    assert all(answer == answers[0] for answer in answers)
    contract = answers[0].contract
    assert contract.state == pb.CONTRACT_STATE_PENDING
    assert contract.milestones[0].state == pb.MILESTONE_STATE_REFUNDED
    assert await ledger(hiring, agreement) == [
        (
            "funding",
            agreement.charge().charge_id,
            {"CHARGED": 50495, "HELD": -45000, "FEES": -5495},
        ),
        ("refund", request.refund_id, {"HELD": 45000, "REFUNDED": -50495, "FEES": 5495}),
    ]
    assert (await hiring.CancelContract(agreement.cancel())).cancelled
    read = await hiring.GetContract(pb.GetContractRequest(contract_id=agreement.contract_id))
    assert read.contract.state == pb.CONTRACT_STATE_CANCELLED
    assert read.contract.milestones[0].state == pb.MILESTONE_STATE_REFUNDED
    events = (await world.events(agreement.contract_id))[2:]
    assert events == ["milestone.refunded", "contract.cancelled"]
    assert await numbers(hiring, agreement) == []


async def test_a_late_charge_is_booked_on_a_contract_that_is_cancelled_already(
    hiring: Stub, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.CancelContract(agreement.cancel())
    answer = await hiring.RecordRefundedCharge(agreement.refunded(agreement.charge(700)))
    assert answer.contract.state == pb.CONTRACT_STATE_CANCELLED
    booked = await ledger(hiring, agreement)
    assert booked[1][2] == {"FEES": 700, "REFUNDED": -700}


async def test_a_charge_is_either_funding_or_refunded_and_a_refund_belongs_to_one_charge(
    hiring: Stub, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.RecordRefundedCharge(agreement.refunded())
    recorded = ("FAILED_PRECONDITION", "CHARGE_RECORDED")
    assert await reason(hiring.ActivateContract(agreement.activate())) == recorded
    other_refund = agreement.refunded(refund_id="re_of_somebody_else")
    assert await reason(hiring.RecordRefundedCharge(other_refund)) == recorded
    other_charge = agreement.refunded(agreement.charge(attempt=2))
    assert await reason(hiring.RecordRefundedCharge(other_charge)) == recorded


async def test_a_late_charge_on_an_active_contract_is_not_for_this_verb(
    hiring: Stub, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.ActivateContract(agreement.activate())
    late = agreement.refunded(agreement.charge(attempt=2))
    wrong = ("FAILED_PRECONDITION", "WRONG_STATE")
    assert await reason(hiring.RecordRefundedCharge(late)) == wrong


@pytest.mark.parametrize("table", ["ledger_entry", "invoice"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE contracts.{table} SET currency = 'EUR'",
        "DELETE FROM contracts.{table}",
        "TRUNCATE contracts.{table}",
    ],
)
async def test_what_is_booked_or_issued_cannot_be_changed_even_by_sql(
    table: str, statement: str, world: World
) -> None:
    with pytest.raises(DBAPIError, match="only grows"):
        async with world.database.begin() as tx:
            await tx.execute(sa.text(statement.format(table=table)))


async def test_an_entry_that_does_not_sum_to_zero_is_refused_even_by_sql(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    with pytest.raises(DBAPIError, match="ledger_entry_balances"):
        async with world.database.begin() as tx:
            await tx.execute(
                sa.text(
                    "INSERT INTO contracts.ledger_entry VALUES (:contract, 1, 'funding', "
                    ":milestone, 'ch', 'USD', 50495, -45000, 0, 0, 0, -5494, 0, now())"
                ),
                {"contract": agreement.contract_id, "milestone": agreement.milestone_id},
            )
