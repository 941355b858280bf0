"""The webhook's own HTTP server, beside gRPC in the same process."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

_GRACE_SECONDS = 5


class _Server(uvicorn.Server):
    """A server that leaves signals to the process around it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: the process stops all its parts in order."""
        yield


def bind(address: str) -> socket.socket:
    """Take the port at once, so that a taken one stops the process with a sentence.

    Raises:
        OSError: the port is taken.

    """
    host, _, port = address.rpartition(":")
    try:
        return socket.create_server((host, int(port)), backlog=128)
    except OSError as error:
        raise OSError(f"cannot listen on {address}: is the port taken?") from error


def serving(app: Starlette, listening: socket.socket) -> Callable[[], Awaitable[None]]:
    """Build the background task that serves the application until it is cancelled."""

    async def serve() -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        server = _Server(config)
        # A server closes the socket it was given; a restarted task needs it again.
        running = asyncio.create_task(server.serve(sockets=[listening.dup()]))
        try:
            await asyncio.shield(running)
        finally:
            server.should_exit = True
            await running

    return serve
