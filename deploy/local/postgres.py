"""PostgreSQL from a wheel's binaries: cluster, settings, role and database.

PostgreSQL refuses to run as root. Started by root, as in many containers, it runs inside a user
namespace in which root is an ordinary user: no account is made and no folder is opened.
"""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, create_subprocess_exec
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from deploy.local import binaries
from deploy.local.data_dir import DataDir, write_private
from deploy.local.failure import NotReady, StackFailure
from deploy.local.launch import LAUNCHER
from deploy.local.ports import HOST
from deploy.local.process import ProcessSpec, is_alive

DATABASE = "hireflow"
ROLE = "hireflow"
_ADMIN = "postgres"
_SETTINGS = {
    "listen_addresses": HOST,
    # TCP only: a socket's path is limited to 107 bytes, a data directory's is not.
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    # A killed server then leaves its segments in the data directory, not in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "idle_in_transaction_session_timeout": "60s",
}


def specify(data: DataDir, port: int, environment: Mapping[str, str]) -> ProcessSpec:
    """Describe the PostgreSQL server of this data directory."""
    cluster = data.root / "postgres"
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]

    async def prepare() -> None:
        if not cluster.exists():
            await _make_cluster(data, cluster, environment)
        _forget_dead_postmaster(cluster)

    return ProcessSpec(
        name="postgres",
        command=[
            str(binaries.postgres("postgres")),
            *("-D", str(cluster), "-p", str(port)),
            *settings,
        ],
        before_launcher=as_ordinary_user(),
        environment=lambda: environment,
        addresses={"postgres": f"{HOST}:{port}"},
        prepare=prepare,
        ready=lambda: _accepts(data, port),
        settle=lambda: _make_database(data, port),
        # "Fast" shutdown; SIGTERM would wait for every client to leave.
        stop_signal=signal.SIGINT,
    )


def url(data: DataDir, port: int) -> str:
    """Give the services' database address, for SQLAlchemy on asyncpg; it holds the password."""
    password = data.secret("postgres_password")
    return f"postgresql+asyncpg://{ROLE}:{password}@{HOST}:{port}/{DATABASE}"


def as_ordinary_user() -> Sequence[str]:
    """Give the words to put before a PostgreSQL program: none unless this user is root.

    Raises:
        StackFailure: this is root and `unshare` is missing.

    """
    if os.geteuid() != 0:
        return ()
    unshare = shutil.which("unshare")
    if unshare is None:
        raise StackFailure(
            "PostgreSQL refuses to run as root and `unshare` (util-linux) is missing: "
            "run this as an ordinary user."
        )
    return (unshare, "-U", "--map-user=1000", "--map-group=1000")


async def _make_cluster(data: DataDir, cluster: Path, environment: Mapping[str, str]) -> None:
    fresh = data.root / "postgres.new"
    # What an interrupted first start left: the real folder appears only when it is complete.
    shutil.rmtree(fresh, ignore_errors=True)
    password_file = data.root / ".initdb-password"
    write_private(password_file, data.secret("postgres_admin_password"))
    initdb = [
        *as_ordinary_user(),
        *LAUNCHER,
        str(os.getpid()),
        str(binaries.postgres("initdb")),
        *("-D", str(fresh), "-U", _ADMIN, f"--pwfile={password_file}"),
        *("--auth=scram-sha-256", "--encoding=UTF8"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
    ]
    process = await create_subprocess_exec(
        *initdb, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=dict(environment)
    )
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    finally:
        password_file.unlink()
    if process.returncode != 0:
        raise StackFailure(_why_no_cluster(said.decode(errors="replace").strip()))
    fresh.rename(cluster)


def _why_no_cluster(said: str) -> str:
    if "unshare" in said:
        return (
            "PostgreSQL refuses to run as root, and this machine forbids user namespaces "
            f"({said.splitlines()[-1]}): run this as an ordinary user."
        )
    return f"PostgreSQL's data could not be initialised:\n{said}"


def _forget_dead_postmaster(cluster: Path) -> None:
    """Remove the pid file of a killed server.

    PostgreSQL only asks whether the recorded pid exists. It then takes for itself a stranger who
    was given the pid, as happens after a container's restart, or its own remains, which stay
    where nobody reaps orphans. The data directory's lock is held: no other supervisor's server
    is meant.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    first, *_ = pid_file.read_text().splitlines() or [""]
    try:
        recorded = psutil.Process(int(first))
        runs = recorded.name() == "postgres" and is_alive(recorded)
    except (ValueError, psutil.NoSuchProcess):
        runs = False
    if not runs:
        pid_file.unlink()


async def _accepts(data: DataDir, port: int) -> None:
    import asyncpg  # noqa: PLC0415 - imported late

    try:
        connection = await asyncpg.connect(
            host=HOST,
            port=port,
            user=_ADMIN,
            password=data.secret("postgres_admin_password"),
            database=_ADMIN,
            timeout=2,
            ssl=False,
        )
    except asyncpg.CannotConnectNowError as error:
        raise NotReady(str(error)) from error
    except asyncpg.InvalidPasswordError as error:
        raise StackFailure(
            f"PostgreSQL on port {port} does not know the password in {data.secrets_file}."
        ) from error
    except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
        raise NotReady(f"no connection ({error})") from error
    await connection.close()


async def _make_database(data: DataDir, port: int) -> None:
    import asyncpg  # noqa: PLC0415 - imported late, as above

    connection = await asyncpg.connect(
        host=HOST,
        port=port,
        user=_ADMIN,
        password=data.secret("postgres_admin_password"),
        database=_ADMIN,
        ssl=False,
    )
    try:
        password = data.secret("postgres_password")
        # CREATEDB: a test run makes databases of its own beside the stack's.
        for statement, exists in (
            (
                f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}'",
                asyncpg.DuplicateObjectError,
            ),
            (f"CREATE DATABASE {DATABASE} OWNER {ROLE}", asyncpg.DuplicateDatabaseError),
        ):
            try:
                await connection.execute(statement)
            except exists:
                continue
    finally:
        await connection.close()
