"""What employers see of a folder: its table of candidates, by pages or whole."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass

from services.common.auth import require_reader
from services.common.database import Database
from services.common.errors import NotFound
from services.common.paging import Cursor, Page
from services.proposals.domain import (
    AnswerColumn,
    ScreeningPlan,
    TableFilter,
    TableOrder,
    TableRow,
    columns_of,
)
from services.proposals.store import folder_tables, jobs
from services.proposals.use_cases.access import Reader


@dataclass(frozen=True, slots=True)
class Table:
    """The columns with their headings, and some of the rows."""

    columns: Mapping[AnswerColumn, str]
    page: Page[TableRow]


async def list_table(
    database: Database,
    reader: Reader,
    folder_id: str,
    cursor: Cursor,
    *,
    wanted: TableFilter,
    order: TableOrder,
) -> Table:
    """Read a page of a folder's table.

    Raises NotFound when the folder is unknown, not yet told of, deleted, or another organisation's.
    """
    plans = await _plans(database, reader, folder_id)
    async with database.read() as connection:
        page = await folder_tables.list_table(connection, folder_id, wanted, order, cursor)
    return Table(_columns(plans, page), page)


async def every_page(
    database: Database,
    reader: Reader,
    folder_id: str,
    first: Cursor,
    *,
    wanted: TableFilter,
    order: TableOrder,
) -> AsyncGenerator[Table, None]:
    """Read a folder's whole table page by page; no connection is held between them.

    A complete screening changes no more and one that comes meanwhile is in or not, so the pages
    make one table. Its columns are those of the first page. Raises NotFound as `list_table` does.
    """
    plans = await _plans(database, reader, folder_id)
    columns: Mapping[AnswerColumn, str] = {}
    cursor = first
    while True:
        async with database.read() as connection:
            page = await folder_tables.list_table(connection, folder_id, wanted, order, cursor)
        columns = columns or _columns(plans, page)
        yield Table(columns, page)
        if not page.next_token:
            return
        cursor = cursor.following(page.next_token)


def _columns(plans: Iterable[ScreeningPlan], page: Page[TableRow]) -> Mapping[AnswerColumn, str]:
    # The page's own too: a job may have come into the folder since its plans were read.
    return columns_of([*plans, *(row.plan for row in page.items)])


async def _plans(database: Database, reader: Reader, folder_id: str) -> list[ScreeningPlan]:
    async with database.read() as connection:
        organisation_id = await jobs.find_folder(connection, folder_id)
        if organisation_id is None:
            raise NotFound("folder", folder_id)
        require_reader(reader, organisation_id, "folder", folder_id)
        return await folder_tables.plans_of(connection, folder_id)
