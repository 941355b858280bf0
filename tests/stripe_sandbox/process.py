"""Runs the sandbox as the process it is, and speaks to its control API."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

READY_SECONDS = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class SandboxProcess:
    """One sandbox on a port and a file of its own; killed by its process id."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        listen = f"127.0.0.1:{self.port}"
        command = [
            "-m",
            "deploy.local.stripe_sandbox",
            "--listen",
            listen,
            "--data",
            str(self.data),
        ]
        self._child = subprocess.Popen([sys.executable, *command])  # noqa: S603 - our own program
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            if self._child.poll() is not None or time.monotonic() > deadline:
                message = f"the sandbox is not ready on {self.base}"
                raise RuntimeError(message)
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, with_signal: signal.Signals) -> None:
        if self._child is not None:
            os.kill(self._child.pid, with_signal)
            self._child.wait(READY_SECONDS)
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
