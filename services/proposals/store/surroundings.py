"""What other services told of a proposal, its thread and its hires, and all of it in one read."""

from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.proposals.domain import HireOfProposal, Surroundings
from services.proposals.store.profiles import profile_of
from services.proposals.store.proposals import proposal_of
from services.proposals.store.tables import HIRE, PROFILE, PROPOSAL, THREAD


async def learn_thread(tx: AsyncConnection, proposal_id: str, thread_id: str) -> None:
    """Store which thread is a proposal's; it has one for ever."""
    row = insert(THREAD).values(proposal_id=proposal_id, thread_id=thread_id)
    await tx.execute(row.on_conflict_do_nothing(index_elements=["proposal_id"]))


async def learn_hire(tx: AsyncConnection, hire: HireOfProposal) -> None:
    """Store what the last event told of a hire; when it began, its first one told."""
    values = asdict(hire)
    later = {name: value for name, value in values.items() if name != "start_time"}
    row = insert(HIRE).values(values)
    await tx.execute(row.on_conflict_do_update(index_elements=["hire_id"], set_=later))


_LAST_HIRE = (
    sa.select(HIRE)
    .where(HIRE.c.proposal_id == PROPOSAL.c.proposal_id)
    .order_by(HIRE.c.start_time.desc(), HIRE.c.hire_id.desc())
    .limit(1)
    .lateral("last_hire")
)
_PARTS = {"profile": PROFILE, "thread": THREAD, "hire": _LAST_HIRE}
_AROUND = sa.select(
    PROPOSAL,
    *(column.label(f"{part}__{column.name}") for part in _PARTS for column in _PARTS[part].c),
).select_from(
    PROPOSAL.join(PROFILE, PROFILE.c.trainer_id == PROPOSAL.c.trainer_id)
    .outerjoin(THREAD, THREAD.c.proposal_id == PROPOSAL.c.proposal_id)
    .outerjoin(_LAST_HIRE, sa.true())
)


async def find_surroundings(connection: AsyncConnection, proposal_id: str) -> Surroundings | None:
    """Read a proposal with its trainer's profile, its thread and its last hire."""
    found = await connection.execute(_AROUND.where(PROPOSAL.c.proposal_id == proposal_id))
    row = found.one_or_none()
    if row is None:
        return None
    profile, thread, hire = (
        {column.name: getattr(row, f"{part}__{column.name}") for column in table.c}
        for part, table in _PARTS.items()
    )
    return Surroundings(
        proposal=proposal_of(row),
        profile=profile_of(profile),
        thread_id=thread["thread_id"] or "",
        hire=HireOfProposal(**hire) if hire["hire_id"] else None,
    )
