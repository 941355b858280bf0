"""The numbers of an organisation's papers have no gap, whatever is rolled back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from deploy.local.journey import Journey
from hireflow.contracts.v1 import contract_pb2
from tests.e2e.conftest import Hire, System
from tests.e2e.scenarios.acts import HIRED, VISA, start

BLOCKED = """
    SELECT pid FROM pg_locks
    WHERE relation = 'contracts.outbox'::regclass AND NOT granted
"""
WAITING_FOR_A_NUMBER = """
    SELECT count(*) FROM pg_locks AS waiting
    JOIN pg_stat_activity AS session USING (pid)
    WHERE NOT waiting.granted AND session.query ILIKE '%invoice_counter%'
"""


@asynccontextmanager
async def locked_outbox(system: System) -> "AsyncIterator[asyncpg.Connection]":
    """No event of contracts can be written before the block ends."""
    address = system.stack.addresses.postgres_url.replace("+asyncpg", "")
    database = await asyncpg.connect(address)
    try:
        async with database.transaction():
            await database.execute("LOCK TABLE contracts.outbox IN SHARE MODE")
            yield database
    finally:
        await database.close()


async def blocked(database: asyncpg.Connection) -> int:
    """Wait until one activation stands before its event and another before its number.

    The first has taken its number by then; answers with its session.
    """
    async with asyncio.timeout(60):
        while True:
            # Within one transaction PostgreSQL shows its sessions as they were at the first look.
            await database.execute("SELECT pg_stat_clear_snapshot()")
            sessions = await database.fetch(BLOCKED)
            if len(sessions) == 1 and await database.fetchval(WAITING_FOR_A_NUMBER) == 1:
                return int(sessions[0]["pid"])
            await asyncio.sleep(0.02)  # between two looks at the locks, bounded above


async def number_of(system: System, hire: Hire) -> int:
    request = contract_pb2.ListInvoicesRequest(contract_id=hire.contract_id)
    operator = system.sources.operator
    listed = await operator.call(system.services.contracts.ListInvoices, request)
    [invoice] = listed.invoices
    return invoice.number


async def test_of_two_activations_one_is_rolled_back_and_the_numbers_have_no_gap(
    system: System,
) -> None:
    """Two activations in one organisation, one rolled back → invoice numbers without a gap.

    The first is rolled back after it took number 1, while the second waits for its number: its
    session at the database is cut.
    """
    first = await system.proposed(VISA, positions=2)
    second = Journey(system.services, first.employer, system.caller("trainer"), first.job)
    await second.submit_proposal()
    with (
        system.stop_at("activity.activate_contract.before", first.proposal_id) as one,
        system.stop_at("activity.activate_contract.before", second.proposal_id) as two,
    ):
        starting = [asyncio.create_task(start(journey)) for journey in (first, second)]
        await one.reached()
        await two.reached()
        async with locked_outbox(system) as database:
            one.disarm()
            two.disarm()
            session = await blocked(database)
            assert await database.fetchval("SELECT pg_terminate_backend($1)", session)
    hires = [
        await system.ended(journey, (await started).hire.hire_id)
        for journey, started in zip((first, second), starting, strict=True)
    ]
    assert [hire.state for hire in hires] == [HIRED, HIRED]
    assert sorted([await number_of(system, hire) for hire in hires]) == [1, 2]
    await system.audited(*(hire.hire_id for hire in hires))
