"""Running hires by whom they wait on and since when."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from workflows.hiring.domain import ToldHire, WaitsOn
from workflows.hiring.store.hires import RUNNING, TOLD, told_from
from workflows.hiring.store.tables import HIRE


async def list_standing(
    connection: AsyncConnection, waits_on: Collection[WaitsOn], before: datetime, cursor: Cursor
) -> Page[ToldHire]:
    """List hires that wait, or took no step since a time; the longest standing first.

    One bounded index scan per party, merged: however many hires wait on the others, they are not
    walked through.
    """
    scans = (
        sa.select(HIRE.c.hire_id, HIRE.c.stands_since)
        .where(
            RUNNING,
            HIRE.c.waits_on == each,
            HIRE.c.waiting_for.is_not(None) | (HIRE.c.stands_since < before),
            beyond(cursor, HIRE.c.stands_since, HIRE.c.hire_id),
        )
        .order_by(HIRE.c.stands_since, HIRE.c.hire_id)
        .limit(cursor.limit)
        for each in sorted(set(waits_on))
    )
    found = sa.union_all(*scans).subquery("found")
    page = (
        sa.select(found.c.hire_id)
        .order_by(found.c.stands_since, found.c.hire_id)
        .limit(cursor.limit)
    )
    query = TOLD.where(HIRE.c.hire_id.in_(page)).order_by(HIRE.c.stands_since, HIRE.c.hire_id)
    rows = (await connection.execute(query)).mappings()
    return cursor.page(
        [told_from(row) for row in rows],
        key=lambda told: (told.hire.stands_since, told.hire.hire_id),
    )
