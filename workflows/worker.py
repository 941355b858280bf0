"""The worker: runs the hire's workflow and its activities."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import temporalio.api.workflowservice.v1 as api
from temporalio import activity
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    Worker,
    WorkerDeploymentConfig,
)

from hireflow.contracts.v1 import contract_pb2_grpc
from hireflow.jobs.v1 import job_pb2_grpc
from hireflow.messaging.v1 import thread_pb2_grpc
from hireflow.proposals.v1 import proposal_pb2_grpc
from services.common.runtime import Part, Resources
from services.common.stop_points import stop_point
from services.common.telemetry import get_logger
from workflows.heartbeats import BEATS_IN_TIMEOUT, Heartbeats
from workflows.hire.activities import HireActivities, Neighbours
from workflows.hire.clean_up import CleanUpWorkflow
from workflows.hire.clean_up_activities import CleanUpActivities
from workflows.hire.contract import TASK_QUEUE
from workflows.hire.operator_activities import OperatorActivities
from workflows.hire.payment_activities import PaymentActivities
from workflows.hire.sandbox import WORKFLOW_RUNNER
from workflows.hire.steps import SILENCE
from workflows.hire.sweep import SweepWorkflow, ensure_schedule
from workflows.hire.workflow import HireWorkflow
from workflows.hiring.figures import Find, count_find
from workflows.hiring.runs import TemporalRuns
from workflows.hiring.stories import TemporalStories
from workflows.hiring.use_cases.abandoned import Sweep
from workflows.hiring.use_cases.unit import Hiring
from workflows.hiring.wiring import hiring_of
from workflows.payments import stripe_gateway
from workflows.payments.late_fact_activities import LateFactActivities
from workflows.payments.late_facts import LateFactWorkflow
from workflows.payments.stripe_gateway import (
    StripeDisputes,
    StripeIntents,
    StripeRefunds,
    open_client,
)
from workflows.settings import HiringSettings, settings_of
from workflows.temporal import check, connect
from workflows.temporal_metrics import keep_telling

DEPLOYMENT = "hireflow"
PROMOTION_TRIES_SECONDS = 1.0
CONNECTION_TRIES_SECONDS = 1.0

log = get_logger(__name__)


async def build(resources: Resources) -> Part:
    """Wire the worker: neighbours' stubs, Stripe, the hire's rows, Temporal."""
    settings = settings_of(resources)
    client = await connect(settings)
    hiring = hiring_of(resources)
    stripe = await resources.exits.enter_async_context(
        open_client(settings.stripe_api_key.get_secret_value(), settings.stripe_api_base)
    )
    neighbours = Neighbours(
        jobs=job_pb2_grpc.JobsServiceStub(await resources.channel(settings.jobs_address)),
        proposals=proposal_pb2_grpc.ProposalsServiceStub(
            await resources.channel(settings.proposals_address)
        ),
        contracts=contract_pb2_grpc.ContractsServiceStub(
            await resources.channel(settings.contracts_address)
        ),
        messaging=thread_pb2_grpc.MessagingServiceStub(
            await resources.channel(settings.messaging_address)
        ),
    )
    activities = _activities(
        hiring,
        neighbours,
        runs=TemporalRuns(client),
        hints=TemporalStories(client, resources.clock),
        how=Sweep(
            settings.env,
            timedelta(seconds=settings.sweep_grace),
            settings.hire_policy.polls,
        ),
        intents=StripeIntents(stripe),
        refunds=StripeRefunds(stripe),
        disputes=StripeDisputes(stripe),
    )

    for find in Find:
        count_find(find, 0)

    async def work() -> None:
        connected = await _connected(settings)
        worker = Worker(
            connected,
            task_queue=TASK_QUEUE,
            workflows=[HireWorkflow, CleanUpWorkflow, SweepWorkflow, LateFactWorkflow],
            activities=activities,
            workflow_runner=WORKFLOW_RUNNER,
            interceptors=[Heartbeats(), StoppableActivities()],
            # Each beat is sent: held back, only two would fit into the silence that is allowed.
            max_heartbeat_throttle_interval=SILENCE / BEATS_IN_TIMEOUT,
            deployment_config=deployment_of(settings),
            # A killed worker's tasks wait this long before another worker may take them.
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
            graceful_shutdown_timeout=timedelta(seconds=settings.shutdown_grace),
        )
        async with worker:
            if settings.promote_build:
                await promote(connected, settings)
            await ensure_schedule(connected, timedelta(seconds=settings.sweep_interval))
            await asyncio.Future()  # until the process is told to stop

    return Part(
        background=(work, keep_telling),
        checks={"temporal": check(client)},
        providers={"stripe": stripe_gateway.check(settings.stripe_api_base)},
    )


def _activities(
    hiring: Hiring,
    neighbours: Neighbours,
    *,
    runs: TemporalRuns,
    hints: TemporalStories,
    how: Sweep,
    intents: StripeIntents,
    refunds: StripeRefunds,
    disputes: StripeDisputes,
) -> list[Callable[..., Any]]:
    contracts = neighbours.contracts
    return [
        *HireActivities(hiring, neighbours).all(),
        *OperatorActivities(hiring, neighbours).all(),
        *PaymentActivities(hiring, intents, refunds).all(),
        *CleanUpActivities(hiring, contracts, runs, hints, how).all(),
        *LateFactActivities(hiring, contracts, intents, refunds, disputes).all(),
    ]


class StoppableActivities(Interceptor):
    """Names the instants before and after each activity, for tests that kill the worker there."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        """Put the stop points around the activities."""
        return _Stoppable(next)


class _Stoppable(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - Temporal's name; any answer
        name = activity.info().activity_type
        await stop_point(f"activity.{name}.before", input.args)
        answer = await super().execute_activity(input)
        await stop_point(f"activity.{name}.after", input.args)
        return answer


async def _connected(settings: HiringSettings) -> Client:
    """Connect, however late Temporal comes; readiness tells meanwhile that it is missing."""
    while True:
        try:
            return await connect(settings, lazy=False)
        except RuntimeError as error:
            log.warning("no worker yet: temporal is not reached", error=str(error))
            await asyncio.sleep(CONNECTION_TRIES_SECONDS)


def deployment_of(settings: HiringSettings) -> WorkerDeploymentConfig:
    """Name this build: a hire that began on a build ends on it."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def promote(client: Client, settings: HiringSettings) -> None:
    """Make this build the one that new hires start on; repeating it changes nothing.

    Where builds are rolled out by hand or by a pipeline, the setting `promote_build` is off.
    """
    request = api.SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=DEPLOYMENT,
        build_id=settings.build_id,
        ignore_missing_task_queues=True,
    )
    while True:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError as error:
            # The server knows a build only after its first poll.
            if error.status not in {RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION}:
                raise
            await asyncio.sleep(PROMOTION_TRIES_SECONDS)
        else:
            log.info("build_promoted", build_id=settings.build_id)
            return
