"""What happens in threads, numbered for their watchers."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import notify
from services.messaging.domain import Change, ChangeKind, Sender, SenderKind
from services.messaging.store.messages import message_of
from services.messaging.store.tables import MESSAGE, THREAD, THREAD_CHANGE

CHANNEL = "messaging_threads"

# Put together once: asked for each message and each watcher.
_MORE = sa.bindparam("more", type_=sa.BigInteger)
_NUMBERED = (
    sa.update(THREAD)
    .where(THREAD.c.thread_id == sa.bindparam("of_thread"))
    .values(change_count=THREAD.c.change_count + _MORE)
    .returning(THREAD.c.change_count)
)
_NEW = sa.insert(THREAD_CHANGE)
_LAST = sa.select(THREAD.c.change_count).where(THREAD.c.thread_id == sa.bindparam("of_thread"))
_AFTER = (
    sa.select(
        THREAD_CHANGE.c.number,
        THREAD_CHANGE.c.kind.label("change"),
        THREAD_CHANGE.c.person_kind,
        THREAD_CHANGE.c.person_id,
        MESSAGE,
    )
    .outerjoin(
        MESSAGE,
        (MESSAGE.c.thread_id == THREAD_CHANGE.c.thread_id)
        & (MESSAGE.c.sequence == THREAD_CHANGE.c.sequence),
    )
    .where(
        THREAD_CHANGE.c.thread_id == sa.bindparam("of_thread"),
        THREAD_CHANGE.c.number > sa.bindparam("after"),
    )
    .order_by(THREAD_CHANGE.c.number)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


async def record(
    tx: AsyncConnection,
    kind: ChangeKind,
    thread_id: str,
    sequence: int | None = None,
    person: Sender | None = None,
) -> None:
    """Note what happened under the thread's next number, and wake its watchers at commit.

    Holds the thread's row until the transaction ends: numbers commit in their order.
    """
    await _record(tx, kind, thread_id, sequence, [person])


async def record_people(
    tx: AsyncConnection, kind: ChangeKind, thread_id: str, people: Sequence[Sender]
) -> None:
    """Note of each of some people, one or more, in their order, that they joined or left."""
    await _record(tx, kind, thread_id, None, people)


async def _record(
    tx: AsyncConnection,
    kind: ChangeKind,
    thread_id: str,
    sequence: int | None,
    people: Sequence[Sender | None],
) -> None:
    last = await tx.execute(_NUMBERED, {"of_thread": thread_id, "more": len(people)})
    first = last.scalar_one() - len(people) + 1
    rows = [
        {
            "thread_id": thread_id,
            "number": number,
            "kind": kind,
            "sequence": sequence,
            "person_kind": person.kind if person else None,
            "person_id": person.id if person else None,
        }
        for number, person in enumerate(people, start=first)
    ]
    await tx.execute(_NEW, rows)
    await notify(tx, CHANNEL, thread_id)


async def last_number(connection: AsyncConnection, thread_id: str) -> int:
    """Read the number of the thread's last change; 0 if there is none, or no such thread."""
    return await connection.scalar(_LAST, {"of_thread": thread_id}) or 0


async def changes_after(
    connection: AsyncConnection, thread_id: str, number: int, limit: int
) -> list[Change]:
    """Read a thread's changes with greater numbers, in order."""
    told = {"of_thread": thread_id, "after": number, "most": limit}
    return [_change(row) for row in await connection.execute(_AFTER, told)]


def _change(row: sa.Row[tuple[Any, ...]]) -> Change:
    return Change(
        number=row.number,
        kind=ChangeKind(row.change),
        message=None if row.message_id is None else message_of(row),
        person=None
        if row.person_id is None
        else Sender(SenderKind(row.person_kind), row.person_id),
    )
