"""Runs the sandbox as the process it is, and speaks to its control API."""

import asyncio
import signal
import socket
import ssl
from pathlib import Path
from typing import Any

import httpx

from deploy.local.applications import inherited_environment
from deploy.local.forking import Forked, ForkServer, PythonProgram

READY_SECONDS = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class SandboxProcess:
    """One sandbox on a port and a file of its own; ended by its process alone."""

    def __init__(self, data: Path, forks: ForkServer) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._forks = forks
        self._program = PythonProgram(
            "deploy.local.stripe_sandbox",
            ("--listen", f"127.0.0.1:{self.port}", "--data", str(data)),
        )
        self._log = data.parent.with_name(f"{data.stem}-{self.port}.log")
        self._child: Forked | None = None

    async def start(self) -> None:
        environment, folder = inherited_environment(), self._log.parent
        child = await self._forks.start(self._program, environment, folder, self._log)
        self._child = child
        async with asyncio.timeout(READY_SECONDS):
            while not await asyncio.to_thread(self._ready):
                assert child.returncode is None, self._log.read_text()
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """Kill -9."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def _end(self, with_signal: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(with_signal)
            await asyncio.wait_for(self._child.wait(), READY_SECONDS)
            self._child = None

    def _ready(self) -> bool:
        # Of plain HTTP no certificate is asked: loading the usual ones costs as much as ten probes.
        none = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            found = httpx.get(f"{self.base}/_sandbox/health", verify=none, trust_env=False)
        except httpx.TransportError:
            return False
        return found.status_code == 200


class Control:
    """The control API, each verb answering its JSON; other than 2xx fails the test."""

    def __init__(self, base: str) -> None:
        self.http = httpx.AsyncClient(
            base_url=f"{base}/_sandbox", trust_env=False, timeout=httpx.Timeout(30)
        )

    async def post(self, path: str, /, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(path, json=body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def get(self, path: str, /, **query: Any) -> dict[str, Any]:
        answer = await self.http.get(path, params=query)
        assert answer.is_success, f"{path} {query}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    async def held(self, operation: str = "*") -> dict[str, Any]:
        """Wait until a request of this operation is held."""
        found: dict[str, Any] = (await self.get("/wait/hold", operation=operation))["holds"][0]
        return found

    async def release(self, hold: dict[str, Any]) -> None:
        await self.post(f"/holds/{hold['id']}/release")
