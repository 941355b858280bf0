"""What trainers do: keep a profile, submit, withdraw, and look at their own proposals."""

from collections.abc import Callable
from datetime import datetime

from services.common.database import Database
from services.common.errors import NotFound, Refused
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.common.paging import Cursor, Page
from services.proposals import events
from services.proposals.domain import Offer, Own, Profile, Proposal
from services.proposals.store import profiles, proposals, screenings
from services.proposals.use_cases.access import Trainer
from services.proposals.use_cases.known_jobs import visible_job

OUTBOX = Outbox("proposals")
REQUESTS = Requests("proposals")


async def upsert_profile(
    database: Database, trainer: Trainer, request: Request, profile: Profile
) -> Profile:
    """Write the calling trainer's profile, whole. Proposals keep what they showed."""
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, trainer, request, Profile)
        if repeat is not None:
            return repeat
        await profiles.save_profile(tx, profile)
        await REQUESTS.answer(tx, trainer, request, profile)
        return profile


async def get_profile(database: Database, trainer: Trainer) -> Profile:
    """Read the calling trainer's profile. Raises NotFound before there is one."""
    async with database.read() as connection:
        profile = await profiles.find_profile(connection, trainer.id)
    if profile is None:
        raise NotFound("profile", trainer.id)
    return profile


async def submit_proposal(
    database: Database,
    trainer: Trainer,
    request: Request,
    *,
    proposal_id: str,
    job_id: str,
    offer: Offer,
    now: datetime,
    write: Callable[[Proposal], bytes],
) -> Own:
    """Offer the calling trainer's work for a job.

    `write` gives what never changes of a proposal as the API shows it, to be kept with it.

    Raises NotFound when the job is unknown, not yet told of, or not for trainers; Refused
    JOB_NOT_OPEN, PROFILE_MISSING, SCREENING_INCOMPLETE, or PROPOSAL_EXISTS when a live one of the
    trainer is there.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, trainer, request, Own)
        if repeat is not None:
            return repeat
        job = await visible_job(tx, trainer, job_id)
        profile = await profiles.find_profile(tx, trainer.id)
        screening = await screenings.find_screening_of(tx, trainer.id, job_id)
        proposal = Proposal.submit(proposal_id, job, profile, screening, offer, now=now)
        if not await proposals.insert_proposal(tx, proposal, write(proposal)):
            raise Refused("PROPOSAL_EXISTS", "you have a proposal on this job: withdraw it first")
        await OUTBOX.record(tx, events.submitted(proposal))
        own = Own(proposal, job.state)
        await REQUESTS.answer(tx, trainer, request, own)
        return own


async def withdraw_proposal(
    database: Database, trainer: Trainer, request: Request, proposal_id: str, now: datetime
) -> Own:
    """Take a proposal back; again changes nothing.

    Raises NotFound; Refused ALREADY_HIRED, or HIRE_IN_PROGRESS while a hire holds it.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, trainer, request, Own)
        if repeat is not None:
            return repeat
        before = await proposals.lock_proposal(tx, proposal_id)
        own = await proposals.find_own(tx, trainer.id, proposal_id)
        if before is None or own is None:
            raise NotFound("proposal", proposal_id)
        proposal = before.withdraw(now)
        if proposal is not before:
            await proposals.save_proposal(tx, proposal)
            await OUTBOX.record(tx, events.withdrawn(proposal))
        own = Own(proposal, own.job_state)
        await REQUESTS.answer(tx, trainer, request, own)
        return own


async def get_own_proposal(database: Database, trainer: Trainer, proposal_id: str) -> Own:
    """Read one of the calling trainer's own proposals. Raises NotFound."""
    async with database.read() as connection:
        own = await proposals.find_own(connection, trainer.id, proposal_id)
    if own is None:
        raise NotFound("proposal", proposal_id)
    return own


async def list_own_proposals(database: Database, trainer: Trainer, cursor: Cursor) -> Page[Own]:
    """List the calling trainer's own proposals, newest first."""
    async with database.read() as connection:
        return await proposals.list_own(connection, trainer.id, cursor)
