"""A folder's table page by page: what a page reads, where the next begins, what a token holds."""

import base64
from contextlib import aclosing

from hireflow.proposals.v1 import folder_screening_pb2 as pb
from services.common.auth import Kind, Principal
from services.common.paging import Cursor
from services.proposals.domain import TableFilter, TableOrder
from services.proposals.store import folder_tables
from services.proposals.use_cases import folder_screening
from services.proposals.use_cases.access import as_reader
from services.proposals.use_cases.known_jobs import learn_folder
from tests.integration.proposals.folders import (
    NUMBER,
    TEXT,
    Answer,
    Folder,
    answered,
    some,
)
from tests.integration.proposals.world import statements
from tests.refusals import reason


async def test_however_rare_the_rows_each_page_looks_at_few_and_all_are_found(
    folder: Folder,
) -> None:
    await folder.filled(folder.first, 2500)
    rare = pb.FolderScreeningFilter(
        answers=[
            pb.AnswerCondition(column=NUMBER, range=pb.NumberRange(minimum=2401, maximum=2403))
        ]
    )
    first = await folder.page(folder.request(filter=rare))
    assert (len(first.rows), bool(first.next_page_token)) == (0, True)
    assert len(await folder.rows(filter=rare)) == 3
    by_missing = pb.FolderScreeningOrder(answer=TEXT)
    assert len(await folder.rows(size=200, order=by_missing)) == 2500


async def test_a_condition_on_the_leading_column_bounds_what_is_read(folder: Folder) -> None:
    await folder.filled(folder.first, 1500)
    high = pb.AnswerCondition(column=NUMBER, range=pb.NumberRange(minimum=1499))
    score = pb.CANDIDATE_COLUMN_INTERVIEW_SCORE
    for narrowed, order in (
        (pb.FolderScreeningFilter(answers=[high]), pb.FolderScreeningOrder(answer=NUMBER)),
        (
            pb.FolderScreeningFilter(minimum_interview_score=100),
            pb.FolderScreeningOrder(candidate=score),
        ),
    ):
        page = await folder.page(folder.request(filter=narrowed, order=order))
        assert (bool(page.rows), page.next_page_token) == (True, "")
        assert len(page.rows) == len(await folder.rows(size=100, filter=narrowed))


async def test_a_page_and_the_place_where_the_next_begins_are_of_one_moment(
    folder: Folder,
) -> None:
    """One statement has one view; with two, what came between them is skipped or shown twice."""
    await folder.filled(folder.first, 1100)
    nobody, cursor = TableFilter(country="FR"), Cursor.read(5, "", "x")
    async with folder.world.database.read() as connection:
        known = await folder_tables.find_folder(connection, folder.folder_id)
        assert known is not None
        with statements(connection) as told:
            page = await folder_tables.list_table(connection, known, nobody, TableOrder(), cursor)
    assert (page.items, bool(page.next_token), len(told)) == ((), True, 1)


async def test_a_token_holds_no_answer_and_leads_on_behind_the_longest(folder: Folder) -> None:
    for mark in "abc":
        line = Answer(key="line", text="😀" * 199 + mark)
        await folder.screened(folder.first, 80, Answer(key="years", number=1), line)
    order = pb.FolderScreeningOrder(answer=TEXT)
    rows = await folder.rows(size=1, order=order)
    told = answered("line", "text")
    assert [told(row) for row in rows] == [["😀" * 199 + mark] for mark in "abc"]
    token = (await folder.page(folder.request(page_size=1, order=order))).next_page_token
    assert rows[0].screening_id in base64.b64decode(token + "==", b"-_").decode()
    assert len(token) < 200


async def test_a_token_is_bound_to_caller_filter_and_order_and_a_forged_one_is_named(
    folder: Folder,
) -> None:
    await folder.filled(folder.first, 3)
    token = (await folder.page(folder.request(page_size=1))).next_page_token
    colleague = folder.world.by(Kind.EMPLOYER, folder.first.organisation_id)
    known, by_answer = pb.FolderScreeningFilter, pb.FolderScreeningOrder(answer=NUMBER)
    for caller, changed in (
        (colleague, {}),
        (folder.employer, {"filter": known(country="DE")}),
        (folder.employer, {"filter": known(job_ids=[folder.first.job_id])}),
        (folder.employer, {"order": by_answer}),
    ):
        request = folder.request(page_token=token, **changed)
        assert await reason(folder.page(request, caller)) == "INVALID_FIELDS"
    scope = (Kind.EMPLOYER, folder.employer.id, folder.folder_id, TableFilter(), TableOrder())
    cursor = Cursor.read(1, "", *scope)
    for keys in ((1,), ("s", 1), ("s", "t", 1)):
        forged = folder.request(page_token=cursor.token(keys))
        assert await reason(folder.page(forged)) == "INVALID_FIELDS"


async def test_a_table_that_is_being_exported_ends_whole_whatever_becomes_of_the_folder(
    folder: Folder,
) -> None:
    await some(folder)
    reader = as_reader(Principal(Kind.OPERATOR, "op"))
    tables = folder_screening.every_page(
        folder.world.database,
        reader,
        folder.folder_id,
        Cursor.read(2, ""),
        wanted=TableFilter(),
        order=TableOrder(),
    )
    async with aclosing(tables):
        first = await anext(tables)
        await folder.world.learn(folder.first, folder_id="")
        async with folder.world.database.begin() as tx:
            await learn_folder(tx, folder.folder_id, folder.first.organisation_id, deleted=True)
        rest = [row.screening_id async for table in tables for row in table.page.items]
    assert len({*rest, *(row.screening_id for row in first.page.items)}) == 5
