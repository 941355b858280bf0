"""What callers asked for, by their request ids, and the hire that each request names."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.hiring.store.tables import REQUEST_CLAIM


@dataclass(frozen=True, slots=True)
class Claim:
    """A request as it was first claimed.

    Attributes:
        hire_id: the hire that it names for ever, once decided.
        revision: the terms that it brought or met.
        after_step: the hire's last step when it was asked.

    """

    principal: str
    request_id: str
    method: str
    fingerprint: bytes
    claimed_at: datetime
    hire_id: str | None = None
    revision: int | None = None
    after_step: int | None = None


async def insert_claim(tx: AsyncConnection, claim: Claim) -> bool:
    """Store a claim; false when its principal used the id before."""
    done = await tx.execute(
        insert(REQUEST_CLAIM)
        .values({name: getattr(claim, name) for name in claim.__slots__})
        .on_conflict_do_nothing(
            index_elements=[REQUEST_CLAIM.c.principal, REQUEST_CLAIM.c.request_id]
        )
    )
    return bool(done.rowcount)


async def lock_claim(tx: AsyncConnection, principal: str, request_id: str) -> Claim:
    """Load a claim and hold its row until the transaction ends."""
    found = await tx.execute(_query(principal, request_id).with_for_update())
    return Claim(**found.mappings().one())


async def find_claim(connection: AsyncConnection, principal: str, request_id: str) -> Claim | None:
    """Load a claim."""
    row = (await connection.execute(_query(principal, request_id))).mappings().one_or_none()
    return None if row is None else Claim(**row)


async def name_hire(tx: AsyncConnection, claim: Claim, hire_id: str, revision: int) -> None:
    """Let a request name its hire."""
    await tx.execute(
        sa.update(REQUEST_CLAIM)
        .where(
            REQUEST_CLAIM.c.principal == claim.principal,
            REQUEST_CLAIM.c.request_id == claim.request_id,
        )
        .values(hire_id=hire_id, revision=revision)
    )


async def forget_hire(tx: AsyncConnection, hire_id: str, revision: int) -> None:
    """Free the requests whose offered terms never reached their hire."""
    await tx.execute(
        sa.update(REQUEST_CLAIM)
        .where(REQUEST_CLAIM.c.hire_id == hire_id, REQUEST_CLAIM.c.revision == revision)
        .values(hire_id=None, revision=None)
    )


def _query(principal: str, request_id: str) -> sa.Select[tuple[object, ...]]:
    return sa.select(REQUEST_CLAIM).where(
        REQUEST_CLAIM.c.principal == principal, REQUEST_CLAIM.c.request_id == request_id
    )
