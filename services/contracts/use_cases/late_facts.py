"""What Stripe tells of a charge after it was booked: the ledger moves, history stays.

Each fact is booked once, whatever is repeated: a failed refund by its entry, a dispute by its own
row and state. The contract's lock orders them.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.common.errors import NotFound, Refused
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.contracts import events
from services.contracts.domain import (
    Contract,
    Dispute,
    DisputeState,
    EntryKind,
    LedgerEntry,
    RecordedCharge,
    balances,
    ledger,
    together,
)
from services.contracts.store import contracts, money
from services.contracts.use_cases.access import HireWorkflow
from services.contracts.use_cases.forming import lock_created

OUTBOX = Outbox("contracts")
REQUESTS = Requests("contracts")


async def record_refund_failed(
    database: Database, caller: HireWorkflow, request: Request, refund_id: str, *, now: datetime
) -> Contract:
    """Take the postings of a refund back, once; the milestone stays REFUNDED, for it is owed.

    Raises NotFound while no refund is booked under the id.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Contract)
        if repeat is not None:
            return repeat
        refund = await money.find_entry(tx, EntryKind.REFUND, refund_id)
        if refund is None:
            raise NotFound("refund", refund_id)
        contract = await lock_created(tx, refund.contract_id)
        if await money.find_entry(tx, EntryKind.REFUND_FAILED, refund_id) is None:
            await _take_back(tx, contract, refund, now)
        await REQUESTS.answer(tx, caller, request, contract)
        return contract


async def record_dispute(
    database: Database, caller: HireWorkflow, request: Request, dispute: Dispute, *, now: datetime
) -> Contract:
    """Book how a dispute stands: what the bank took when it opened, what came back when won.

    One that is first told closed is opened and closed; an outdated word changes nothing. The
    milestone is disputed until the last dispute of its charge is decided.

    Raises:
        NotFound: no such charge is booked.
        Refused: CHARGE_MISMATCH for another currency or more than the charge; WRONG_STATE where
            it was decided otherwise, or is known as one of another charge or amount.

    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Contract)
        if repeat is not None:
            return repeat
        recorded = await money.find_charge(tx, dispute.charge_id)
        if recorded is None:
            raise NotFound("charge", dispute.charge_id)
        charge = recorded.charge
        if dispute.currency != charge.currency or dispute.amount > charge.amount:
            told = f"the charge is {charge.amount} {charge.currency}"
            raise Refused("CHARGE_MISMATCH", told)
        contract = await lock_created(tx, recorded.contract_id)
        if await money.open_dispute(tx, contract.contract_id, dispute, now):
            contract = await _open(tx, contract, recorded, dispute, now)
        if dispute.closes(await money.find_dispute(tx, dispute.dispute_id)):
            contract = await _close(tx, contract, recorded, dispute, now)
        await REQUESTS.answer(tx, caller, request, contract)
        return contract


async def _take_back(
    tx: AsyncConnection, contract: Contract, refund: LedgerEntry, now: datetime
) -> None:
    returned = refund.movement.undone(EntryKind.REFUND_FAILED)
    await money.append(
        tx,
        refund.external_id,
        returned,
        now,
        contract_id=contract.contract_id,
        milestone_id=refund.milestone_id,
        currency=refund.currency,
    )
    milestone = contract.milestone(refund.milestone_id)
    await OUTBOX.record(tx, events.refund_failed(contract, milestone, refund, now))


async def _open(
    tx: AsyncConnection,
    before: Contract,
    recorded: RecordedCharge,
    dispute: Dispute,
    now: datetime,
) -> Contract:
    held = balances(await money.movements_of(tx, recorded)).held
    taken = min(held, dispute.amount)
    chargeback = ledger.chargeback(taken, dispute.amount - taken)
    await money.append_entry(tx, recorded, dispute.dispute_id, chargeback, now)
    contract = before.dispute(recorded.milestone_id)
    await contracts.save_contract(tx, contract)
    milestone = contract.milestone(recorded.milestone_id)
    await OUTBOX.record(tx, events.milestone_disputed(contract, milestone, dispute, now))
    return contract


async def _close(
    tx: AsyncConnection,
    before: Contract,
    recorded: RecordedCharge,
    dispute: Dispute,
    now: datetime,
) -> Contract:
    await money.close_dispute(tx, dispute, now)
    if dispute.state is DisputeState.WON:
        taken = await money.find_entry(tx, EntryKind.CHARGEBACK, dispute.dispute_id)
        if taken is None:
            raise AssertionError("an open dispute without its chargeback")
        returned = taken.movement.undone(EntryKind.CHARGEBACK_REVERSED)
        await money.append_entry(tx, recorded, dispute.dispute_id, returned, now)
    contract = before
    states = await money.dispute_states(tx, recorded.contract_id, dispute.charge_id)
    stands = together(states)
    if stands is not DisputeState.OPEN:
        won = stands is DisputeState.WON
        contract = before.close_dispute(recorded.milestone_id, won=won)
        await contracts.save_contract(tx, contract)
    milestone = contract.milestone(recorded.milestone_id)
    await OUTBOX.record(tx, events.dispute_closed(contract, milestone, dispute, now))
    return contract
