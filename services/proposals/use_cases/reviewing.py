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
from services.common.paging import Cursor
from services.proposals import events
from services.proposals.domain import Filter, Move, Moved, Order, Proposal, ReviewState
from services.proposals.store import listing, proposals
from services.proposals.store.listing import OfJob
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
) -> OfJob:
    """List a job's live proposals, with the counts of every state in the same view.

    Raises NotFound when the job is unknown, not yet told of, or another organisation's.
    """
    async with database.read() as connection:
        listed = await listing.list_of_job(connection, job_id, wanted, order, cursor)
    if listed is None:
        raise NotFound("job", job_id)
    require_reader(reader, listed.organisation_id, "job", job_id)
    return listed


async def count_proposals(
    database: Database, reader: Reader, job_id: str
) -> Mapping[ReviewState, int]:
    """Count a job's live proposals for every review state, zeros included. Raises NotFound."""
    async with database.read() as connection:
        counted = await listing.count_of_job(connection, job_id)
    if counted is None:
        raise NotFound("job", job_id)
    organisation_id, counts = counted
    require_reader(reader, organisation_id, "job", job_id)
    return counts


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
        locked = await proposals.lock_proposals(tx, [move.proposal_id for move in moves])
        results: dict[str, Moved] = {}
        # Job by job: each job's counts are a row that is locked with the first of its moves.
        jobs_order = {each.proposal_id: each.job_id for each in locked.values()}
        for move in sorted(moves, key=lambda move: jobs_order.get(move.proposal_id, "")):
            before = locked.get(move.proposal_id)
            try:
                after = await _moved(tx, member, before, move, now)
            except HireflowError as error:
                result = Moved(move.proposal_id, None, error.reason, error.message)
            else:
                result = Moved(move.proposal_id, after)
            results[move.proposal_id] = result
        reviewed = Reviewed(tuple(results[move.proposal_id] for move in moves))
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
