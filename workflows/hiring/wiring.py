"""How the parts of hiring come together in a process: API, webhook, routing, missed starts."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from hireflow.contracts.v1 import contract_pb2_grpc
from hireflow.hiring.v1 import hire_pb2, hire_pb2_grpc, operations_pb2, operations_pb2_grpc
from hireflow.jobs.v1 import job_pb2_grpc
from hireflow.proposals.v1 import proposal_pb2_grpc
from services.common.errors import Conflict, Unavailable
from services.common.metrics import read_regularly
from services.common.outbox import Outbox
from services.common.runtime import Part, Resources, Servicer
from services.common.telemetry import get_logger
from workflows.hiring.domain import StripeEvent
from workflows.hiring.figures import HireFigures
from workflows.hiring.neighbours import GrpcNeighbours
from workflows.hiring.operations_servicer import OperationsServicer
from workflows.hiring.servicer import HiringServicer
from workflows.hiring.stories import TemporalStories
from workflows.hiring.use_cases.desk import Desk
from workflows.hiring.use_cases.ports import Hints
from workflows.hiring.use_cases.starting import start_missed
from workflows.hiring.use_cases.stripe_events import route_events, seconds_until_due, store_event
from workflows.hiring.use_cases.unit import EVENTS, Hiring
from workflows.hiring.webhook_server import bind, serving
from workflows.payments import stripe_gateway
from workflows.payments.stripe_gateway import StripeCustomers, StripeIntents, open_client
from workflows.payments.webhook import webhook_app
from workflows.settings import HiringSettings, settings_of
from workflows.temporal import check, connect
from workflows.temporal_metrics import keep_telling

SCHEMA = "hiring"
MIGRATIONS = Path(__file__).parent / "migrations"

_SWEEP_SECONDS = 2.0
_ROUTE_POLL_SECONDS = 5.0
_BACKOFF_SECONDS = 1.0
_log = get_logger(__name__)


def hiring_of(resources: Resources) -> Hiring:
    """Give the schema `hiring` to the use cases; the worker's activities use it as well."""
    return Hiring(resources.database, Outbox(SCHEMA), resources.clock, resources.new_id)


async def build(resources: Resources) -> Part:
    """Build HiringService, its outbox, the webhook, and what makes up for lost starts and hints.

    Raises:
        OSError: the webhook's port is taken.
        ValueError: there is no webhook secret.

    """
    settings = settings_of(resources)
    client = await connect(settings)
    stories = TemporalStories(client, resources.clock)
    stripe = await resources.exits.enter_async_context(
        open_client(settings.stripe_api_key.get_secret_value(), settings.stripe_api_base)
    )
    desk = Desk(
        hiring=hiring_of(resources),
        neighbours=await _neighbours(resources, settings),
        stories=stories,
        customers=StripeCustomers(stripe),
        intents=StripeIntents(stripe),
        policy=settings.hire_policy,
        env=settings.env,
    )
    listening = bind(settings.webhook_listen)
    built = part(desk, stories, settings, resources, listening)
    providers = {"stripe": stripe_gateway.check(settings.stripe_api_base)}
    return replace(built, checks={"temporal": check(client)}, providers=providers)


def part(
    desk: Desk,
    hints: Hints,
    settings: HiringSettings,
    resources: Resources,
    listening: socket.socket,
) -> Part:
    """Put the parts of hiring around a desk; the webhook answers on the socket that it is given."""

    async def store(event: StripeEvent) -> bool:
        return await store_event(desk.hiring, event)

    secret = settings.stripe_webhook_secret.get_secret_value()
    app = webhook_app(secret, store, resources.clock)
    resources.exits.callback(listening.close)
    host, port = listening.getsockname()[:2]
    _log.info("webhook listening", address=f"{host}:{port}")
    hiring = Servicer(
        hire_pb2_grpc.add_HiringServiceServicer_to_server,
        HiringServicer(desk, settings.answer_wait),
        hire_pb2.DESCRIPTOR.services_by_name["HiringService"].full_name,
    )
    operations = Servicer(
        operations_pb2_grpc.add_OperationsServiceServicer_to_server,
        OperationsServicer(desk, settings.answer_wait),
        operations_pb2.DESCRIPTOR.services_by_name["OperationsService"].full_name,
    )
    return Part(
        schema=SCHEMA,
        servicers=(hiring, operations),
        background=(
            serving(app, listening),
            _starting(desk),
            _routing(desk, hints),
            read_regularly("hires", HireFigures(desk.hiring).read, settings.metrics_interval),
            keep_telling,
        ),
    )


async def _neighbours(resources: Resources, settings: HiringSettings) -> GrpcNeighbours:
    return GrpcNeighbours(
        proposals=proposal_pb2_grpc.ProposalsServiceStub(
            await resources.channel(settings.proposals_address)
        ),
        jobs=job_pb2_grpc.JobsServiceStub(await resources.channel(settings.jobs_address)),
        contracts=contract_pb2_grpc.ContractsServiceStub(
            await resources.channel(settings.contracts_address)
        ),
    )


def _starting(desk: Desk) -> Callable[[], Awaitable[None]]:
    async def start_what_was_missed() -> None:
        while True:
            try:
                await start_missed(desk)
            except (Unavailable, Conflict) as error:
                _log.warning("missed starts wait", error=error.message)
            await asyncio.sleep(_SWEEP_SECONDS)

    return start_what_was_missed


def _routing(desk: Desk, hints: Hints) -> Callable[[], Awaitable[None]]:
    async def route_stripe_events() -> None:
        async with desk.hiring.database.listen(EVENTS) as signal:
            while True:
                try:
                    if await route_events(desk.hiring, hints, desk.env):
                        continue
                    pause = await seconds_until_due(desk.hiring, _ROUTE_POLL_SECONDS)
                except (Unavailable, Conflict) as error:
                    _log.warning("stripe events wait", error=error.message)
                    pause = _BACKOFF_SECONDS
                await signal.wait(pause)

    return route_stripe_events
