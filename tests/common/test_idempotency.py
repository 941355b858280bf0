import asyncio
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from hireflow.jobs.v1 import job_pb2
from services.common.auth import Kind, Principal
from services.common.database import Database
from services.common.errors import HireflowError, InvalidInput
from services.common.idempotency import Request
from services.common.tables import chassis_tables
from tests.common.toy import METADATA, THING, Thing, create

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CALLER = Principal(Kind.EMPLOYER, "u-1", "org-idempotency")


def request(request_id: str, title: str = "t") -> Request:
    return Request.of(job_pb2.CreateJobRequest(request_id=request_id, job=job_pb2.Job(title=title)))


def thing(identifier: str) -> Thing:
    return Thing(identifier, "org-idempotency", "t", NOW)


async def count(database: Database, table: sa.Table, condition: sa.ColumnElement[bool]) -> int:
    async with database.read() as connection:
        found = await connection.execute(
            sa.select(sa.func.count()).select_from(table).where(condition)
        )
        counted: int = found.scalar_one()
        return counted


async def test_fifty_equal_calls_at_once_have_one_effect_and_one_answer(database: Database) -> None:
    answers = await asyncio.gather(
        *(create(database, CALLER, request("fifty"), thing(f"fifty-{n}")) for n in range(50))
    )
    assert len(set(answers)) == 1
    assert await count(database, THING, THING.c.id.like("fifty-%")) == 1
    outbox = chassis_tables(METADATA).outbox
    assert await count(database, outbox, outbox.c.aggregate_id.like("fifty-%")) == 1


async def test_the_same_id_is_another_request_for_another_caller(database: Database) -> None:
    other = Principal(Kind.AGENT, "u-1", "org-idempotency")
    first = await create(database, CALLER, request("shared"), thing("shared-1"))
    second = await create(database, other, request("shared"), thing("shared-2"))
    assert (first.id, second.id) == ("shared-1", "shared-2")


async def test_a_reused_id_with_another_body_or_method_is_refused(database: Database) -> None:
    await create(database, CALLER, request("reused"), thing("reused-1"))
    method = Request.of(job_pb2.PublishJobRequest(request_id="reused"))
    for other in (request("reused", "another title"), method):
        with pytest.raises(InvalidInput) as caught:
            await create(database, CALLER, other, thing("reused-2"))
        assert caught.value.reason == "REQUEST_ID_REUSED"


async def test_what_rolls_back_leaves_no_row_no_event_and_no_answer(database: Database) -> None:
    with pytest.raises(HireflowError):
        await create(database, CALLER, request("rolled"), thing("rolled"), fail=True)
    outbox = chassis_tables(METADATA).outbox
    assert await count(database, outbox, outbox.c.aggregate_id == "rolled") == 0
    assert await count(database, THING, THING.c.id == "rolled") == 0
    again = await create(database, CALLER, request("rolled"), thing("rolled-again"))
    assert again.id == "rolled-again"


@pytest.mark.parametrize("bad", ["", "x" * 129, "new\nline"])
def test_a_request_needs_a_printable_id(bad: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        request(bad)
    assert [each.field for each in caught.value.violations] == ["request_id"]
