"""Late facts on the real Temporal server: looked at again when told again, or when the bank may
have decided, and shown to an operator where they cannot be booked."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from tests.waiting import until
from tests.workflows.scripted import refused
from tests.workflows.test_story import Gate
from workflows.hire.contract import (
    HIRE_BLOCKED,
    LateFact,
    LateFactResult,
    LateOutcome,
    OperatorActor,
    OperatorOrder,
    late_fact_workflow_id,
)
from workflows.hire.sandbox import WORKFLOW_RUNNER
from workflows.payments.late_facts import TAKE_IN, LateFactWorkflow

BOOKED = LateFactResult(outcome=LateOutcome.BOOKED)
PROCESSING = LateFactResult(outcome=LateOutcome.PROCESSING)
RETRY = OperatorOrder(reason="mended", actor=OperatorActor(id="operator-1"))
Handle = WorkflowHandle[LateFactWorkflow, LateFactResult]


@dataclass
class Post:
    """A worker that looks at objects by a script."""

    client: Client
    task_queue: str
    answers: list[Any] = field(default_factory=list)
    looks: int = 0

    async def tell(self, object_id: str) -> Handle:
        """Tell as the webhook's routing does."""
        return await self.client.start_workflow(
            LateFactWorkflow.run,
            LateFact(kind="REFUND", object_id=object_id),
            id=late_fact_workflow_id(object_id),
            task_queue=self.task_queue,
            start_signal="look_again",
        )

    @activity.defn(name=TAKE_IN)
    async def take_in(self, fact: LateFact) -> LateFactResult:
        self.looks += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        result: LateFactResult = await answer(fact) if callable(answer) else answer
        return result


@pytest.fixture
async def post(client: Client) -> AsyncIterator[Post]:
    task_queue = f"test-{uuid.uuid4()}"
    post = Post(client, task_queue)
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[LateFactWorkflow],
        activities=[post.take_in],
        workflow_runner=WORKFLOW_RUNNER,
    ):
        yield post


def an_object() -> str:
    return f"re_{uuid.uuid4().hex}"


async def test_what_is_told_once_is_looked_at_once(post: Post) -> None:
    post.answers = [BOOKED]
    assert await (await post.tell(an_object())).result() == BOOKED
    assert post.looks == 1


async def test_what_is_told_during_a_look_is_looked_at_again_by_the_same_run(post: Post) -> None:
    first, object_id = Gate(BOOKED), an_object()
    post.answers = [first, BOOKED]
    handle = await post.tell(object_id)
    await first.reached.wait()
    again = await post.tell(object_id)
    first.open.set()
    assert await handle.result() == BOOKED
    assert (again.first_execution_run_id, post.looks) == (handle.first_execution_run_id, 2)


async def test_what_is_told_after_the_end_is_looked_at_by_a_new_run(post: Post) -> None:
    object_id = an_object()
    post.answers = [BOOKED, BOOKED]
    for _ in range(2):
        assert await (await post.tell(object_id)).result() == BOOKED
    assert post.looks == 2


async def test_a_bank_that_has_not_decided_is_waited_for_until_something_is_told(
    post: Post,
) -> None:
    object_id = an_object()
    post.answers = [PROCESSING, BOOKED]
    handle = await post.tell(object_id)
    await until(lambda: post.looks == 1)
    await post.tell(object_id)
    assert await handle.result() == BOOKED


async def test_a_fact_that_cannot_be_booked_is_shown_and_looked_at_again_when_told_to(
    post: Post,
) -> None:
    post.answers = [refused("CHARGE_MISMATCH"), BOOKED]
    handle = await post.tell(an_object())

    async def shown() -> bool:
        described = await handle.describe()
        return described.typed_search_attributes.get(HIRE_BLOCKED) == "CHARGE_MISMATCH"

    await until(shown)
    await handle.execute_update(LateFactWorkflow.retry_step, RETRY)
    assert await handle.result() == BOOKED
    assert (await handle.describe()).typed_search_attributes.get(HIRE_BLOCKED) is None
