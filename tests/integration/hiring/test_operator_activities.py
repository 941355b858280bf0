"""The steps that operators order, on the hire's real rows."""

import grpc.aio
import pytest

from hireflow.contracts.v1 import contract_pb2_grpc
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2_grpc
from hireflow.messaging.v1 import thread_pb2_grpc
from hireflow.proposals.v1 import proposal_pb2_grpc
from tests.integration.hiring.world import World
from workflows.hire import steps
from workflows.hire.activities import Neighbours
from workflows.hire.contract import Actor
from workflows.hire.operator_activities import OperatorActivities
from workflows.hiring.domain import HireChanges, HireState, Stage

OLGA = Actor(kind="OPERATOR", id="olga")


@pytest.fixture
def activities(world: World) -> OperatorActivities:
    nowhere = grpc.aio.insecure_channel("127.0.0.1:1")  # none of these steps calls anybody
    neighbours = Neighbours(
        jobs=job_pb2_grpc.JobsServiceStub(nowhere),
        proposals=proposal_pb2_grpc.ProposalsServiceStub(nowhere),
        contracts=contract_pb2_grpc.ContractsServiceStub(nowhere),
        messaging=thread_pb2_grpc.MessagingServiceStub(nowhere),
    )
    return OperatorActivities(world.hiring, neighbours)


async def paid(world: World, organisation_id: str) -> hire_pb2.Hire:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    await world.pay(await world.fund(hire, 2), 3)
    return hire


def refund_ordered(hire_id: str, number: int) -> steps.OrderInput:
    step = steps.StepRef(hire_id=hire_id, number=number, actor=OLGA, reason="client_asked")
    return steps.OrderInput(step=step, key="k", stage="UNDOING", what="refund_ordered")


async def hired(world: World, hire_id: str, number: int) -> bool:
    changes = HireChanges(state=HireState.HIRED)
    return await world.step(hire_id, number, Stage.ENDED, what="hired", changes=changes)


async def test_once_a_refund_is_ordered_a_late_last_step_ends_nothing(
    world: World, organisation_id: str, activities: OperatorActivities
) -> None:
    hire = await paid(world, organisation_id)
    first = await activities.note_order(refund_ordered(hire.hire_id, 5))
    assert first == await activities.note_order(refund_ordered(hire.hire_id, 5))
    assert first.taken
    assert await hired(world, hire.hire_id, 4) is False
    now = (await world.get(world.payer(organisation_id), hire.hire_id)).hire
    assert (now.state, now.stage) == (hire_pb2.HIRE_STATE_RUNNING, hire_pb2.HIRE_STAGE_UNDOING)
    assert (await world.events(hire.hire_id))[-1] == "stage_changed"
    assert "completed" not in await world.events(hire.hire_id)


async def test_a_hire_that_ended_takes_no_order(
    world: World, organisation_id: str, activities: OperatorActivities
) -> None:
    hire = await paid(world, organisation_id)
    assert await hired(world, hire.hire_id, 4)
    late = await activities.note_order(refund_ordered(hire.hire_id, 5))
    assert not late.taken
    assert (await world.events(hire.hire_id))[-1] == "completed"
