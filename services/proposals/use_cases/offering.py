"""What trainers do: keep a profile, submit, withdraw, and look at their own proposals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.common.auth import Principal, require_trainer
from services.common.database import Database
from services.common.errors import NotFound, Refused
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.common.paging import Cursor, Page
from services.proposals import events, store
from services.proposals.domain import Job, Offer, Profile, Proposal, Status

OUTBOX = Outbox("proposals")
REQUESTS = Requests("proposals")


@dataclass(frozen=True, slots=True)
class Own:
    """A proposal as its trainer sees it."""

    proposal: Proposal
    status: Status


async def upsert_profile(
    database: Database, caller: Principal, request: Request, profile: Profile
) -> Profile:
    """Write the calling trainer's profile, whole. Proposals keep what they showed."""
    require_trainer(caller)
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Profile)
        if repeat is not None:
            return repeat
        await store.save_profile(tx, profile)
        await REQUESTS.answer(tx, caller, request, profile)
        return profile


async def get_profile(database: Database, caller: Principal) -> Profile:
    """Read the calling trainer's profile. Raises NotFound before there is one."""
    trainer_id = require_trainer(caller)
    async with database.read() as connection:
        profile = await store.find_profile(connection, trainer_id)
    if profile is None:
        raise NotFound("profile", trainer_id)
    return profile


async def submit_proposal(
    database: Database,
    caller: Principal,
    request: Request,
    *,
    proposal_id: str,
    job_id: str,
    offer: Offer,
    now: datetime,
) -> Own:
    """Offer the calling trainer's work for a job.

    Raises NotFound when the job is unknown, not yet told of, or not for trainers; Refused
    JOB_NOT_OPEN, PROFILE_MISSING, PROPOSAL_EXISTS.
    """
    trainer_id = require_trainer(caller)
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Own)
        if repeat is not None:
            return repeat
        job = await store.find_job(tx, job_id)
        if job is None or not job.visible_to_trainers:
            raise NotFound("job", job_id)
        profile = await store.find_profile(tx, trainer_id)
        if profile is None:
            raise Refused("PROFILE_MISSING", "write a profile before you submit a proposal")
        proposal = Proposal.submit(proposal_id, job, profile, offer, now)
        if not await store.insert_proposal(tx, proposal):
            raise Refused("PROPOSAL_EXISTS", "you have a live proposal on this job already")
        await OUTBOX.record(tx, events.submitted(proposal))
        own = _own(proposal, job)
        await REQUESTS.answer(tx, caller, request, own)
        return own


async def withdraw_proposal(
    database: Database, caller: Principal, request: Request, proposal_id: str, now: datetime
) -> Own:
    """Take a proposal back; again changes nothing.

    Raises NotFound; Refused ALREADY_HIRED, or HIRE_IN_PROGRESS while a hire holds it.
    """
    trainer_id = require_trainer(caller)
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Own)
        if repeat is not None:
            return repeat
        before = await store.lock_proposal(tx, proposal_id)
        if before is None or before.candidate.trainer_id != trainer_id:
            raise NotFound("proposal", proposal_id)
        proposal = before.withdraw(now)
        if proposal is not before:
            await store.save_proposal(tx, proposal)
            await OUTBOX.record(tx, events.withdrawn(proposal))
        job = await store.find_job(tx, proposal.job_id)
        own = Own(proposal, proposal.status(job.state if job else ""))
        await REQUESTS.answer(tx, caller, request, own)
        return own


async def get_own_proposal(database: Database, caller: Principal, proposal_id: str) -> Own:
    """Read one of the calling trainer's own proposals. Raises NotFound."""
    trainer_id = require_trainer(caller)
    async with database.read() as connection:
        found = await store.find_with_job_state(connection, proposal_id)
    if found is None or found[0].candidate.trainer_id != trainer_id:
        raise NotFound("proposal", proposal_id)
    proposal, job_state = found
    return Own(proposal, proposal.status(job_state))


async def list_own_proposals(
    database: Database, caller: Principal, cursor: Cursor
) -> tuple[Sequence[Own], str]:
    """List the calling trainer's own proposals, newest first; with the next page's token."""
    trainer_id = require_trainer(caller)
    async with database.read() as connection:
        page: Page[tuple[Proposal, str]] = await store.list_of_trainer(
            connection, trainer_id, cursor
        )
    own = [Own(proposal, proposal.status(job_state)) for proposal, job_state in page.items]
    return own, page.next_token


def _own(proposal: Proposal, job: Job) -> Own:
    return Own(proposal, proposal.status(job.state))
