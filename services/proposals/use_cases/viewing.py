"""The employer's screen of one proposal, and what the events of threads add to it."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import require_reader
from services.common.database import Database
from services.common.errors import NotFound
from services.common.paging import Cursor, Page
from services.proposals.domain import Note, Screening, Surroundings
from services.proposals.store import notes, screenings, surroundings
from services.proposals.use_cases.access import Reader


@dataclass(frozen=True, slots=True)
class View:
    """Everything on the screen; a proposal for a job without a plan has no screening."""

    around: Surroundings
    screening: Screening | None
    notes: Page[Note]


async def learn_thread(tx: AsyncConnection, proposal_id: str, thread_id: str) -> None:
    """Keep which thread is a proposal's."""
    await surroundings.learn_thread(tx, proposal_id, thread_id)


async def view_proposal(
    database: Database, reader: Reader, proposal_id: str, newest_notes: Cursor
) -> View:
    """Read a proposal with everything around it. Raises NotFound.

    A complete screening changes no more, so that its own read tells of the same proposal.
    """
    async with database.read() as connection:
        around = await surroundings.find_surroundings(connection, proposal_id)
        if around is None:
            raise NotFound("proposal", proposal_id)
        proposal = around.proposal
        require_reader(reader, proposal.organisation_id, "proposal", proposal_id)
        screening_id = proposal.signals.screening_id
        return View(
            around,
            await screenings.find_screening(connection, screening_id) if screening_id else None,
            await notes.list_notes(connection, proposal_id, newest_notes),
        )
