"""How PostgreSQL runs a statement when one index is all that it may use."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from services.common.database import Database


class _Undone(Exception):
    """Ends a transaction that must leave nothing behind."""


async def plan_without(database: Database, query: sa.Select[Any], indexes: Iterable[str]) -> str:
    """Explain a query as if these indexes, each with its schema, were not there.

    In tables of a few rows every index costs the same: which of them is taken tells nothing.
    """
    plan = ""
    with suppress(_Undone):
        async with database.begin() as tx:
            written = query.compile(dialect=tx.dialect, compile_kwargs={"literal_binds": True})
            for index in indexes:
                await tx.execute(sa.text(f"DROP INDEX {index}"))
            for way in ("seqscan", "sort", "incremental_sort", "bitmapscan"):
                await tx.execute(sa.text(f"SET LOCAL enable_{way} = off"))
            plan = "\n".join((await tx.execute(sa.text(f"EXPLAIN {written}"))).scalars())
            raise _Undone
    return plan
