"""PostgreSQL: the unit of work, reads, notifications, and its failures in business words."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import Any, cast
from weakref import WeakSet

import asyncpg
import sqlalchemy as sa
from opentelemetry.metrics import CallbackOptions, Observation
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from services.common.errors import Conflict, Unavailable
from services.common.listening import Listener, Signal
from services.common.metrics import METER
from services.common.settings import Settings
from services.common.stop_points import stop_point

# Longer than the relay waits for its acknowledgements inside one.
TRANSACTION_TIMEOUT = 20.0
_CONNECT_TIMEOUT = 4.0
_POOL_SIZE, _POOL_OVERFLOW = 5, 5

_SERIALISATION_FAILURE, _DEADLOCK, _UNIQUE_VIOLATION = "40001", "40P01", "23505"
_CONFLICTS = {_SERIALISATION_FAILURE, _DEADLOCK, _UNIQUE_VIOLATION}
# Lost connections, shutdowns, too many connections, timeouts of statement, transaction and lock.
_UNAVAILABLE = ("08", "53", "57", "25P03", "25P04", "55P03", "58")

_POOLS: WeakSet[QueuePool] = WeakSet()


def _connections(_: CallbackOptions) -> Iterable[Observation]:
    used, idle = (sum(map(count, _POOLS)) for count in (QueuePool.checkedout, QueuePool.checkedin))
    yield Observation(used, {"db.client.connection.state": "used"})
    yield Observation(idle, {"db.client.connection.state": "idle"})


def _most_connections(_: CallbackOptions) -> Iterable[Observation]:
    yield Observation(len(_POOLS) * (_POOL_SIZE + _POOL_OVERFLOW))


METER.create_observable_up_down_counter(
    "db.client.connection.count",
    [_connections],
    unit="{connection}",
    description="Connections of the pool by state.",
)
METER.create_observable_up_down_counter(
    "db.client.connection.max",
    [_most_connections],
    unit="{connection}",
    description="Connections that the pool may open.",
)


class Database:
    """The PostgreSQL server of a process, for all its schemas: tables are named with theirs."""

    def __init__(self, engine: AsyncEngine, listener: Listener, application: str) -> None:
        self._engine = engine
        self._application = application
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._listener = listener

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, application: str) -> AsyncIterator["Database"]:
        """Prepare the pool and the listening connection; does not wait for the server."""
        options = _connect_options(settings, application)
        engine = create_async_engine(
            settings.database_url.get_secret_value(),
            pool_size=_POOL_SIZE,
            max_overflow=_POOL_OVERFLOW,
            # A burst waits for its turn; a caller whose own deadline passes first leaves the queue.
            pool_timeout=settings.call_deadline,
            pool_recycle=1800,
            hide_parameters=True,  # an error is logged with its statement, never with people's text
            connect_args=options,
        )

        async def connect() -> asyncpg.Connection:
            # The same address and options that the pool uses, in the driver's own words.
            _, arguments = engine.dialect.create_connect_args(engine.url)
            return await asyncpg.connect(**{**arguments, **options})

        _POOLS.add(cast("QueuePool", engine.pool))
        listener = Listener(connect, settings.retry_pause)
        listening = asyncio.create_task(listener.run(), name="database listener")
        try:
            yield cls(engine, listener, application)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            await engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a unit of work: committed at the end of the block, rolled back by an exception.

        No network inside it: a row may be locked.

        Raises:
            Conflict: another write came first (serialisation failure, deadlock, unique key).
            Unavailable: the server is gone, too busy or too slow.

        """
        with _in_business_words():
            async with self._engine.begin() as transaction:
                yield transaction
                await stop_point("commit.before", self._application)
        await stop_point("commit.after", self._application)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection for reads: each statement by itself, no transaction's round trips.

        Raises:
            Unavailable: the server is gone, too busy or too slow.

        """
        with _in_business_words():
            async with self._reading.connect() as connection:
                yield connection

    def listen(self, channel: str, key: str = "") -> AbstractAsyncContextManager[Signal]:
        """Open a signal that `notify` on the same channel (and key, if given) sets at commit."""
        return self._listener.listen(channel, key)

    async def ping(self) -> None:
        """Ask the server for a sign of life.

        Raises:
            Unavailable: there is none.

        """
        async with self.read() as connection:
            await connection.execute(_SIGN_OF_LIFE)


_SIGN_OF_LIFE = sa.text("SELECT 1")
_NOTIFYING = sa.text("SELECT pg_notify(:channel, :key)")


async def notify(transaction: AsyncConnection, channel: str, key: str = "") -> None:
    """Wake those who listen to the channel with this key or without one, once this commits."""
    await transaction.execute(_NOTIFYING, {"channel": channel, "key": key})


def _connect_options(settings: Settings, application: str) -> dict[str, Any]:
    def milliseconds(seconds: float) -> str:
        return str(int(seconds * 1000))

    return {
        "timeout": _CONNECT_TIMEOUT,
        # Where the server itself hangs or the network swallows the answer.
        "command_timeout": settings.statement_timeout + 1,
        "server_settings": {
            "application_name": f"hireflow-{application}",
            "statement_timeout": milliseconds(settings.statement_timeout),
            "transaction_timeout": milliseconds(TRANSACTION_TIMEOUT),
            "idle_in_transaction_session_timeout": milliseconds(TRANSACTION_TIMEOUT),
            # Planning a compilation costs more than any of our short queries.
            "jit": "off",
        },
    }


@contextmanager
def _in_business_words() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        _raise_for(str(getattr(error.orig, "sqlstate", None) or ""), error)
        if error.connection_invalidated:
            raise _unavailable() from error
        raise
    except asyncpg.PostgresError as error:
        # Met while connecting, before the pool has a connection to wrap the error.
        _raise_for(str(error.sqlstate or ""), error)
        raise
    except (
        PoolTimeout,
        OSError,
        TimeoutError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,  # a session that the server gave up and did not close yet
    ) as error:
        raise _unavailable() from error


def _raise_for(state: str, error: Exception) -> None:
    if state in _CONFLICTS:
        message = "another write came first: read again and repeat the call"
        raise Conflict("CONFLICT", message) from error
    if state.startswith(_UNAVAILABLE):
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    message = "the database does not answer now: repeat the call a little later"
    return Unavailable("DEPENDENCY_UNAVAILABLE", message, metadata={"dependency": "postgres"})
