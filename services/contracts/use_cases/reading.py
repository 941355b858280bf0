"""What anybody may see of contracts, and what a milestone costs."""

from collections.abc import Collection

from services.common.auth import Kind, Principal, require_reader
from services.common.database import Database
from services.common.errors import NotFound
from services.common.paging import Cursor, Page
from services.contracts.domain import (
    Contract,
    ContractState,
    Fees,
    Invoice,
    LedgerEntry,
    Quote,
)
from services.contracts.store import contracts, invoices, money
from services.contracts.store.contracts import Wanted
from services.contracts.use_cases.access import BookReader, may_read, readable_kinds


async def quote_milestone(
    database: Database,
    caller: BookReader,
    fees: Fees,
    *,
    amount: int,
    currency: str,
    contract_id: str,
) -> Quote:
    """Compute what a first milestone costs, or a further one of the contract that is named.

    Raises:
        InvalidInput: the amount or currency is not offered, or not the contract's.
        NotFound: the contract is unknown or another organisation's.
        Refused: CONTRACT_CANCELLED, or WRONG_STATE when the contract ended.

    """
    if not contract_id:
        return fees.quote(amount, currency, first=True)
    contract = await get_contract(database, caller, contract_id)
    quote = fees.quote(amount, currency, first=False)
    contract.require_room_for(quote)
    return quote


async def get_contract(database: Database, caller: Principal, contract_id: str) -> Contract:
    """Read one contract. Raises NotFound when it is unknown or the caller is no party to it."""
    async with database.read() as connection:
        contract = await contracts.find_contract(connection, contract_id)
    if contract is None or not may_read(caller, contract):
        raise NotFound("contract", contract_id)
    return contract


async def list_contracts(
    database: Database,
    caller: Principal,
    cursor: Cursor,
    *,
    organisation_id: str,
    job_id: str,
    states: Collection[ContractState],
) -> Page[Contract]:
    """List an organisation's contracts, or a trainer's own, newest first; no states means all.

    Raises NotFound for another organisation than the caller's own; operators and services have
    none and may name any.
    """
    trainer_id = caller.id if caller.kind is Kind.TRAINER else ""
    if not trainer_id:
        require_reader(caller, organisation_id, "organisation", organisation_id)
    wanted = Wanted(states or frozenset(ContractState), organisation_id, trainer_id, job_id)
    async with database.read() as connection:
        return await contracts.list_contracts(connection, wanted, cursor)


async def get_invoice(database: Database, caller: Principal, invoice_id: str) -> Invoice:
    """Read one paper. Raises NotFound when it is unknown or none of the caller's."""
    async with database.read() as connection:
        invoice = await invoices.find_invoice(connection, invoice_id)
        if invoice is not None and invoice.kind in readable_kinds(caller):
            contract = await contracts.find_contract(connection, invoice.contract_id)
            if contract is not None and may_read(caller, contract):
                return invoice
    raise NotFound("invoice", invoice_id)


async def list_invoices(
    database: Database, caller: Principal, contract_id: str, cursor: Cursor
) -> Page[Invoice]:
    """List those papers of a contract that the caller may read, in the order of their numbers.

    Raises NotFound when the contract is unknown or the caller is no party to it.
    """
    await get_contract(database, caller, contract_id)
    async with database.read() as connection:
        return await invoices.list_invoices(connection, contract_id, readable_kinds(caller), cursor)


async def list_ledger_entries(
    database: Database, caller: BookReader, contract_id: str, cursor: Cursor
) -> Page[LedgerEntry]:
    """List a contract's ledger, oldest first.

    Raises NotFound when the contract is unknown or another organisation's.
    """
    await get_contract(database, caller, contract_id)
    async with database.read() as connection:
        return await money.list_entries(connection, contract_id, cursor)
