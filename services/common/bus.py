"""NATS JetStream: one connection per process, kept for ever, and the streams.

Beside the events and the dead letters a small one notes where an outbox was sent anew from its
first event, so that who needs all of them knows whether the stream still has all.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy, StorageType, StreamConfig

from services.common.ending import end_if_told
from services.common.errors import Unavailable
from services.common.settings import Settings
from services.common.telemetry import get_logger

EVENTS, DEAD, FILLED = "HIREFLOW", "HIREFLOW_DEAD", "HIREFLOW_FILLED"
_TIMEOUT = 5
_STREAMS = {EVENTS: "hireflow.>", DEAD: "dead.>", FILLED: "filled.>"}
_log = get_logger(__name__)


class Bus:
    """The event streams, as a process sees them.

    Attributes:
        stream_create_time: when the stream of events was made; a later time than before tells that
            the one before was lost. None until the server has answered once.
        ack_wait: seconds after which events that a consumer took are delivered again.
        heartbeat: seconds between two signs of life that a consumer asks for.
        retry_pause: seconds after which what was lost is tried for again.

    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self.stream_create_time: datetime | None = None
        self.ack_wait = settings.nats_ack_wait
        self.heartbeat = settings.nats_heartbeat
        self.retry_pause = settings.retry_pause
        self._client = client
        self._settings = settings
        self._jetstream = client.jetstream(timeout=_TIMEOUT)
        self._prepared = asyncio.Event()
        self._begun = False

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, application: str) -> AsyncIterator["Bus"]:
        """Begin to connect; does not wait for the server, and never gives up."""
        client = Client()
        bus = cls(client, settings)
        connecting = asyncio.create_task(bus._connect(application), name="bus connect")
        try:
            yield bus
        finally:
            connecting.cancel()
            with suppress(asyncio.CancelledError):
                await connecting
            if bus._begun:
                with suppress(nats.errors.Error, OSError, TimeoutError):
                    await client.close()

    @property
    def client(self) -> Client:
        """The connection itself, for those who have waited for `jetstream`."""
        return self._client

    async def jetstream(self) -> JetStreamContext:
        """Wait until the server has answered once and the streams exist; then open a context."""
        await self._prepared.wait()
        return self._client.jetstream(timeout=_TIMEOUT)

    def require_connection(self) -> None:
        """Fail at once while the server is away, where asking it would take seconds to fail.

        Raises:
            Unavailable: there is no connection now.

        """
        if not (self._client.is_connected and self._prepared.is_set()):
            raise _unavailable()

    async def ping(self) -> None:
        """Ask the server for a sign of life of its streams.

        Raises:
            Unavailable: there is none.

        """
        self.require_connection()
        with _in_business_words():
            try:
                self.stream_create_time = (await self._jetstream.stream_info(EVENTS)).created
            except nats.js.errors.NotFoundError:
                # A server that lost its disk: the streams are made anew; the republishers fill
                # them.
                await self._prepare()

    async def last_sequence(self) -> int:
        """Tell the sequence of the newest event.

        Raises:
            Unavailable: the server does not answer.

        """
        with _in_business_words():
            return (await self._jetstream.stream_info(EVENTS)).state.last_seq

    async def note_filled(self, source: str, sequence: int) -> None:
        """Note that all events of a service's outbox are sent again, from this sequence on.

        Raises:
            Unavailable: the server does not answer.

        """
        with _in_business_words():
            noted = str(sequence).encode()
            await self._jetstream.publish(f"filled.{source}", noted, stream=FILLED)

    async def has_all_of(self, source: str) -> bool:
        """Tell whether the stream has all events of a service, or gets them now.

        It has while it lost nothing since it was made, or since the outbox was sent anew from its
        first event: what is too old or purged goes from the stream's beginning on.

        Raises:
            Unavailable: the server does not answer.

        """
        with _in_business_words():
            first = (await self._jetstream.stream_info(EVENTS)).state.first_seq
            if first <= 1:
                return True
            try:
                noted = await self._jetstream.get_last_msg(FILLED, f"filled.{source}")
            except nats.js.errors.NotFoundError:
                return False
        return int(noted.data or b"0") >= first

    async def heard(self, consumer: str) -> tuple[int, int]:
        """Tell up to which sequence a consumer acknowledged all, and how many events are left.

        One that does not exist has heard nothing.

        Raises:
            Unavailable: the server does not answer.

        """
        with _in_business_words():
            try:
                info = await self._jetstream.consumer_info(EVENTS, consumer)
            except nats.js.errors.NotFoundError:
                return 0, 1
        reached = info.ack_floor.stream_seq if info.ack_floor else 0
        return reached, (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def forget_consumer(self, consumer: str) -> None:
        """Delete a durable consumer of events; one made after it is told every event anew.

        Raises:
            Unavailable: the server does not answer; it may have done so all the same.

        """
        with _in_business_words(), suppress(nats.js.errors.NotFoundError):
            await self._jetstream.delete_consumer(EVENTS, consumer)

    async def _connect(self, application: str) -> None:
        async def tell(error: Exception) -> None:
            _log.warning("nats", error=repr(error))

        async def tell_lost() -> None:
            if not self._client.is_closed:
                _log.warning("nats connection lost")

        self._begun = True
        await self._client.connect(
            self._settings.nats_servers,
            name=f"hireflow-{application}",
            error_cb=tell,
            disconnected_cb=tell_lost,
            max_reconnect_attempts=-1,
            reconnect_time_wait=self.retry_pause,  # type: ignore[arg-type] # it only sleeps so long
            connect_timeout=3,
            ping_interval=10,
            max_outstanding_pings=2,
        )
        while True:
            end_if_told()
            try:
                await self._prepare()
            except (nats.errors.Error, OSError, TimeoutError) as error:
                _log.warning("streams not prepared yet", error=repr(error))
                await asyncio.sleep(self.retry_pause)
            else:
                self._prepared.set()
                return

    async def _prepare(self) -> None:
        for name, subjects in _STREAMS.items():
            config = StreamConfig(
                name=name,
                subjects=[subjects],
                retention=RetentionPolicy.LIMITS,
                storage=StorageType.FILE,
                num_replicas=self._settings.nats_replicas,
                duplicate_window=self._settings.nats_duplicate_window,
                max_age=self._settings.stream_retention,
                allow_direct=True,
            )
            try:
                info = await self._jetstream.add_stream(config)
            except nats.js.errors.BadRequestError:
                # It exists with another configuration, from an older or newer version of us.
                info = await self._jetstream.update_stream(config)
            if name == EVENTS:
                self.stream_create_time = info.created


def source_of(subject: str) -> str:
    """Give the service whose events have this type or match this pattern of subjects."""
    return subject.split(".")[1]


@contextmanager
def _in_business_words() -> Iterator[None]:
    try:
        yield
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    message = "the event stream does not answer now: repeat the call a little later"
    return Unavailable("DEPENDENCY_UNAVAILABLE", message, metadata={"dependency": "nats"})
