"""Which customer at the payment provider is an organisation's, and its default method."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.hiring.store.tables import CUSTOMER


@dataclass(frozen=True, slots=True)
class Customer:
    """An organisation as a customer; `customer_id` is None until the provider made it."""

    organisation_id: str
    customer_id: str | None
    default_method_id: str | None


async def find_customer(connection: AsyncConnection, organisation_id: str) -> Customer | None:
    """Load an organisation's customer."""
    columns = (CUSTOMER.c.organisation_id, CUSTOMER.c.customer_id, CUSTOMER.c.default_method_id)
    query = sa.select(*columns).where(CUSTOMER.c.organisation_id == organisation_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Customer(*row)


async def insert_customer(tx: AsyncConnection, organisation_id: str, now: datetime) -> None:
    """Store that an organisation is to have a customer; a repeat changes nothing."""
    row = insert(CUSTOMER).values(organisation_id=organisation_id, create_time=now)
    await tx.execute(row.on_conflict_do_nothing(index_elements=[CUSTOMER.c.organisation_id]))


async def save_customer_id(tx: AsyncConnection, organisation_id: str, customer_id: str) -> str:
    """Store the provider's customer; the answer is the one that is there, the first."""
    kept = sa.func.coalesce(CUSTOMER.c.customer_id, customer_id)
    done = await tx.execute(
        sa.update(CUSTOMER)
        .where(CUSTOMER.c.organisation_id == organisation_id)
        .values(customer_id=kept)
        .returning(CUSTOMER.c.customer_id)
    )
    stored: str = done.scalar_one()
    return stored


async def save_default(tx: AsyncConnection, organisation_id: str, method_id: str) -> None:
    """Choose the default method."""
    mine = CUSTOMER.c.organisation_id == organisation_id
    await tx.execute(sa.update(CUSTOMER).where(mine).values(default_method_id=method_id))


async def clear_default(tx: AsyncConnection, organisation_id: str, method_id: str) -> None:
    """Have no default method any more, if it was this one."""
    mine = CUSTOMER.c.organisation_id == organisation_id
    was = CUSTOMER.c.default_method_id == method_id
    await tx.execute(sa.update(CUSTOMER).where(mine, was).values(default_method_id=None))
