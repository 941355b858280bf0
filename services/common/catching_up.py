"""Catching up: a service whose read model is rebuilt answers nothing until it is as it was.

Meanwhile its facts are not fewer but older ones: an archived job would look published, a contract
that ended active again.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.bus import Bus
from services.common.database import Database
from services.common.errors import Behind
from services.common.inbox import Subscription
from services.common.tables import chassis_tables


class CatchingUp:
    """Tells whether a schema's read models are behind what they were before a rebuild."""

    def __init__(
        self, database: Database, bus: Bus, schema: str, subscriptions: Sequence[Subscription]
    ) -> None:
        self._database = database
        self._bus = bus
        self._schema = schema
        self._positions = table = _positions(schema)
        consumers = [each.consumer for each in subscriptions if each.read_model]
        # Built once: every process asks each second.
        self._behind_ones = sa.select(table.c.consumer, table.c.version).where(
            _of_no_aggregate(table), table.c.consumer.in_(consumers)
        )

    async def check(self) -> None:
        """Compare what the consumers acknowledged with how far they had heard.

        Raises:
            Behind: one of them is not yet as far; it tells how far.
            Unavailable: the database or the stream does not answer.

        """
        table = self._positions
        async with self._database.read() as connection:
            behind = (await connection.execute(self._behind_ones)).all()
        for row in behind:
            reached, left = await self._bus.heard(row.consumer)
            if left and reached < row.version:
                raise self._behind(row.consumer, reached, row.version)
            async with self._database.begin() as transaction:
                same = (table.c.consumer == row.consumer) & (table.c.version == row.version)
                await transaction.execute(sa.delete(table).where(_of_no_aggregate(table), same))

    def _behind(self, consumer: str, reached: int, until: int) -> Behind:
        message = (
            f"what {self._schema} keeps of its neighbours is being rebuilt, event {reached} of "
            f"{until}: repeat the call later"
        )
        return Behind("DEPENDENCY_UNAVAILABLE", message, metadata={"dependency": consumer})


async def note_behind(
    transaction: AsyncConnection, schema: str, consumer: str, sequence: int
) -> None:
    """Note that a read model is behind until its consumer has heard this sequence of the stream."""
    table = _positions(schema)
    row = {"consumer": consumer, "aggregate_type": "", "aggregate_id": "", "version": sequence}
    noted = insert(table).values(row)
    await transaction.execute(
        noted.on_conflict_do_update(constraint="inbox_pkey", set_={"version": sequence})
    )


def _positions(schema: str) -> sa.Table:
    return chassis_tables(sa.MetaData(schema=schema)).inbox


def _of_no_aggregate(table: sa.Table) -> sa.ColumnElement[bool]:
    """Find the row that a consumer has for itself, beside those of its aggregates."""
    return (table.c.aggregate_type == "") & (table.c.aggregate_id == "")
