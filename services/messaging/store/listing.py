"""Lists of threads, last message first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.messaging.domain import SeenThread, Sender, ThreadKind
from services.messaging.store.marks import told
from services.messaging.store.tables import PARTICIPANT, READ_MARK, THREAD
from services.messaging.store.threads import (
    MARKED,
    UNREAD,
    get_threads,
    seen_by,
    seen_thread,
)

# No index can have what each of an organisation's members has not read, so a page of unread
# threads looks at so many at most and may show fewer than asked, even none, with a next page.
LOOKED_AT = 500

# Its limit has each be found by its key, however few threads there are to read all of.
_CURRENT_TIME = (
    sa.select(THREAD.c.last_message_time)
    .where(THREAD.c.thread_id == PARTICIPANT.c.thread_id)
    .correlate(PARTICIPANT)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which threads a reader wants: of one job or, without, of all; of these kinds; unread ones."""

    reader: Sender | None
    job_id: str
    kinds: Collection[ThreadKind]
    unread_only: bool = False


async def list_organisation_threads(
    connection: AsyncConnection, organisation_id: str, wanted: Wanted, cursor: Cursor
) -> Page[SeenThread]:
    """Read a page of an organisation's threads, last message first."""
    return await _list(
        connection, THREAD, THREAD.c.organisation_id == organisation_id, wanted, cursor
    )


async def list_trainer_threads(
    connection: AsyncConnection, trainer_id: str, wanted: Wanted, cursor: Cursor
) -> Page[SeenThread]:
    """Read a page of the threads that a trainer is in, last message first."""
    return await _list(
        connection, PARTICIPANT, PARTICIPANT.c.trainer_id == trainer_id, wanted, cursor
    )


async def _list(
    connection: AsyncConnection,
    table: sa.Table,
    of: sa.ColumnElement[bool],
    wanted: Wanted,
    cursor: Cursor,
) -> Page[SeenThread]:
    if wanted.unread_only and wanted.reader is not None:
        found = _scan(table, of, wanted, cursor, LOOKED_AT + 1)
        return await _unread(connection, found, wanted.reader, cursor)
    found = _scan(table, of, wanted, cursor, cursor.limit)
    query = (
        seen_by(wanted.reader)
        .join(found, found.c.thread_id == THREAD.c.thread_id)
        .order_by(found.c.last_message_time.desc(), found.c.thread_id.desc())
        .limit(cursor.limit)
    )
    rows = await connection.execute(query, told(wanted.reader))
    threads = [seen_thread(row) for row in rows]
    return cursor.page(threads, key=lambda thread: (thread.last_message_time, thread.thread_id))


def _scan(
    table: sa.Table, of: sa.ColumnElement[bool], wanted: Wanted, cursor: Cursor, limit: int
) -> sa.Subquery:
    """Find threads by one bounded index scan per kind."""
    of_job = (table.c.job_id == wanted.job_id) if wanted.job_id else sa.true()

    def newest(kind: ThreadKind) -> sa.Select[tuple[Any, ...]]:
        source: sa.FromClause = table
        time: sa.ColumnElement[Any] = table.c.last_message_time
        if table is PARTICIPANT and kind is ThreadKind.CHANNEL:
            # A trainer's channels stand in no order, but they are few: some of each of its jobs.
            current = _CURRENT_TIME.lateral()
            source, time = table.join(current, sa.true()), current.c.last_message_time
        columns = time, table.c.thread_id
        return (
            sa.select(*columns)
            .select_from(source)
            .where(of, of_job, table.c.kind == kind, beyond(cursor, *columns, descending=True))
            .order_by(*(column.desc() for column in columns))
            .limit(limit)
        )

    return sa.union_all(*map(newest, sorted(wanted.kinds))).subquery("found")


async def _unread(
    connection: AsyncConnection, found: sa.Subquery, reader: Sender, cursor: Cursor
) -> Page[SeenThread]:
    """Look through threads for unread ones, then read those whole."""
    # Not joined: each is found by its key, however few threads there are to read all of.
    unread = (
        sa.select(UNREAD)
        .outerjoin_from(THREAD, READ_MARK, MARKED)
        .where(THREAD.c.thread_id == found.c.thread_id)
        .correlate(found)
        .scalar_subquery()
        .label("unread_count")
    )
    look = (
        sa.select(found.c.last_message_time, found.c.thread_id, unread)
        .order_by(found.c.last_message_time.desc(), found.c.thread_id.desc())
        .limit(LOOKED_AT + 1)
    )
    rows = (await connection.execute(look, told(reader))).all()
    part = replace(cursor, size=_looked_at(rows, cursor.size))
    page = part.page(rows, key=lambda row: (row.last_message_time, row.thread_id))
    ids = [row.thread_id for row in page.items if row.unread_count]
    by_id = await get_threads(connection, ids, reader)
    return Page(tuple(by_id[thread_id] for thread_id in ids), page.next_token)


def _looked_at(rows: Sequence[sa.Row[Any, Any, Any]], size: int) -> int:
    """Tell how many rows make a page: until it has `size` unread ones, or all was looked at."""
    unread = 0
    looked_at = rows[:LOOKED_AT]  # one more only tells that there is more
    for place, row in enumerate(looked_at, start=1):
        unread += row.unread_count > 0
        if unread == size:
            return place
    return len(looked_at)
