"""The story of a hire, as its activities write it: one transaction per step."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import notify
from services.common.errors import NotFound, Refused
from workflows.hiring import events, figures
from workflows.hiring.domain import FundingChange, Hire, HireChanges, StepRecord, Terms
from workflows.hiring.store import fundings, hires
from workflows.hiring.store import terms as terms_store
from workflows.hiring.use_cases.unit import HIRES, Hiring

__all__ = ["Hiring", "record_step", "terms_of", "write_step"]


async def record_step(hiring: Hiring, record: StepRecord) -> bool:
    """Write a step, what it makes of the hire and of its funding, and the event that follows.

    Counts once per hire and number: a repeat answers False and changes nothing. So does a step
    that was overtaken: an activity that timed out may still be running while its undoing writes
    steps with greater numbers, and whoever reads the story in order must not miss one.

    Raises:
        NotFound: there is no such hire.
        Refused: WRONG_STATE, the hire ended, or the step is none of a hire that stands like this.

    """
    async with hiring.database.begin() as tx:
        hire = await hires.lock_hire(tx, record.hire_id)
        if hire is None:
            raise NotFound("hire", record.hire_id)
        written = await write_step(hiring, tx, hire, record)
    if written:
        figures.measure_end(hire, record)
    return written


async def write_step(hiring: Hiring, tx: AsyncConnection, hire: Hire, record: StepRecord) -> bool:
    """Write a step of a hire whose row this transaction holds; see `record_step`."""
    if record.number <= hire.step:
        return False
    after = hire.after(record)
    await hires.insert_step(tx, record)
    if not await hires.save_hire(tx, after):
        raise Refused("WRONG_STATE", f"hire {record.hire_id} ended before {record.what}")
    await _decide_terms(tx, record.hire_id, record.changes)
    if record.funding is not None:
        await _change_funding(tx, record.funding, record)
    await hiring.outbox.record(tx, events.after_step(after, record))
    await notify(tx, HIRES, record.hire_id)
    return True


async def terms_of(hiring: Hiring, hire_id: str, revision: int) -> Terms:
    """Read the texts and totals of one revision. Raises NotFound."""
    async with hiring.database.read() as connection:
        found = await terms_store.find_terms(connection, hire_id, revision)
    if found is None:
        raise NotFound("terms", f"{hire_id}/{revision}")
    return found.terms


async def _decide_terms(tx: AsyncConnection, hire_id: str, changes: HireChanges) -> None:
    if changes.accepted_revision is not None:
        await terms_store.accept_terms(tx, hire_id, changes.accepted_revision)
    if changes.refused_revision is not None:
        reason = changes.refused_reason or "PAYMENT_ALREADY_SUCCEEDED"
        await terms_store.refuse_terms(tx, hire_id, changes.refused_revision, reason)


async def _change_funding(tx: AsyncConnection, change: FundingChange, record: StepRecord) -> None:
    funding = await fundings.lock_funding(tx, change.funding_id)
    if funding is None:
        raise NotFound("funding", change.funding_id)
    funding.require(change)
    await fundings.change_funding(tx, change, record.time)
