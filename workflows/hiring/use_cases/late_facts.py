"""What our own rows say of an object at the provider, and what a late fact makes of them."""

from dataclasses import dataclass

from services.common.errors import NotFound
from workflows.hiring.domain import Funding, FundingChange, HireState
from workflows.hiring.store import fundings, hires
from workflows.hiring.use_cases.unit import Hiring


@dataclass(frozen=True, slots=True)
class Known:
    """A funding and how its hire stands."""

    funding: Funding
    hire: HireState


async def known_funding(hiring: Hiring, funding_id: str) -> Known | None:
    """Read a funding with its hire's state; None if it is none of ours."""
    async with hiring.database.read() as connection:
        funding = await fundings.find_funding(connection, funding_id)
        told = await hires.find_told(connection, funding.hire_id) if funding else None
    if funding is None or told is None:
        return None
    return Known(funding, told.hire.state)


async def is_our_charge(hiring: Hiring, intent_id: str | None, charge_id: str) -> bool:
    """Tell whether a charge, or the intent that made it, is one of our fundings'."""
    async with hiring.database.read() as connection:
        return await fundings.find_by_payment(connection, intent_id, charge_id) is not None


async def is_our_refund(hiring: Hiring, provider_id: str, refund_id: str | None) -> bool:
    """Tell whether a refund is ours; one whose answer was lost is known by its metadata alone."""
    async with hiring.database.read() as connection:
        return await fundings.is_ours(connection, provider_id, refund_id)


async def close_funding(hiring: Hiring, change: FundingChange) -> None:
    """Store what became of the funding of a hire that is over; a repeat changes nothing.

    Raises NotFound; Refused WRONG_STATE where the funding cannot become so.
    """
    async with hiring.database.begin() as tx:
        funding = await fundings.lock_funding(tx, change.funding_id)
        if funding is None:
            raise NotFound("funding", change.funding_id)
        funding.require(change)
        await fundings.change_funding(tx, change, hiring.clock())


async def fail_refund(hiring: Hiring, provider_id: str) -> None:
    """Store that a refund came back; a repeat changes nothing."""
    async with hiring.database.begin() as tx:
        await fundings.fail_refund(tx, provider_id)
