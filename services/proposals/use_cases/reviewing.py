"""What employers do: read, list, count and sort a job's proposals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import require_member, require_reader
from services.common.database import Database
from services.common.errors import HireflowError, NotFound
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.common.paging import Cursor, Page
from services.proposals import events
from services.proposals.domain import Filter, Move, Moved, Order, Proposal, ReviewState
from services.proposals.store import jobs, proposals
from services.proposals.use_cases.access import Member, Reader

OUTBOX = Outbox("proposals")
REQUESTS = Requests("proposals")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of many moves, in the order asked."""

    results: tuple[Moved, ...]


async def get_proposal(database: Database, reader: Reader, proposal_id: str) -> Proposal:
    """Read one proposal as its employer sees it. Raises NotFound."""
    async with database.read() as connection:
        proposal = await proposals.find_proposal(connection, proposal_id)
    if proposal is None:
        raise NotFound("proposal", proposal_id)
    require_reader(reader, proposal.organisation_id, "proposal", proposal_id)
    return proposal


async def list_proposals(
    database: Database,
    reader: Reader,
    job_id: str,
    cursor: Cursor,
    *,
    wanted: Filter,
    order: Order,
) -> Page[Proposal]:
    """List a job's live proposals.

    Raises NotFound when the job is unknown, not yet told of, or another organisation's.
    """
    async with database.read() as connection:
        await _require_job(connection, reader, job_id)
        return await proposals.list_of_job(connection, job_id, wanted, order, cursor)


async def count_proposals(
    database: Database, reader: Reader, job_id: str
) -> Mapping[ReviewState, int]:
    """Count a job's live proposals for every review state, zeros included. Raises NotFound."""
    async with database.read() as connection:
        await _require_job(connection, reader, job_id)
        counted = await proposals.count_by_state(connection, job_id)
    return {state: counted.get(state, 0) for state in ReviewState}


async def set_review_state(
    database: Database,
    member: Member,
    request: Request,
    *,
    proposal_id: str,
    state: ReviewState,
    etag: str,
    now: datetime,
) -> Proposal:
    """Move a proposal in the review; the same state again changes nothing.

    Raises NotFound; Conflict ETAG_MISMATCH; Refused PROPOSAL_WITHDRAWN, ALREADY_HIRED, or
    HIRE_IN_PROGRESS when a proposal that a hire holds is declined.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, member, request, Proposal)
        if repeat is not None:
            return repeat
        before = await proposals.lock_proposal(tx, proposal_id)
        proposal = await _moved(tx, member, before, Move(proposal_id, state, etag), now)
        await REQUESTS.answer(tx, member, request, proposal)
        return proposal


async def review_proposals(
    database: Database, member: Member, request: Request, moves: Sequence[Move], now: datetime
) -> Reviewed:
    """Move many proposals in the review, with a result each, all in one unit of work.

    A repeat gets the first results. What `set_review_state` would raise for one proposal is its
    result, and leaves the others be.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, member, request, Reviewed)
        if repeat is not None:
            return repeat
        # Locked in one order, so that of two such calls one waits and none dies.
        locked = {
            each: await proposals.lock_proposal(tx, each)
            for each in sorted(move.proposal_id for move in moves)
        }
        results = []
        for move in moves:
            before = locked[move.proposal_id]
            try:
                after = await _moved(tx, member, before, move, now)
            except HireflowError as error:
                results.append(Moved(move.proposal_id, None, error.reason, error.message))
            else:
                results.append(Moved(move.proposal_id, after))
        reviewed = Reviewed(tuple(results))
        await REQUESTS.answer(tx, member, request, reviewed)
        return reviewed


async def _moved(
    tx: AsyncConnection, member: Member, before: Proposal | None, move: Move, now: datetime
) -> Proposal:
    if before is None:
        raise NotFound("proposal", move.proposal_id)
    require_member(member, before.organisation_id, "proposal", move.proposal_id)
    before.require_etag(move.etag)
    proposal = before.review(move.state, now)
    if proposal is not before:
        await proposals.save_proposal(tx, proposal)
        await OUTBOX.record(tx, events.review_state_changed(proposal, before.review_state))
    return proposal


async def _require_job(connection: AsyncConnection, reader: Reader, job_id: str) -> None:
    job = await jobs.find_job(connection, job_id)
    if job is None:
        raise NotFound("job", job_id)
    require_reader(reader, job.organisation_id, "job", job_id)
