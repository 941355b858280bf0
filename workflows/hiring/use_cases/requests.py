"""Idempotency by request id: a request names its hire for ever."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import Principal
from services.common.errors import InvalidInput, Violation
from services.common.idempotency import Request
from workflows.hiring.store import requests
from workflows.hiring.store.requests import Claim
from workflows.hiring.use_cases.unit import Hiring


@dataclass(frozen=True, slots=True)
class Claimed:
    """A request, and whether this very call claimed it first."""

    claim: Claim
    fresh: bool

    @property
    def key(self) -> str:
        """Name the request in keys at the provider and in the workflow."""
        return f"{self.claim.principal}/{self.claim.request_id}"


async def claim_request(
    hiring: Hiring,
    caller: Principal,
    request: Request,
    *,
    hire_id: str | None = None,
    after_step: int | None = None,
) -> Claimed:
    """Claim a request in a transaction of its own; see `claim_in`."""
    async with hiring.database.begin() as tx:
        return await claim_in(tx, hiring, caller, request, hire_id=hire_id, after_step=after_step)


async def claim_in(
    tx: AsyncConnection,
    hiring: Hiring,
    caller: Principal,
    request: Request,
    *,
    hire_id: str | None = None,
    after_step: int | None = None,
) -> Claimed:
    """Claim a request, or find how it was claimed first.

    Raises:
        InvalidInput: REQUEST_ID_REUSED, the id came before with another body or method.

    """
    claim = Claim(
        principal=f"{caller.kind}/{caller.id}",
        request_id=request.id,
        method=request.method,
        fingerprint=request.fingerprint,
        claimed_at=hiring.clock(),
        hire_id=hire_id,
        after_step=after_step,
    )
    if await requests.insert_claim(tx, claim):
        return Claimed(claim, fresh=True)
    first = await requests.lock_claim(tx, claim.principal, claim.request_id)
    if (first.method, first.fingerprint) != (request.method, request.fingerprint):
        used = "was used before with another body or method: choose a new one"
        raise InvalidInput([Violation("request_id", used)], reason="REQUEST_ID_REUSED")
    return Claimed(first, fresh=False)
