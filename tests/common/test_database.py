import asyncio

import pytest
import sqlalchemy as sa

from services.common.database import Database, notify
from services.common.errors import Conflict, Unavailable
from services.common.settings import Settings


async def test_a_deadlock_is_a_conflict_for_one_and_nothing_for_the_other(
    database: Database,
) -> None:
    both = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with database.begin() as tx:
            await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(first)))
            await both.wait()
            await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(second)))

    results = await asyncio.gather(lock(71, 72), lock(72, 71), return_exceptions=True)
    assert [type(each) for each in results if each is not None] == [Conflict]


async def test_a_statement_that_takes_too_long_is_unavailable(settings: Settings) -> None:
    hurried = settings.model_copy(update={"statement_timeout": 0.05})
    async with Database.open(hurried, "test") as database:
        with pytest.raises(Unavailable):
            await slow(database)


async def slow(database: Database) -> None:
    async with database.begin() as tx:
        await tx.execute(sa.select(sa.func.pg_sleep(5)))


async def test_a_defect_in_a_statement_is_not_dressed_up(database: Database) -> None:
    with pytest.raises(sa.exc.ProgrammingError):
        await misspelt(database)


async def misspelt(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(sa.text("SELECT * FROM toy.no_such_table"))


async def test_reads_open_no_transaction(database: Database) -> None:
    async with database.read() as connection:
        first = await connection.execute(sa.select(sa.func.clock_timestamp(), sa.func.now()))
        second = await connection.execute(sa.select(sa.func.now()))
        assert second.scalar_one() > first.one()[1]


async def test_a_key_hears_its_own_notifications_and_the_channel_hears_all(
    database: Database,
) -> None:
    async with (
        database.listen("test_keys") as every,
        database.listen("test_keys", "a") as a,
        database.listen("test_keys", "b") as b,
    ):
        for signal in (every, a, b):
            await signal.wait(0.1)
        async with database.begin() as tx:
            await notify(tx, "test_keys", "a")
        assert await a.wait(5)
        assert await every.wait(5)
        assert not await b.wait(0.05)


async def test_a_burst_of_more_than_the_pool_holds_waits_for_its_turn_as_long_as_a_call_may_take(
    settings: Settings,
) -> None:
    async def ends_of_a_burst(settings: Settings) -> list[BaseException | None]:
        async with Database.open(settings, "test") as database:
            reads = (brief_read(database) for _ in range(40))
            return await asyncio.gather(*reads, return_exceptions=True)

    assert set(await ends_of_a_burst(settings)) == {None}
    hurried = settings.model_copy(update={"call_deadline": 0.05})
    refused = [end for end in await ends_of_a_burst(hurried) if end is not None]
    assert refused
    assert all(isinstance(end, Unavailable) for end in refused)


async def brief_read(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(sa.select(sa.func.pg_sleep(0.2)))
