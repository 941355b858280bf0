import grpc.aio

from hireflow.hiring.v1 import hire_pb2_grpc
from services.common.auth import Kind
from services.common.runtime import running
from tests.integration.hiring.world import World, new_id, start_request
from tests.refusals import refusal
from workflows.hiring import wiring
from workflows.settings import HiringSettings


async def test_the_api_comes_up_as_it_is_wired_and_names_the_neighbour_that_is_down(
    settings: HiringSettings, world: World
) -> None:
    nobody = "127.0.0.1:1"
    alone = settings.model_copy(
        update={"proposals_address": nobody, "jobs_address": nobody, "contracts_address": nobody}
    )
    caller = world.by(Kind.EMPLOYER, new_id("org"), "payer")
    async with running(alone, "hiring", [wiring.build]) as process:
        await process.ready()
        async with grpc.aio.insecure_channel(process.address) as channel:
            stub: hire_pb2_grpc.HiringServiceAsyncStub = hire_pb2_grpc.HiringServiceStub(channel)
            call = stub.StartHire(start_request(new_id("proposal")), metadata=caller.metadata)
            error = await refusal(call)
    assert error.code is grpc.StatusCode.UNAVAILABLE
    assert error.metadata == {"dependency": "proposals"}
