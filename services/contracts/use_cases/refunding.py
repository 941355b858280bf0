"""The full refund of a hire's charge, whatever the contract made of the charge until then.

A refund may overtake the activation that it gives up: a try that timed out may still be running.
The contract's lock puts the two in a line, so exactly one of two things happens. Either the charge
was booked before, and the refund ends an active contract; or the refund books the charge together
with itself, and the activation finds the charge taken and is refused for ever.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.contracts import events
from services.contracts.domain import Contract, EntryKind, Invoice, RecordedCharge, ledger
from services.contracts.store import contracts, invoices, money
from services.contracts.use_cases.access import HireWorkflow
from services.contracts.use_cases.forming import lock_created

OUTBOX = Outbox("contracts")
REQUESTS = Requests("contracts")


@dataclass(frozen=True, slots=True)
class Refunded:
    """A contract that is over, and the credit note where an invoice had been issued."""

    contract: Contract
    credit_note: Invoice | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """The charge with the refund that gave all of it back, why, and the credit note's id."""

    recorded: RecordedCharge
    reason: str
    credit_note_id: str


async def refund_contract(
    database: Database, caller: HireWorkflow, request: Request, refund: Refund, *, now: datetime
) -> Refunded:
    """Book a full refund and close its contract: CANCELLED if it never was active, else ENDED.

    The fees are given back too: an operator's full refund says so. The same refund again answers
    with the contract as it is now.

    Raises:
        NotFound: no such contract, or it has no such milestone.
        Refused: CONTRACT_CANCELLED when the contract was given up without this charge;
            CHARGE_MISMATCH for another currency; CHARGE_RECORDED where the charge, its funding or
            its refund is booked as something else; WRONG_STATE when the contract was activated by
            another charge, or its money is no longer held.

    """
    recorded = refund.recorded
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Refunded)
        if repeat is not None:
            return repeat
        contract = await lock_created(tx, recorded.contract_id)
        contract.milestone(recorded.milestone_id)
        if await money.record_charge(tx, recorded, now):
            answer = await _cancel(tx, contract, refund, now)
        elif await money.find_charge(tx, recorded.charge.charge_id) == recorded:
            # Both may have been booked while the contract was still to be cancelled.
            answer = Refunded(await _give_up(tx, contract, refund, now))
        else:
            answer = await _end(tx, contract, refund, now)
        await REQUESTS.answer(tx, caller, request, answer)
        return answer


async def _cancel(tx: AsyncConnection, before: Contract, refund: Refund, now: datetime) -> Refunded:
    recorded = refund.recorded
    contract = before.record_refunded_charge(recorded.milestone_id, recorded.charge)
    held, fees = contract.milestone(recorded.milestone_id).quote.split(recorded.charge.amount)
    charged = ledger.funding(held, fees)
    await money.append_entry(tx, recorded, recorded.charge.charge_id, charged, now)
    await _book(tx, contract, recorded, now)
    return Refunded(await _give_up(tx, contract, refund, now))


async def _give_up(
    tx: AsyncConnection, before: Contract, refund: Refund, now: datetime
) -> Contract:
    contract = before.cancel(now)
    if contract is not before:
        await contracts.save_contract(tx, contract)
        await OUTBOX.record(tx, events.contract_cancelled(contract, refund.reason, now))
    return contract


async def _end(tx: AsyncConnection, before: Contract, refund: Refund, now: datetime) -> Refunded:
    recorded = refund.recorded
    funded = replace(recorded, refund_id="")
    funded.require_same(await money.find_charge(tx, recorded.charge.charge_id))
    booked = await money.find_entry(tx, EntryKind.REFUND, recorded.refund_id)
    if booked is not None:
        recorded.require_refund_of(booked.milestone_id)
        return Refunded(before, await invoices.credit_note(tx, recorded.milestone_id))
    contract = before.refund(recorded.milestone_id, now)
    await _book(tx, contract, recorded, now)
    number = await invoices.take_number(tx, contract.parties.organisation_id)
    invoice = await invoices.funding_invoice(tx, recorded.milestone_id)
    credit_note = invoice.credited(refund.credit_note_id, number, now)
    await invoices.insert_invoice(tx, credit_note)
    await OUTBOX.record(
        tx,
        events.contract_ended(contract, refund.reason, now),
        events.invoice_issued(contract, credit_note),
    )
    return Refunded(contract, credit_note)


async def _book(
    tx: AsyncConnection, contract: Contract, recorded: RecordedCharge, now: datetime
) -> None:
    milestone = contract.milestone(recorded.milestone_id)
    held, fees = milestone.quote.split(recorded.charge.amount)
    await money.append_entry(tx, recorded, recorded.refund_id, ledger.refund(held, fees), now)
    await contracts.save_contract(tx, contract)
    await OUTBOX.record(tx, events.milestone_refunded(contract, milestone, recorded, now))
