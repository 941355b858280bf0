"""VerifyLedger: what holds is proved, and what was corrupted on purpose is named."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.contracts.v1 import contract_pb2 as pb
from services.common.auth import Kind
from tests.integration.contracts.test_late_facts import LOST, OPEN, WON, activated, dispute, failed
from tests.integration.contracts.world import Agreement, Stub, World, reason

FUNDING, REFUND = 1, 2


@pytest.fixture(scope="session")
def operator(world: World) -> Stub:
    return world.caller(Kind.OPERATOR, "operator-1")


async def undone(hiring: Stub, agreement: Agreement) -> None:
    """A charge that came after the cancel, and its refund."""
    await hiring.CreateContract(agreement.create())
    await hiring.RecordRefundedCharge(agreement.refunded())
    await hiring.CancelContract(agreement.cancel())


async def findings(operator: Stub, agreement: Agreement) -> list[tuple[int, str]]:
    request = pb.VerifyLedgerRequest(contract_id=agreement.contract_id)
    answer = await operator.VerifyLedger(request)
    assert answer.contracts == 1
    assert all(each.contract_id == agreement.contract_id for each in answer.findings)
    return [
        (each.sequence, pb.LedgerRule.Name(each.rule).removeprefix("LEDGER_RULE_"))
        for each in answer.findings
    ]


GUARDS = (
    "ledger_entry_balances",
    "ledger_entry_contract_currency_fkey",
    "ledger_entry_milestone_id_fkey",
)


async def unguarded(tx: AsyncConnection) -> dict[str, str]:
    """Take the database's own guards away, as its owner can; answer with what they were."""
    query = sa.text(
        "SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint "
        "WHERE conname = ANY(:names)"
    )
    found = (await tx.execute(query, {"names": list(GUARDS)})).mappings()
    guards = {row["conname"]: row["definition"] for row in found}
    assert set(guards) == set(GUARDS)
    await tx.execute(
        sa.text("ALTER TABLE contracts.ledger_entry DISABLE TRIGGER ledger_entry_only_grows")
    )
    for name in guards:
        await tx.execute(sa.text(f"ALTER TABLE contracts.ledger_entry DROP CONSTRAINT {name}"))
    return guards


async def guarded(tx: AsyncConnection, guards: dict[str, str]) -> None:
    for name, definition in guards.items():
        await tx.execute(
            sa.text(f"ALTER TABLE contracts.ledger_entry ADD CONSTRAINT {name} {definition}")
        )
    await tx.execute(
        sa.text("ALTER TABLE contracts.ledger_entry ENABLE TRIGGER ledger_entry_only_grows")
    )


@asynccontextmanager
async def corrupted(world: World, agreement: Agreement, statement: str) -> AsyncIterator[None]:
    """The ledger of one contract with some SQL done to it; put right again afterwards."""
    mine = {"id": agreement.contract_id}
    async with world.database.begin() as tx:
        saved = sa.text("SELECT * FROM contracts.ledger_entry WHERE contract_id = :id")
        rows = [dict(row) for row in (await tx.execute(saved, mine)).mappings()]
        guards = await unguarded(tx)
        assert (await tx.execute(sa.text(statement), mine)).rowcount == 1
    try:
        yield
    finally:
        async with world.database.begin() as tx:
            gone = sa.text("DELETE FROM contracts.ledger_entry WHERE contract_id = :id")
            await tx.execute(gone, mine)
            values = ", ".join(f":{name}" for name in rows[0])
            again = f"INSERT INTO contracts.ledger_entry ({', '.join(rows[0])}) VALUES ({values})"  # noqa: S608 - the table's own columns
            await tx.execute(sa.text(again), rows)
            await guarded(tx, guards)


UPDATE = "UPDATE contracts.ledger_entry SET {} WHERE contract_id = :id AND sequence = {}"
DELETE = "DELETE FROM contracts.ledger_entry WHERE contract_id = :id AND sequence = {}"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        pytest.param(UPDATE.format("held = held - 1", 1), (1, "BALANCE"), id="amount"),
        pytest.param(
            UPDATE.format("held = held - 1, charged = charged + 1", 1),
            (1, "POSTINGS"),
            id="two amounts that balance",
        ),
        pytest.param(UPDATE.format("fees = 0", 2), (2, "BALANCE"), id="posting deleted"),
        pytest.param(DELETE.format(1), (1, "SEQUENCE"), id="first entry deleted"),
        pytest.param(DELETE.format(2), (0, "CAUSE"), id="last entry deleted"),
        pytest.param(UPDATE.format("currency = 'EUR'", 2), (2, "CURRENCY"), id="currency"),
        pytest.param(
            UPDATE.format("held = fees, fees = held", 1), (1, "POSTINGS"), id="accounts exchanged"
        ),
        pytest.param(
            UPDATE.format("transferred = refunded, refunded = 0", 2),
            (2, "POSTINGS"),
            id="account",
        ),
        pytest.param(UPDATE.format("kind = 'transfer'", 1), (1, "POSTINGS"), id="kind"),
        pytest.param(
            UPDATE.format("external_id = 'ch_of_nobody-' || contract_id", 1),
            (1, "CAUSE"),
            id="charge",
        ),
        pytest.param(
            UPDATE.format("milestone_id = 'milestone-of-nobody'", 2),
            (2, "MILESTONE"),
            id="milestone",
        ),
    ],
)
async def test_an_entry_that_was_corrupted_by_sql_is_named(  # noqa: PLR0917 - fixtures
    statement: str,
    found: tuple[int, str],
    hiring: Stub,
    operator: Stub,
    world: World,
    agreement: Agreement,
) -> None:
    await undone(hiring, agreement)
    assert await findings(operator, agreement) == []
    async with corrupted(world, agreement, statement):
        assert await findings(operator, agreement) == [found]
    assert await findings(operator, agreement) == []


async def test_an_invented_transfer_overdraws_and_a_lost_one_disagrees_with_the_state(
    hiring: Stub, operator: Stub, world: World, agreement: Agreement
) -> None:
    await activated(hiring, agreement)
    invented = (
        "INSERT INTO contracts.ledger_entry SELECT contract_id, 2, 'transfer', milestone_id, "
        "'tr_' || contract_id, currency, 0, {0}, -{0}, 0, 0, 0, 0, now() "
        "FROM contracts.ledger_entry WHERE contract_id = :id"
    )
    async with corrupted(world, agreement, invented.format(45001)):
        assert await findings(operator, agreement) == [(2, "OVERDRAWN")]
    async with corrupted(world, agreement, invented.format(45000)):
        assert await findings(operator, agreement) == [(0, "STATE")]


async def test_a_chargeback_whose_accounts_were_exchanged_is_named(
    hiring: Stub, operator: Stub, world: World, agreement: Agreement
) -> None:
    await activated(hiring, agreement)
    await hiring.RecordDispute(dispute(agreement, OPEN))
    exchange = UPDATE.format("held = platform_loss, platform_loss = held", 2)
    async with corrupted(world, agreement, exchange):
        assert await findings(operator, agreement) == [(2, "POSTINGS")]


async def test_a_return_that_undoes_something_else_is_named(
    hiring: Stub, operator: Stub, world: World, agreement: Agreement
) -> None:
    await undone(hiring, agreement)
    await hiring.RecordRefundFailed(failed(agreement))
    other = UPDATE.format("held = held + 5, fees = fees - 5", 3)
    async with corrupted(world, agreement, other):
        assert await findings(operator, agreement) == [(3, "POSTINGS")]


async def test_every_ledger_of_an_organisation_is_proved_page_by_page(
    hiring: Stub, operator: Stub, world: World, agreement: Agreement
) -> None:
    every = [Agreement.new(organisation_id=agreement.organisation_id) for _ in range(7)]
    pending, cancelled, active, returned, open_, won, lost = every
    await hiring.CreateContract(pending.create())
    await hiring.CreateContract(cancelled.create())
    await hiring.CancelContract(cancelled.cancel())
    for each in (active, open_, won, lost):
        await activated(hiring, each)
    await undone(hiring, returned)
    await hiring.RecordRefundFailed(failed(returned))
    for each, state in ((open_, OPEN), (won, WON), (lost, LOST)):
        await hiring.RecordDispute(dispute(each, state))
    request = pb.VerifyLedgerRequest(page_size=3, organisation_id=agreement.organisation_id)
    pages: list[pb.VerifyLedgerResponse] = []
    while not pages or request.page_token:
        pages.append(await operator.VerifyLedger(request))
        request.page_token = pages[-1].next_page_token
    assert [page.contracts for page in pages] == [3, 3, 1]
    assert [finding for page in pages for finding in page.findings] == []


async def test_a_contract_that_does_not_exist_is_not_proved(operator: Stub) -> None:
    asked = pb.VerifyLedgerRequest(contract_id="contract-of-nobody")
    assert await reason(operator.VerifyLedger(asked)) == ("NOT_FOUND", "NOT_FOUND")


async def test_only_operators_ask_for_proof(hiring: Stub) -> None:
    denied = ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
    assert await reason(hiring.VerifyLedger(pb.VerifyLedgerRequest())) == denied
