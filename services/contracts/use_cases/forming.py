"""What a hire agrees, changes and gives up before it is paid.

Each function is idempotent twice over: a repeat of its request gets the first answer, and the same
content under a new request finds its own effect done. The unique key on the contract's claim
decides between a creation and a cancel that overtook it.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.common.errors import NotFound, Refused
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.contracts import events
from services.contracts.domain import Contract, MilestoneTerms, Quote
from services.contracts.store import contracts
from services.contracts.use_cases.access import HireWorkflow

OUTBOX = Outbox("contracts")
REQUESTS = Requests("contracts")


async def create_contract(
    database: Database, caller: HireWorkflow, request: Request, proposed: Contract
) -> Contract:
    """Store a proposed contract; the very same one again answers with it as it is now.

    Raises:
        Refused: CONTRACT_CANCELLED, also when the cancel came first; CONTRACT_EXISTS when the hire
            has another live contract, or an id is taken by something else.

    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Contract)
        if repeat is not None:
            return repeat
        contract = proposed
        if await contracts.claim_contract(tx, proposed.contract_id, created=True):
            if not await contracts.insert_contract(tx, proposed):
                raise Refused(
                    "CONTRACT_EXISTS",
                    "the hire has a live contract, or the milestone's id is taken",
                )
            await OUTBOX.record(
                tx,
                events.contract_created(proposed),
                *(events.milestone_created(proposed, each) for each in proposed.milestones),
            )
        else:
            contract = await lock_created(tx, proposed.contract_id)
            contract.require_same(proposed)
        await REQUESTS.answer(tx, caller, request, contract)
        return contract


async def amend_contract(
    database: Database,
    caller: HireWorkflow,
    request: Request,
    *,
    contract_id: str,
    milestone_id: str,
    terms: MilestoneTerms,
    quote: Quote,
    now: datetime,
) -> Contract:
    """Replace the terms of a PENDING contract's milestone; the same terms again change nothing.

    Raises:
        NotFound: no such contract, or it has no such milestone.
        InvalidInput: the currency is not the contract's.
        Refused: CONTRACT_CANCELLED, or WRONG_STATE once the contract or milestone is funded.

    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Contract)
        if repeat is not None:
            return repeat
        before = await lock_created(tx, contract_id)
        contract = before.amend(milestone_id, terms, quote)
        if contract != before:
            await contracts.save_contract(tx, contract)
            milestone = contract.milestone(milestone_id)
            await OUTBOX.record(tx, events.contract_amended(contract, milestone, now))
        await REQUESTS.answer(tx, caller, request, contract)
        return contract


async def cancel_contract(
    database: Database,
    caller: HireWorkflow,
    request: Request,
    *,
    contract_id: str,
    reason: str,
    now: datetime,
) -> bool:
    """Cancel a PENDING contract; of an unknown one, remember that it is never to be created.

    Answers whether a contract was there. Raises Refused WRONG_STATE once it was active.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, bool)
        if repeat is not None:
            return repeat
        was_there = False
        if not await contracts.claim_contract(tx, contract_id, created=False):
            contract = await contracts.lock_contract(tx, contract_id)
            if contract is not None:
                was_there = True
                await _cancel(tx, contract, reason, now)
        await REQUESTS.answer(tx, caller, request, was_there)
        return was_there


async def lock_created(tx: AsyncConnection, contract_id: str) -> Contract:
    """Load and hold a contract.

    Raises:
        NotFound: nothing is known of it.
        Refused: CONTRACT_CANCELLED, it was cancelled before it was created.

    """
    contract = await contracts.lock_contract(tx, contract_id)
    if contract is None:
        if await contracts.was_claimed(tx, contract_id):
            raise Refused("CONTRACT_CANCELLED", "the contract was cancelled before it was created")
        raise NotFound("contract", contract_id)
    return contract


async def _cancel(tx: AsyncConnection, before: Contract, reason: str, now: datetime) -> None:
    contract = before.cancel(now)
    if contract == before:
        return
    await contracts.save_contract(tx, contract)
    pairs = zip(before.milestones, contract.milestones, strict=True)
    given_up = [after for earlier, after in pairs if after != earlier]
    await OUTBOX.record(
        tx,
        *(events.milestone_cancelled(contract, each, now) for each in given_up),
        events.contract_cancelled(contract, reason, now),
    )
