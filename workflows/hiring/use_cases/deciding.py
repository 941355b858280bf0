"""Which hire a StartHire becomes part of: decided once, in one transaction, by unique keys."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import notify
from services.common.errors import Conflict
from workflows.hiring import events
from workflows.hiring.domain import (
    Actor,
    Hire,
    HireTerms,
    Stage,
    StepRecord,
    Terms,
    Verdict,
    Wish,
)
from workflows.hiring.domain.hire import FIRST_STEP
from workflows.hiring.store import hires, requests, terms
from workflows.hiring.store.requests import Claim
from workflows.hiring.use_cases.quoting import Findings, quote_changed
from workflows.hiring.use_cases.requests import Claimed
from workflows.hiring.use_cases.unit import HIRES, Hiring

# Each round means that another hire of the proposal ended in between.
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish, who has it, and what the total is that they saw."""

    wish: Wish
    actor: Actor
    expected_total: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The request with its hire, and whether that began with it."""

    claim: Claim
    began: bool = False


async def decide(
    hiring: Hiring, asked: Asked, findings: Findings, customer_id: str, claimed: Claimed
) -> Decision:
    """Begin a hire, attach to the live one with the same terms, or offer it other terms.

    Raises:
        Refused, Conflict: as the findings object, and as `Hire.takes_up` does; NEWER_HIRE for a
            request that comes again without ever having had a hire, once a newer one exists.

    """
    for _ in range(_ROUNDS):
        async with hiring.database.begin() as tx:
            claim = await requests.lock_claim(tx, claimed.claim.principal, claimed.claim.request_id)
            if claim.hire_id is not None:
                return Decision(claim)
            if not claimed.fresh:
                await _require_not_stale(tx, claim, asked.wish)
            if findings.objection is None:
                hire = _new_hire(hiring, asked, findings, customer_id)
                if await hires.insert_hire(tx, hire):
                    await _begin(hiring, tx, hire, asked, findings)
                    return Decision(await _name(tx, claim, hire.hire_id, 1), began=True)
            live = await hires.lock_live(tx, asked.wish.proposal_id)
            if live is not None:
                revision = await _join(tx, live, asked, findings, hiring.clock())
                return Decision(await _name(tx, claim, live.hire_id, revision))
            if findings.objection is not None:
                raise findings.objection
    raise Conflict("CONFLICT", "other hires of the proposal begin and end: repeat the call")


async def _require_not_stale(tx: AsyncConnection, claim: Claim, wish: Wish) -> None:
    newest = await hires.newest_create_time(tx, wish.proposal_id)
    if newest is None or newest <= claim.claimed_at:
        return
    live = await hires.lock_live(tx, wish.proposal_id)
    if live is not None and not live.ended:
        latest = await terms.latest_terms(tx, live.hire_id)
        if latest.fingerprint == wish.fingerprint:
            return  # attaching changes nothing of the newer hire
    told = "a newer hire of the proposal exists, and this request comes too late to touch it"
    raise Conflict("NEWER_HIRE", told)


def _new_hire(hiring: Hiring, asked: Asked, findings: Findings, customer_id: str) -> Hire:
    now = hiring.clock()
    proposal = findings.proposal
    return Hire(
        hire_id=hiring.new_id(),
        proposal_id=proposal.proposal_id,
        job_id=proposal.job_id,
        organisation_id=proposal.organisation_id,
        trainer_id=proposal.trainer_id,
        customer_id=customer_id,
        requested_by=asked.actor,
        create_time=now,
        update_time=now,
        stands_since=now,
    )


async def _begin(
    hiring: Hiring, tx: AsyncConnection, hire: Hire, asked: Asked, findings: Findings
) -> None:
    first = _terms(hire.hire_id, 1, asked, findings, hire.create_time)
    await terms.insert_terms(tx, replace(first, verdict=Verdict.ACCEPTED))
    request = StepRecord(
        hire_id=hire.hire_id,
        number=FIRST_STEP,
        stage=Stage.PROPOSAL_REVIEW,
        what="requested",
        time=hire.create_time,
        actor=asked.actor,
    )
    await hires.insert_step(tx, request)
    await hiring.outbox.record(tx, events.started(hire))


async def _join(
    tx: AsyncConnection, live: Hire, asked: Asked, findings: Findings, now: datetime
) -> int:
    latest = await terms.latest_terms(tx, live.hire_id)
    if live.takes_up(latest, asked.wish):
        if asked.expected_total != latest.terms.totals.total:
            raise quote_changed(latest.terms.totals, asked.expected_total)
        return latest.revision
    if findings.unacceptable is not None:
        raise findings.unacceptable
    revision = await terms.next_revision(tx, live.hire_id)
    await terms.insert_terms(tx, _terms(live.hire_id, revision, asked, findings, now))
    await notify(tx, HIRES, live.hire_id)
    return revision


async def _name(tx: AsyncConnection, claim: Claim, hire_id: str, revision: int) -> Claim:
    await requests.name_hire(tx, claim, hire_id, revision)
    return replace(claim, hire_id=hire_id, revision=revision)


def _terms(
    hire_id: str, revision: int, asked: Asked, findings: Findings, now: datetime
) -> HireTerms:
    milestone = asked.wish.milestone
    return HireTerms(
        hire_id=hire_id,
        revision=revision,
        terms=Terms(milestone.name, milestone.scope, findings.totals, milestone.due_date),
        confirm_declined=asked.wish.confirm_declined,
        payment_method_id=findings.method_id,
        requested_by=asked.actor,
        requested_at=now,
        fingerprint=asked.wish.fingerprint,
        verdict=Verdict.OFFERED,
    )
