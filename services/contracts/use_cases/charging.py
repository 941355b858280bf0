"""What Stripe's charges do to a contract, each booked once.

Each function is idempotent twice over: a repeat of its request gets the first answer, and the same
charge under a new request finds its own effect done, by the unique key on the charge. The
contract's lock puts all that happens to it in a line.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.contracts import events
from services.contracts.domain import Contract, Invoice, RecordedCharge, ledger
from services.contracts.store import contracts, invoices, money
from services.contracts.use_cases.access import HireWorkflow
from services.contracts.use_cases.forming import lock_created

OUTBOX = Outbox("contracts")
REQUESTS = Requests("contracts")


@dataclass(frozen=True, slots=True)
class Activated:
    """An active contract and the invoice of its funding."""

    contract: Contract
    invoice: Invoice


async def activate_contract(
    database: Database,
    caller: HireWorkflow,
    request: Request,
    recorded: RecordedCharge,
    *,
    invoice_id: str,
    now: datetime,
) -> Activated:
    """Book a charge, hold its money for the milestone, begin the contract and issue the invoice.

    The same charge again answers with the contract as it is now and the invoice it got.

    Raises:
        NotFound: no such contract, or it has no such milestone.
        Refused: CONTRACT_CANCELLED; CHARGE_MISMATCH for another amount or currency than the
            milestone's quote; CHARGE_RECORDED where the charge or its funding is booked as
            something else, or another charge funded the milestone; WRONG_STATE.

    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Activated)
        if repeat is not None:
            return repeat
        contract = await lock_created(tx, recorded.contract_id)
        if await _is_new(tx, contract, recorded, now):
            answer = await _activate(tx, contract, recorded, invoice_id, now)
        else:
            invoice = await invoices.funding_invoice(tx, recorded.milestone_id)
            answer = Activated(contract, invoice)
        await REQUESTS.answer(tx, caller, request, answer)
        return answer


async def record_refunded_charge(
    database: Database,
    caller: HireWorkflow,
    request: Request,
    recorded: RecordedCharge,
    *,
    now: datetime,
) -> Contract:
    """Book a charge that came too late for its hire, and the refund that gave all of it back.

    The contract stays PENDING, for the hire cancels it next, or CANCELLED. The same charge and
    refund again answer with the contract as it is now.

    Raises:
        NotFound: no such contract, or it has no such milestone.
        Refused: CONTRACT_CANCELLED when it was never created; CHARGE_MISMATCH for another
            currency; CHARGE_RECORDED where the charge, its funding or its refund is booked as
            something else; WRONG_STATE once the contract was active.

    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Contract)
        if repeat is not None:
            return repeat
        contract = await lock_created(tx, recorded.contract_id)
        if await _is_new(tx, contract, recorded, now):
            contract = await _record_refunded(tx, contract, recorded, now)
        await REQUESTS.answer(tx, caller, request, contract)
        return contract


async def _is_new(
    tx: AsyncConnection, contract: Contract, recorded: RecordedCharge, now: datetime
) -> bool:
    contract.milestone(recorded.milestone_id)
    if await money.record_charge(tx, recorded, now):
        return True
    recorded.require_same(await money.find_charge(tx, recorded.charge.charge_id))
    return False


async def _activate(
    tx: AsyncConnection, before: Contract, recorded: RecordedCharge, invoice_id: str, now: datetime
) -> Activated:
    contract = before.activate(recorded.milestone_id, recorded.charge, now)
    milestone = contract.milestone(recorded.milestone_id)
    funding = ledger.funding(milestone.quote.amount, milestone.quote.fees)
    await money.append_entry(tx, recorded, recorded.charge.charge_id, funding, now)
    await contracts.save_contract(tx, contract)
    number = await invoices.take_number(tx, contract.parties.organisation_id)
    invoice = Invoice.of_funding(
        invoice_id, number, contract=contract, milestone=milestone, now=now
    )
    await invoices.insert_invoice(tx, invoice)
    await OUTBOX.record(
        tx,
        events.milestone_funded(contract, milestone, now),
        events.contract_activated(contract, now),
        events.invoice_issued(contract, invoice),
    )
    return Activated(contract, invoice)


async def _record_refunded(
    tx: AsyncConnection, before: Contract, recorded: RecordedCharge, now: datetime
) -> Contract:
    contract = before.record_refunded_charge(recorded.milestone_id, recorded.charge)
    milestone = contract.milestone(recorded.milestone_id)
    held, fees = milestone.quote.split(recorded.charge.amount)
    charge_id, refund_id = recorded.charge.charge_id, recorded.refund_id
    await money.append_entry(tx, recorded, charge_id, ledger.funding(held, fees), now)
    await money.append_entry(tx, recorded, refund_id, ledger.refund(held, fees), now)
    await contracts.save_contract(tx, contract)
    await OUTBOX.record(tx, events.milestone_refunded(contract, milestone, recorded, now))
    return contract
