"""What employers see of a folder: its table of candidates, by pages or whole."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import require_reader
from services.common.database import Database
from services.common.errors import NotFound
from services.common.paging import Cursor, Page
from services.proposals.domain import Columns, TableFilter, TableOrder, TableRow
from services.proposals.store import folder_tables
from services.proposals.store.folder_tables import Folder
from services.proposals.use_cases.access import Reader


@dataclass(frozen=True, slots=True)
class Table:
    """The columns with their headings, and some of the rows."""

    columns: Columns
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
    async with database.read() as connection:
        folder = await _folder(connection, reader, folder_id)
        page = await folder_tables.list_table(connection, folder, wanted, order, cursor)
        # After the rows, so that no row's plan is missing.
        plans = await folder_tables.plans_of(connection, folder.job_ids)
    return Table(Columns.of(plans), page)


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
    make one table. Its columns are those of the first page, its jobs those that the folder has at
    the beginning: whatever becomes of the folder, the table ends whole. Raises NotFound as
    `list_table` does.
    """
    async with database.read() as connection:
        folder = await _folder(connection, reader, folder_id)
    columns: Columns | None = None
    cursor = first
    while True:
        async with database.read() as connection:
            page = await folder_tables.list_table(connection, folder, wanted, order, cursor)
            if columns is None or not columns.know(page.items):
                now = Columns.of(await folder_tables.plans_of(connection, folder.job_ids))
                columns = now if columns is None else replace(now, labels=columns.labels)
        yield Table(columns, page)
        if not page.next_token:
            return
        cursor = cursor.following(page.next_token)


async def _folder(connection: AsyncConnection, reader: Reader, folder_id: str) -> Folder:
    folder = await folder_tables.find_folder(connection, folder_id)
    if folder is None:
        raise NotFound("folder", folder_id)
    require_reader(reader, folder.organisation_id, "folder", folder_id)
    return folder
