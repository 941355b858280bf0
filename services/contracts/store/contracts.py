"""Contracts with their milestones, and the claims on their ids."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.contracts.domain import (
    Contract,
    ContractState,
    Milestone,
    MilestoneState,
    MilestoneTerms,
    Parties,
    Quote,
)
from services.contracts.store.tables import CONTRACT, CONTRACT_CLAIM, MILESTONE

_OF_MILESTONE = "milestone__"
_MILESTONE_COLUMNS = [column.label(_OF_MILESTONE + column.name) for column in MILESTONE.c]
# Put together once, as each step of a hire asks them.
_OF_CONTRACT = CONTRACT.c.contract_id == sa.bindparam("of_contract")
_HELD = sa.select(CONTRACT.c.state).where(_OF_CONTRACT).with_for_update()
_FOUND = (
    sa.select(CONTRACT, *_MILESTONE_COLUMNS)
    .join(MILESTONE, MILESTONE.c.contract_id == CONTRACT.c.contract_id)
    .where(_OF_CONTRACT)
    .order_by(MILESTONE.c.position)
)
_SAVED = sa.update(CONTRACT).where(_OF_CONTRACT)
_MILESTONE_SAVED = sa.update(MILESTONE).where(
    MILESTONE.c.milestone_id == sa.bindparam("of_milestone")
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which contracts a list shows: an organisation's or a trainer's, perhaps of one job."""

    states: Collection[ContractState]
    organisation_id: str = ""
    trainer_id: str = ""
    job_id: str = ""


async def claim_contract(tx: AsyncConnection, contract_id: str, *, created: bool) -> bool:
    """Say the first word on an id: created, or cancelled before it could be.

    Answers whether it was the first; a rival transaction is waited for.
    """
    statement = insert(CONTRACT_CLAIM).values(contract_id=contract_id, created=created)
    return bool((await tx.execute(statement.on_conflict_do_nothing())).rowcount)


async def was_claimed(tx: AsyncConnection, contract_id: str) -> bool:
    """Tell whether a first word was said on an id; without a contract, it is a tombstone."""
    claimed = sa.exists().where(CONTRACT_CLAIM.c.contract_id == contract_id)
    return bool((await tx.execute(sa.select(claimed))).scalar_one())


async def insert_contract(tx: AsyncConnection, contract: Contract) -> bool:
    """Store a new contract whose id this transaction claimed.

    Answers False, and leaves the transaction to be rolled back, where the hire has another live
    contract or another contract has the milestone's id.
    """
    statement = insert(CONTRACT).values(_contract_values(contract)).on_conflict_do_nothing()
    if not (await tx.execute(statement)).rowcount:
        return False
    milestones = insert(MILESTONE).values(_milestone_values(contract)).on_conflict_do_nothing()
    return (await tx.execute(milestones)).rowcount == len(contract.milestones)


async def save_contract(tx: AsyncConnection, contract: Contract) -> None:
    """Store a contract, and its milestones, that this transaction locked and changed."""
    of_contract = {"of_contract": contract.contract_id}
    await tx.execute(_SAVED, of_contract | _contract_values(contract))
    for values in _milestone_values(contract):
        await tx.execute(_MILESTONE_SAVED, {"of_milestone": values["milestone_id"], **values})


async def lock_contract(tx: AsyncConnection, contract_id: str) -> Contract | None:
    """Load a contract and hold it, and so its milestones and ledger, until the transaction ends.

    Two statements: a joined row that waited for the lock would show milestones of before it.
    """
    locked = await tx.execute(_HELD, {"of_contract": contract_id})
    return None if locked.one_or_none() is None else await find_contract(tx, contract_id)


async def find_contract(connection: AsyncConnection, contract_id: str) -> Contract | None:
    """Read one contract with its milestones."""
    rows = await connection.execute(_FOUND, {"of_contract": contract_id})
    found = _contracts(rows.mappings())
    return found[0] if found else None


async def list_contracts(
    connection: AsyncConnection, wanted: Wanted, cursor: Cursor
) -> Page[Contract]:
    """Read a page of contracts with their milestones, newest first."""
    found = _contracts((await connection.execute(contracts_query(wanted, cursor))).mappings())
    return cursor.page(found, key=lambda each: (each.create_time, each.contract_id))


def contracts_query(wanted: Wanted, cursor: Cursor) -> sa.Select[Any]:
    """Select a page of contracts with their milestones, newest first.

    One bounded index scan per state, merged: however many contracts are in other states, they
    are not walked through.
    """
    order = (CONTRACT.c.create_time.desc(), CONTRACT.c.contract_id.desc())
    behind = beyond(cursor, CONTRACT.c.create_time, CONTRACT.c.contract_id, descending=True)
    scans = (
        sa.select(CONTRACT)
        .where(*_conditions(wanted), CONTRACT.c.state == state, behind)
        .order_by(*order)
        .limit(cursor.limit)
        for state in sorted(set(wanted.states))
    )
    merged = sa.union_all(*scans).subquery("merged")
    newest = merged.c.create_time.desc(), merged.c.contract_id.desc()
    page = sa.select(merged).order_by(*newest).limit(cursor.limit).subquery("page")
    return (
        sa.select(page, *_MILESTONE_COLUMNS)
        .join(MILESTONE, MILESTONE.c.contract_id == page.c.contract_id)
        .order_by(page.c.create_time.desc(), page.c.contract_id.desc(), MILESTONE.c.position)
    )


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    asked = {
        CONTRACT.c.organisation_id: wanted.organisation_id,
        CONTRACT.c.trainer_id: wanted.trainer_id,
        CONTRACT.c.job_id: wanted.job_id,
    }
    return [column == value for column, value in asked.items() if value]


def _contract_values(contract: Contract) -> dict[str, object]:
    parties = contract.parties
    return {
        "contract_id": contract.contract_id,
        "organisation_id": parties.organisation_id,
        "trainer_id": parties.trainer_id,
        "job_id": parties.job_id,
        "proposal_id": parties.proposal_id,
        "hire_id": parties.hire_id,
        "state": contract.state,
        "currency": contract.currency,
        "version": contract.version,
        "create_time": contract.create_time,
        "activate_time": contract.activate_time,
        "end_time": contract.end_time,
    }


def _milestone_values(contract: Contract) -> list[dict[str, object]]:
    return [
        {
            "milestone_id": each.milestone_id,
            "contract_id": contract.contract_id,
            "position": position,
            "name": each.terms.name,
            "scope": each.terms.scope,
            "amount": each.terms.amount,
            "due_date": each.terms.due_date,
            "marketplace_fee": each.quote.marketplace_fee,
            "contract_fee": each.quote.contract_fee,
            "state": each.state,
            "disputed_in": each.disputed_in,
            "charge_id": each.charge_id or None,
            "create_time": each.create_time,
            "fund_time": each.fund_time,
        }
        for position, each in enumerate(contract.milestones, start=1)
    ]


def _contracts(rows: Iterable[sa.RowMapping]) -> list[Contract]:
    by_contract = groupby(rows, key=lambda row: row["contract_id"])
    return [_contract(list(of_contract)) for _, of_contract in by_contract]


def _contract(rows: list[sa.RowMapping]) -> Contract:
    row = rows[0]
    return Contract(
        contract_id=row["contract_id"],
        parties=Parties(
            organisation_id=row["organisation_id"],
            trainer_id=row["trainer_id"],
            job_id=row["job_id"],
            proposal_id=row["proposal_id"],
            hire_id=row["hire_id"],
        ),
        state=ContractState(row["state"]),
        currency=row["currency"],
        milestones=tuple(_milestone(each) for each in rows),
        version=row["version"],
        create_time=row["create_time"],
        activate_time=row["activate_time"],
        end_time=row["end_time"],
    )


def _milestone(row: sa.RowMapping) -> Milestone:
    def of(name: str) -> Any:  # noqa: ANN401 - a column's own type, told by its name
        return row[_OF_MILESTONE + name]

    currency = row["currency"]
    disputed_in = of("disputed_in")
    return Milestone(
        milestone_id=of("milestone_id"),
        terms=MilestoneTerms(of("name"), of("scope"), of("amount"), currency, of("due_date")),
        quote=Quote(of("amount"), of("marketplace_fee"), of("contract_fee"), currency),
        state=MilestoneState(of("state")),
        create_time=of("create_time"),
        charge_id=of("charge_id") or "",
        fund_time=of("fund_time"),
        disputed_in=None if disputed_in is None else MilestoneState(disputed_in),
    )
