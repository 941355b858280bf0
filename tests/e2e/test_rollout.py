"""A new version of a service comes in under load, beside the old one, and no call fails."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
from google.protobuf.unknown_fields import UnknownFieldSet
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.client import Client

from deploy.local.forking import ForkServer, PythonProgram
from deploy.local.journey import Caller, new_id
from deploy.local.ports import choose_free
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2, job_pb2_grpc
from tests.e2e.conftest import Hire, System
from tests.e2e.next_version import ADDED_FIELD_NUMBER, NextVersion
from tests.waiting import until
from workflows.worker import DEPLOYMENT

JOBS = job_pb2.DESCRIPTOR.services_by_name["JobsService"].full_name
# As a load balancer does: calls go round the servers whose health is SERVING, and a call that
# certainly was not begun is sent to another.
BALANCED = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": JOBS},
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)


def cost_centre_of(job: job_pb2.Job) -> str:
    """What a client of the old version keeps of a field that only the new version knows."""
    unknown = UnknownFieldSet(job)
    kept = {unknown[i].field_number: unknown[i].data for i in range(len(unknown))}
    return bytes(kept.get(ADDED_FIELD_NUMBER, b"")).decode()


@asynccontextmanager
async def worker_of_build(
    system: System, forks: ForkServer, name: str, folder: Path
) -> AsyncIterator[None]:
    """A worker of another build beside the stack's; serving, so its build is the current one."""
    listen = f"127.0.0.1:{choose_free()}"
    build = {"HIREFLOW_BUILD_ID": name, "HIREFLOW_LISTEN": listen}
    environment = system.stack.environment("worker") | build
    client = await Client.connect(system.stack.addresses.temporal_address)
    worker = PythonProgram("workflows", ("worker",))
    process = await forks.start(worker, environment, folder, folder / "log")
    try:
        await until_current(client, name)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)


async def until_current(client: Client, name: str) -> None:
    async def held() -> bool:
        return await current_build(client) == name

    await until(held)


async def current_build(client: Client) -> str:
    request = DescribeWorkerDeploymentRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT
    )
    answer = await client.workflow_service.describe_worker_deployment(request)
    routing = answer.worker_deployment_info.routing_config
    return routing.current_deployment_version.build_id


async def build_of(system: System, hire: Hire) -> str:
    """The build that ran a hire's workflow."""
    client = await Client.connect(system.stack.addresses.temporal_address)
    told = await client.get_workflow_handle(hire.workflow_id).describe()
    info = told.raw_description.workflow_execution_info.versioning_info
    return info.deployment_version.build_id


class Load:
    """Callers that create jobs and read them back, over and over."""

    def __init__(self, jobs: "job_pb2_grpc.JobsServiceAsyncStub", employer: Caller) -> None:
        self._jobs = jobs
        self._employer = employer
        self.created: dict[str, str] = {}
        self.failed: list[str] = []
        self.old = 0
        self.new = 0

    @asynccontextmanager
    async def running(self, callers: int) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._call_for_ever()) for _ in range(callers)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def until(self, *, old: int = 0, new: int = 0) -> None:
        """Until the versions have given so many more answers."""
        old, new = self.old + old, self.new + new
        await until(lambda: self.old >= old and self.new >= new, 90)

    async def _call_for_ever(self) -> None:
        while True:
            try:
                await self._create_and_read()
            except grpc.aio.AioRpcError as error:
                self.failed.append(f"{error.code().name}: {error.details()}")
            await asyncio.sleep(0.4)  # leaves cores to the processes that start meanwhile

    async def _create_and_read(self) -> None:
        request_id = new_id()
        request = job_pb2.CreateJobRequest(request_id=request_id, job=job_pb2.Job(title="A job"))
        # Sent twice: the two versions must agree that it is one.
        first = (await self._employer.call(self._jobs.CreateJob, request)).job
        again = (await self._employer.call(self._jobs.CreateJob, request)).job
        if first.job_id != again.job_id:
            self.failed.append(f"{request_id} made two jobs")
        self.created[request_id] = first.job_id
        read = job_pb2.GetJobRequest(job_id=first.job_id)
        for answer in (first, again, (await self._employer.call(self._jobs.GetJob, read)).job):
            if cost_centre_of(answer):
                self.new += 1
            else:
                self.old += 1


async def test_a_migration_and_a_proto_change_are_rolled_out_under_load_without_a_failed_call(
    system: System, tmp_path: Path
) -> None:
    stack = system.stack
    version = await asyncio.to_thread(NextVersion.of_jobs, tmp_path / "next")
    await version.prepare()
    beside = f"127.0.0.1:{choose_free()}"
    target = f"ipv4:{stack.addresses.jobs},{beside}"
    options = [
        ("grpc.service_config", BALANCED),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 500),
    ]
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        employer = system.caller("employer", organisation=f"org-{new_id()}")
        load = Load(job_pb2_grpc.JobsServiceStub(channel), employer)
        async with load.running(callers=4):
            await load.until(old=30)
            await version.migrate(stack.environment("jobs"))
            await load.until(old=30)
            environment = {**stack.environment("jobs"), "HIREFLOW_LISTEN": beside}
            async with version.serving(environment):
                await load.until(old=30, new=30)
                await stack.stop("jobs")
                await load.until(new=30)
                # And back again: the old version over the new one's table.
                await stack.start("jobs")
                await load.until(old=30, new=30)
            await load.until(old=30)
    assert load.failed == []
    assert len(set(load.created.values())) == len(load.created)


async def test_a_new_build_of_the_worker_takes_the_new_hires_and_leaves_the_old_to_theirs(
    system: System, forks: ForkServer, tmp_path: Path
) -> None:
    """Real processes; what a changed story does is `tests/workflows/test_rollout.py`."""
    stack = system.stack
    waiting = await system.proposed("pm_card_authenticationRequired")
    before = await waiting.start(await waiting.start_request())
    assert before.hire.waiting_for == hire_pb2.HIRE_WAITING_FOR_CLIENT_CONFIRMATION
    async with worker_of_build(system, forks, "next", tmp_path):
        journey = await system.proposed("pm_card_visa")
        after = await journey.start(await journey.start_request())
        ended = await system.ended(journey, after.hire.hire_id)
        assert ended.state == hire_pb2.HIRE_STATE_HIRED
        assert await build_of(system, ended) == "next"
        await system.browser.authenticate(before.client_secret)
        ended = await system.ended(waiting, before.hire.hire_id)
        assert ended.state == hire_pb2.HIRE_STATE_HIRED
        assert await build_of(system, ended) == "development"
    # The first build is made the current one again when its worker starts: a roll-back.
    await stack.restart("worker")
    await until_current(await Client.connect(stack.addresses.temporal_address), "development")
    journey = await system.proposed("pm_card_visa")
    back = await journey.start(await journey.start_request())
    assert await build_of(system, await system.ended(journey, back.hire.hire_id)) == "development"
