"""Employers' notes on proposals."""

from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.proposals.domain import Note
from services.proposals.store.tables import NOTE


async def insert_note(tx: AsyncConnection, note: Note) -> None:
    """Store a new note."""
    await tx.execute(sa.insert(NOTE).values(asdict(note)))


async def list_notes(connection: AsyncConnection, proposal_id: str, cursor: Cursor) -> Page[Note]:
    """Read a page of a proposal's notes, newest first: one index range."""
    keys = NOTE.c.create_time, NOTE.c.note_id
    query = (
        sa.select(NOTE)
        .where(NOTE.c.proposal_id == proposal_id, beyond(cursor, *keys, descending=True))
        .order_by(*(key.desc() for key in keys))
        .limit(cursor.limit)
    )
    notes = [Note(**row._asdict()) for row in await connection.execute(query)]
    return cursor.page(notes, key=lambda note: (note.create_time, note.note_id))
