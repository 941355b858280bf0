"""A process: its resources, its parts, and their life from start to graceful stop."""

import asyncio
import inspect
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import grpc.aio

from services.common import metrics, telemetry
from services.common.bus import Bus
from services.common.catching_up import CatchingUp
from services.common.client import open_channel
from services.common.consumer import Consumer
from services.common.database import Database
from services.common.events_servicer import events_service
from services.common.inbox import Subscription
from services.common.lag import ConsumerLag, OutboxLag
from services.common.outbox import Relay
from services.common.pruning import Pruner
from services.common.readiness import Check, OwnFacts, Readiness
from services.common.republishing import Republisher
from services.common.server import Server, Servicer, serve
from services.common.settings import Settings
from services.common.stop_points import STOP_POINTS
from services.common.tokens import ServiceIdentity, Verifier

__all__ = ["Part", "Process", "Resources", "Servicer", "run", "running"]

Clock = Callable[[], datetime]
_FIRST_RESTART, _LAST_RESTART = 0.5, 30.0
_STEADY = 60.0
_log = telemetry.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Resources:
    """What a process has and its parts share; opened in one stack and closed in reverse.

    `exits` closes what a part opens for itself, before the resources it is made of.
    """

    settings: Settings
    database: Database
    bus: Bus
    verifier: Verifier
    identity: ServiceIdentity
    clock: Clock
    new_id: Callable[[], str]
    exits: AsyncExitStack

    async def channel(self, address: str) -> grpc.aio.Channel:
        """Open a channel to a neighbour for the life of the process."""
        channel = open_channel(self.settings, self.identity, address)
        return await self.exits.enter_async_context(channel)


@dataclass(frozen=True, slots=True)
class Part:
    """One service, or one worker, as a process runs it.

    Attributes:
        schema: its database schema; its outbox is relayed and pruned, and operators are served.
            Empty: it has none.
        servicers: what it serves over gRPC, if anything.
        subscriptions: what it consumes into its schema.
        background: tasks that run as long as the process; one that ends is started again.
        checks: further dependencies by name; each raises while it is down.
        providers: third parties by name; while one is away the process as a whole is NOT_SERVING,
            and its services go on with what needs none.

    """

    schema: str = ""
    servicers: tuple[Servicer, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    background: tuple[Callable[[], Awaitable[None]], ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    providers: Mapping[str, Check] = field(default_factory=dict)


Build = Callable[[Resources], Part | Awaitable[Part]]


class Process:
    """A running process, as its tests see it."""

    def __init__(
        self, server: Server, metrics_address: str, resources: Resources, readiness: Readiness
    ) -> None:
        self.address = server.address
        self.metrics_address = metrics_address
        self.resources = resources
        self._readiness = readiness

    async def ready(self, timeout: float = 30.0) -> None:
        """Wait until every dependency answers and health is SERVING.

        Raises:
            TimeoutError: it did not come to that in time.

        """
        async with asyncio.timeout(timeout):
            await self._readiness.serving.wait()


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def random_id() -> str:
    """Make an id that nothing else has."""
    return str(uuid4())


@asynccontextmanager
async def running(
    settings: Settings,
    process: str,
    builds: Sequence[Build],
    *,
    clock: Clock = utc_now,
    new_id: Callable[[], str] = random_id,
) -> AsyncIterator[Process]:
    """Run parts in one process, on one port, while in the block; stop gracefully at its end.

    Does not wait for PostgreSQL, NATS or the keys: health says NOT_SERVING until all answer, and
    again when one is lost.

    Raises:
        OSError: the port is taken.

    """
    telemetry.configure(settings, process)
    metrics.configure(settings, process)
    STOP_POINTS.folder = settings.stop_points
    async with AsyncExitStack() as stack:
        stack.callback(telemetry.flush)
        metrics_address = await stack.enter_async_context(metrics.served(settings))
        resources = await _open(stack, settings, process, clock, new_id)
        parts = [await _built(build, resources) for build in builds]
        servicers = [servicer for part in parts for servicer in part.servicers]
        servicers += _events(resources, parts)
        # Entered before the server, so that it stops serving first and consuming afterwards.
        await stack.enter_async_context(_supervised(_tasks(resources, parts)))
        server = await stack.enter_async_context(serve(settings, resources.verifier, servicers))
        providers = {name: each for part in parts for name, each in part.providers.items()}
        checks = _checks(resources, parts)
        facts = _own_facts(resources, parts)
        readiness = Readiness(server, checks, providers, facts, settings.check_interval)
        await stack.enter_async_context(_supervised([readiness.run]))
        yield Process(server, metrics_address, resources, readiness)


async def run(settings: Settings, process: str, builds: Sequence[Build]) -> None:
    """Run parts in one process until SIGTERM or SIGINT, then stop gracefully.

    Raises:
        OSError: the port is taken.

    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, process, builds):
        await stop.wait()
        _log.info("stopping")


async def _open(
    stack: AsyncExitStack,
    settings: Settings,
    process: str,
    clock: Clock,
    new_id: Callable[[], str],
) -> Resources:
    database = await stack.enter_async_context(Database.open(settings, process))
    bus = await stack.enter_async_context(Bus.open(settings, process))
    return Resources(
        settings=settings,
        database=database,
        bus=bus,
        verifier=Verifier(settings),
        identity=ServiceIdentity(settings, process, clock),
        clock=clock,
        new_id=new_id,
        exits=await stack.enter_async_context(AsyncExitStack()),
    )


async def _built(build: Build, resources: Resources) -> Part:
    part = build(resources)
    return await part if inspect.isawaitable(part) else part


def _events(resources: Resources, parts: Sequence[Part]) -> list[Servicer]:
    heard = {part.schema: part.subscriptions for part in parts if part.schema}
    return [events_service(resources.database, resources.bus, heard)] if heard else []


def _tasks(resources: Resources, parts: Sequence[Part]) -> list[Callable[[], Awaitable[None]]]:
    tasks: list[Callable[[], Awaitable[None]]] = []
    for part in parts:
        database, bus, schema = resources.database, resources.bus, part.schema
        if schema:
            tasks.append(Relay(database, bus, schema).run)
            tasks.append(Republisher(database, bus, schema).run)
            tasks.append(Pruner(database, schema, resources.settings).run)
        tasks.extend(Consumer(database, bus, schema, each).run for each in part.subscriptions)
        tasks.extend(_readings(resources, part))
        tasks.extend(part.background)
    return tasks


def _readings(resources: Resources, part: Part) -> list[Callable[[], Awaitable[None]]]:
    database, bus, schema = resources.database, resources.bus, part.schema
    every = resources.settings.metrics_interval
    if not schema:
        return []
    tasks = [metrics.read_regularly(f"outbox {schema}", OutboxLag(database, schema).read, every)]
    for subscription in part.subscriptions:
        lag, name = ConsumerLag(database, bus, schema, subscription), subscription.consumer
        tasks.append(metrics.read_regularly(f"stream {name}", lag.read_stream, every))
        tasks.append(metrics.read_regularly(f"inbox {name}", lag.read_inbox, every))
    return tasks


def _checks(resources: Resources, parts: Sequence[Part]) -> dict[str, Check]:
    checks: dict[str, Check] = {
        "postgres": resources.database.ping,
        "nats": resources.bus.ping,
        "auth_keys": resources.verifier.ping,
    }
    for part in parts:
        checks |= part.checks
    return checks


def _own_facts(resources: Resources, parts: Sequence[Part]) -> dict[str, OwnFacts]:
    facts = {}
    for part in parts:
        if any(each.read_model for each in part.subscriptions):
            of_part = (resources.database, resources.bus, part.schema, part.subscriptions)
            names = tuple(servicer.name for servicer in part.servicers)
            facts[f"read models of {part.schema}"] = OwnFacts(CatchingUp(*of_part).check, names)
    return facts


@asynccontextmanager
async def _supervised(tasks: Sequence[Callable[[], Awaitable[None]]]) -> AsyncIterator[None]:
    running_tasks = [asyncio.create_task(_kept_alive(task)) for task in tasks]
    try:
        yield
    finally:
        for task in running_tasks:
            task.cancel()
        await asyncio.gather(*running_tasks, return_exceptions=True)


async def _kept_alive(task: Callable[[], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    name = getattr(task, "__qualname__", repr(task))
    backoff = _FIRST_RESTART
    while True:
        started = loop.time()
        try:
            await task()
            _log.error("background task ended", task=name, restart_in=backoff)
        except Exception:  # noqa: BLE001 - a defect anywhere in it: told, and the rest goes on
            _log.exception("background task failed", task=name, restart_in=backoff)
        if loop.time() - started > _STEADY:
            backoff = _FIRST_RESTART
        await asyncio.sleep(backoff)
        backoff = min(backoff * 2, _LAST_RESTART)
