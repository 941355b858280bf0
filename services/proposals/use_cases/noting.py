"""What employers note on a proposal, for themselves."""

from datetime import datetime

from services.common.auth import require_member
from services.common.database import Database
from services.common.errors import NotFound
from services.common.idempotency import Request, Requests
from services.common.paging import Cursor, Page
from services.proposals.domain import Note
from services.proposals.store import notes, proposals
from services.proposals.use_cases.access import Member, Reader
from services.proposals.use_cases.reviewing import get_proposal

REQUESTS = Requests("proposals")


async def add_note(
    database: Database,
    member: Member,
    request: Request,
    *,
    note_id: str,
    proposal_id: str,
    text: str,
    now: datetime,
) -> Note:
    """Add a note, whatever became of the proposal. Raises NotFound."""
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, member, request, Note)
        if repeat is not None:
            return repeat
        proposal = await proposals.find_proposal(tx, proposal_id)
        if proposal is None:
            raise NotFound("proposal", proposal_id)
        require_member(member, proposal.organisation_id, "proposal", proposal_id)
        note = Note(note_id, proposal_id, member.kind, member.id, text, now)
        await notes.insert_note(tx, note)
        await REQUESTS.answer(tx, member, request, note)
        return note


async def list_notes(
    database: Database, reader: Reader, proposal_id: str, cursor: Cursor
) -> Page[Note]:
    """List a proposal's notes, newest first. Raises NotFound."""
    await get_proposal(database, reader, proposal_id)
    async with database.read() as connection:
        return await notes.list_notes(connection, proposal_id, cursor)
