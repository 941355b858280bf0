"""Proving the ledgers."""

from dataclasses import dataclass

import sqlalchemy as sa

from services.common.database import Database
from services.common.errors import NotFound
from services.common.paging import Cursor
from services.contracts.domain.audit import Finding, audit
from services.contracts.store.books import list_books
from services.contracts.use_cases.access import Auditor


@dataclass(frozen=True, slots=True)
class Verified:
    """A page of proved ledgers: how many, and what the wrong ones break."""

    contracts: int
    findings: tuple[Finding, ...]
    next_token: str


async def verify_ledger(
    database: Database,
    _caller: Auditor,
    cursor: Cursor,
    *,
    contract_id: str,
    organisation_id: str,
) -> Verified:
    """Prove a page of ledgers, or name the first wrong entry of each that does not hold.

    Raises NotFound when one contract is asked for and there is none such.
    """
    async with database.begin() as tx:
        # One snapshot: a charge and its entry commit together and must be seen together.
        await tx.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        page = await list_books(
            tx, cursor, contract_id=contract_id, organisation_id=organisation_id
        )
    if contract_id and not page.items:
        raise NotFound("contract", contract_id)
    found = (audit(books) for books in page.items)
    findings = tuple(finding for finding in found if finding is not None)
    return Verified(len(page.items), findings, page.next_token)
