"""MessagingService as a process of its own, which a test may kill."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import psutil
from sqlalchemy.engine import make_url

from deploy.local.failure import NotReady
from deploy.local.forking import Forked, ForkServer, PythonProgram
from deploy.local.ports import choose_free
from deploy.local.readiness import grpc_serves
from services.common.settings import Settings

SECONDS = 90.0
PROGRAM = PythonProgram("services", ("messaging",))


class Apart:
    """The process, on a port that it keeps through its restarts."""

    def __init__(self, settings: Settings, log: Path, forks: ForkServer) -> None:
        self.address = f"127.0.0.1:{choose_free()}"
        self._database_port = make_url(settings.database_url.get_secret_value()).port
        self._log = log
        self._environment = {
            "HIREFLOW_ENV": "test",
            "HIREFLOW_DATABASE_URL": settings.database_url.get_secret_value(),
            "HIREFLOW_NATS_URL": settings.nats_url.get_secret_value(),
            "HIREFLOW_AUTH_KEYS": settings.auth_keys,
            "HIREFLOW_AUTH_SIGNING_KEY_FILE": str(settings.auth_signing_key_file),
            "HIREFLOW_LISTEN": self.address,
            "HIREFLOW_LOG_LEVEL": "WARNING",
        }
        self._forks = forks
        self._child: Forked | None = None

    async def start(self) -> None:
        """Start it and wait until it serves."""
        environment = {**os.environ, **self._environment}
        self._child = await self._forks.start(PROGRAM, environment, self._log.parent, self._log)
        async with asyncio.timeout(SECONDS):
            while not await self._serves():
                assert self._child.returncode is None, self._log.read_text()
                await asyncio.sleep(0.1)  # between two looks

    async def kill(self) -> None:
        """Kill -9, if it runs."""
        if self._child is not None and self._child.returncode is None:
            self._child.kill()
            await self._child.wait()

    def memory(self) -> int:
        """How many bytes it has resident."""
        return int(self._process.memory_info().rss)

    def database_connections(self) -> int:
        """How many connections to PostgreSQL it has open."""
        open_now = self._process.net_connections(kind="tcp")
        return sum(bool(each.raddr) and each.raddr.port == self._database_port for each in open_now)

    @property
    def _process(self) -> psutil.Process:
        assert self._child is not None
        return psutil.Process(self._child.pid)

    async def _serves(self) -> bool:
        try:
            await grpc_serves(self.address)()
        except NotReady:
            return False
        return True


@asynccontextmanager
async def apart(settings: Settings, log: Path, forks: ForkServer) -> AsyncIterator[Apart]:
    """The service as a process, from the beginning of the block to its end."""
    process = Apart(settings, log, forks)
    try:
        await process.start()
        yield process
    finally:
        await process.kill()


@asynccontextmanager
async def channels(address: str, count: int) -> AsyncIterator[list[grpc.aio.Channel]]:
    """So many connections to one address, which do not share one underneath."""
    own = [("grpc.use_local_subchannel_pool", 1)]
    opened = [grpc.aio.insecure_channel(address, options=own) for _ in range(count)]
    try:
        yield opened
    finally:
        for channel in opened:
            await channel.close()
