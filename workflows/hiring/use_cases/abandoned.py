"""Hires whose own run is over though their row is not: found, taken over, and left to be undone.

Temporal's terminate compensates nothing, and neither does a run that timed out or was lost. The
row says what stands, Temporal whether anybody still works on it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.errors import NotFound, Refused
from services.common.telemetry import get_logger
from workflows.hire.contract import CleanUpInput
from workflows.hiring.domain import Funding, Hire, LateKind, Stage, StepRecord, Terms
from workflows.hiring.figures import Find, count_find
from workflows.hiring.store import fundings, hires
from workflows.hiring.store import terms as terms_store
from workflows.hiring.use_cases.ports import Hints
from workflows.hiring.use_cases.steps import write_step
from workflows.hiring.use_cases.unit import Hiring

_PAGE = 200
_AT_ONCE = 10
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Left:
    """What an abandoned hire left: its row, and its fundings that may have been charged."""

    hire: Hire
    fundings: Sequence[tuple[Funding, Terms]]


class Forgotten(Exception):
    """Temporal knows no run of a hire that was started: not that it is over, nor that it runs."""


class Runs(Protocol):
    """The runs of hires' workflows. Every method raises Unavailable if Temporal does not answer."""

    async def over(self, hire: Hire, before: datetime) -> int | None:
        """Tell whether no run of the hire works on it, and none did since then.

        The answer is a number that no step of any of its runs exceeds beyond the row's own; None
        if one runs. Raises Forgotten where Temporal has no word of the hire.
        """
        ...

    async def clean_up(self, given: CleanUpInput) -> None:
        """Start the clean-up of a hire unless it runs."""
        ...


@dataclass(frozen=True, slots=True)
class Sweep:
    """How abandoned hires are looked for.

    Attributes:
        grace: how long a run must be over; longer than a step of a dead run may go on.

    """

    env: str
    grace: timedelta
    polls: tuple[timedelta, ...]


async def sweep(hiring: Hiring, runs: Runs, hints: Hints, how: Sweep) -> Sequence[str]:
    """Start the clean-up of every abandoned hire; answer with their ids.

    A funding that is open though its hire was undone is looked at as a late fact. Repeating it,
    also at once, starts nothing twice: the ids of what it starts are the locks.

    Raises:
        Unavailable: Temporal or the database does not answer; what is left comes next time.

    """
    before = hiring.clock() - how.grace
    async with hiring.database.read() as connection:
        orphans = await fundings.open_of_undone(connection, before, limit=_PAGE)
    for funding in orphans:
        _log.warning("open funding of an undone hire", funding_id=funding.funding_id)
        count_find(Find.ORPHANED_FUNDING)
        if funding.intent_id is not None:
            await hints.late_fact(LateKind.INTENT, funding.intent_id)
    found: list[str] = []
    last = ""
    while True:
        async with hiring.database.read() as connection:
            page = await hires.quiet_since(connection, before, after=last, limit=_PAGE)
        for first in range(0, len(page), _AT_ONCE):
            some = page[first : first + _AT_ONCE]
            begun = await asyncio.gather(*(_look(runs, how, hire, before) for hire in some))
            found += [
                hire.hire_id for hire, abandoned in zip(some, begun, strict=True) if abandoned
            ]
        if len(page) < _PAGE:
            return found
        last = page[-1].hire_id


async def running_hire(hiring: Hiring, hire_id: str) -> Hire | None:
    """Read the hire of an abandoned run; None if it ended, or never was."""
    async with hiring.database.read() as connection:
        told = await hires.find_told(connection, hire_id)
    return None if told is None or told.hire.ended else told.hire


async def take_over_hire(hiring: Hiring, record: StepRecord) -> Left | None:
    """Write the step that takes a hire from its dead run, and see what it left; None if it ended.

    From this commit on what the dead run still does counts no more: its steps have smaller
    numbers, and it may neither begin a contract nor freeze a funding. A repeat changes nothing.

    Raises NotFound.
    """
    async with hiring.database.begin() as tx:
        hire = await hires.lock_hire(tx, record.hire_id)
        if hire is None:
            raise NotFound("hire", record.hire_id)
        if hire.ended:
            return None
        await write_step(hiring, tx, hire, record)
        left = await fundings.charged_or_open(tx, record.hire_id)
        return Left(hire, [(each, await _terms(tx, each)) for each in left])


async def begin_contract(
    hiring: Hiring, hire_id: str, revision: int, *, contract_id: str, milestone_id: str
) -> Terms:
    """Note, before contracts hear of it, which contract a hire makes; answer with its terms.

    So whoever must undo the hire knows what to cancel, wherever its run died.

    Raises:
        NotFound: there is no such hire or revision.
        Refused: WRONG_STATE, the hire ended or is being undone.

    """
    async with hiring.database.begin() as tx:
        hire = await hires.lock_hire(tx, hire_id)
        if hire is None:
            raise NotFound("hire", hire_id)
        if hire.ended or hire.stage is Stage.UNDOING:
            raise Refused("WRONG_STATE", f"hire {hire_id} is undone: it begins no contract")
        await hires.note_contract(tx, hire_id, contract_id, milestone_id)
        found = await terms_store.find_terms(tx, hire_id, revision)
    if found is None:
        raise NotFound("terms", f"{hire_id}/{revision}")
    return found.terms


async def _terms(tx: AsyncConnection, funding: Funding) -> Terms:
    found = await terms_store.find_terms(tx, funding.hire_id, funding.revision)
    if found is None:
        raise NotFound("terms", f"{funding.hire_id}/{funding.revision}")
    return found.terms


async def _look(runs: Runs, how: Sweep, hire: Hire, before: datetime) -> bool:
    try:
        steps = await runs.over(hire, before)
    except Forgotten:
        # Retention is over, or this is another Temporal than the one that ran it: reported and
        # not undone, or one wrong address would refund every hire under way.
        _log.warning("hire whose run nobody knows", hire_id=hire.hire_id, step=hire.step)
        count_find(Find.FORGOTTEN_HIRE)
        return False
    if steps is None:
        return False
    _log.warning("hire without a run", hire_id=hire.hire_id, stage=hire.stage, step=hire.step)
    count_find(Find.ABANDONED_HIRE)
    await runs.clean_up(
        CleanUpInput(
            env=how.env,
            hire_id=hire.hire_id,
            proposal_id=hire.proposal_id,
            job_id=hire.job_id,
            organisation_id=hire.organisation_id,
            reached=hire.step + steps,
            polls=how.polls,
        )
    )
    return True
