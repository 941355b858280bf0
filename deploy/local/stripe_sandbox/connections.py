"""Cutting a client's connection: what a broken network does after Stripe has committed."""

import asyncio
from typing import ClassVar

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol


class CuttableProtocol(H11Protocol):
    """uvicorn's protocol that remembers its transports by the client's address."""

    open: ClassVar[dict[tuple[str, int], asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        """Remember the connection."""
        super().connection_made(transport)
        self.open[transport.get_extra_info("peername")[:2]] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.open.pop(self.transport.get_extra_info("peername")[:2], None)
        super().connection_lost(exc)


def drop(request: Request) -> None:
    """Cut the connection of a request without an answer."""
    if request.client is not None:
        transport = CuttableProtocol.open.get((request.client.host, request.client.port))
        if transport is not None:
            transport.abort()
