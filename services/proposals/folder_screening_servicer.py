"""FolderScreeningService over gRPC."""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.proposals.v1 import folder_screening_pb2 as pb
from hireflow.proposals.v1 import folder_screening_pb2_grpc
from services.common.auth import current_caller
from services.common.database import Database
from services.common.errors import problems
from services.common.paging import LARGEST_SIZE, Cursor
from services.proposals import folder_csv
from services.proposals import folder_screening_wire as wire
from services.proposals.use_cases import folder_screening
from services.proposals.use_cases.access import as_reader

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]


class FolderScreeningServicer(folder_screening_pb2_grpc.FolderScreeningServiceServicer):
    """Answers the calls of FolderScreeningService."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ListFolderScreening(
        self, request: pb.ListFolderScreeningRequest, context: Context
    ) -> pb.ListFolderScreeningResponse:
        """List rows of a folder's table."""
        reader = as_reader(current_caller())
        with problems() as noted:
            noted.require_id("folder_id", request.folder_id)
            wanted = wire.read_filter(request.filter, noted)
            order = wire.read_order(request.order, noted)
        scope = (reader.kind, reader.id, request.folder_id, wanted, order)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        table = await folder_screening.list_table(
            self._database, reader, request.folder_id, cursor, wanted=wanted, order=order
        )
        return pb.ListFolderScreeningResponse(
            columns=wire.column_messages(table.columns.labels),
            rows=[wire.row_message(row, table.columns) for row in table.page.items],
            next_page_token=table.page.next_token,
        )

    async def ExportFolderScreening(
        self, request: pb.ExportFolderScreeningRequest, context: Context
    ) -> AsyncIterator[pb.ExportFolderScreeningResponse]:
        """Stream a folder's table as CSV."""
        reader = as_reader(current_caller())
        with problems() as noted:
            noted.require_id("folder_id", request.folder_id)
            wanted = wire.read_filter(request.filter, noted)
            order = wire.read_order(request.order, noted)
        pages = folder_screening.every_page(
            self._database,
            reader,
            request.folder_id,
            Cursor.read(LARGEST_SIZE, ""),
            wanted=wanted,
            order=order,
        )
        begun = False
        async with aclosing(pages) as tables:
            async for table in tables:
                heading = b"" if begun else folder_csv.headings(table.columns)
                begun = True
                written = heading + folder_csv.lines(table.columns, table.page.items)
                for chunk in folder_csv.chunks(written):
                    yield pb.ExportFolderScreeningResponse(chunk=chunk)
