import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from tests.conftest import Infrastructure
from tests.workflows.scripted import ScriptedActivities
from workflows.hire.contract import (
    HireInput,
    HirePolicy,
    HireResult,
    HireTotals,
    PaymentChoice,
    hire_workflow_id,
)
from workflows.hire.sandbox import WORKFLOW_RUNNER
from workflows.hire.workflow import HireWorkflow

# What `pytest tests/workflows/test_story.py --save-histories` wrote.
HISTORIES = Path(__file__).with_name("histories")


@dataclass
class Stage:
    """A worker that plays the story with scripted activities."""

    client: Client
    script: ScriptedActivities
    task_queue: str
    begun: list[WorkflowHandle[HireWorkflow, HireResult]] = field(default_factory=list)

    async def begin(self, **changes: Any) -> WorkflowHandle[HireWorkflow, HireResult]:
        hire = hire_input(**changes)
        handle = await self.client.start_workflow(
            HireWorkflow.run,
            hire,
            id=hire_workflow_id(hire.proposal_id),
            task_queue=self.task_queue,
        )
        self.begun.append(handle)
        return handle


def hire_input(**changes: Any) -> HireInput:
    values: dict[str, Any] = {
        "env": "test",
        "hire_id": str(uuid.uuid4()),
        "proposal_id": str(uuid.uuid4()),
        "job_id": "job-1",
        "organisation_id": "org-1",
        "trainer_id": "trainer-1",
        "customer_id": "cus_1",
        "confirm_declined": False,
        "totals": HireTotals(amount=45000, marketplace_fee=4500, contract_fee=995, currency="USD"),
        "payment": PaymentChoice(method_id="pm_1"),
        "requested_at": datetime.now(UTC),
        "policy": HirePolicy(polls=(timedelta(seconds=30),)),
    }
    return HireInput(**{**values, **changes})


async def reason_of(handle: WorkflowHandle[HireWorkflow, HireResult]) -> str:
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause.type or ""


@asynccontextmanager
async def staged(client: Client, script: ScriptedActivities) -> AsyncIterator[Stage]:
    task_queue = f"test-{uuid.uuid4()}"
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[HireWorkflow],
        activities=script.all(),
        workflow_runner=WORKFLOW_RUNNER,
        identity="story",
    ):
        yield Stage(client, script, task_queue)


@pytest.fixture(scope="session")
async def client(infrastructure: Infrastructure) -> Client:
    return await Client.connect(
        infrastructure.temporal_address, data_converter=pydantic_data_converter, identity="story"
    )


@pytest.fixture
def script() -> ScriptedActivities:
    return ScriptedActivities()


@pytest.fixture
async def stage(
    client: Client, script: ScriptedActivities, request: pytest.FixtureRequest
) -> AsyncIterator[Stage]:
    async with staged(client, script) as ready:
        yield ready
        if request.config.getoption("--save-histories"):
            await save_histories(ready, request.node.name)


async def save_histories(stage: Stage, path: str) -> None:
    """Keep the history of a path of the story under the name of its test."""
    for handle in stage.begun:
        history = (await handle.fetch_history()).to_json_dict()
        target = HISTORIES / f"{path.removeprefix('test_')}.json"
        target.write_text(json.dumps(history, separators=(",", ":")) + "\n")
