"""A read model is rebuilt while its events go on, by several processes, one of which dies."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc.aio
import pytest
import sqlalchemy as sa
from grpc_health.v1 import health_pb2, health_pb2_grpc

from deploy.local.forking import ForkServer
from hireflow.events.v1 import events_pb2, events_pb2_grpc
from hireflow.jobs.v1 import job_pb2, job_pb2_grpc
from services.common.auth import Principal
from services.common.bus import EVENTS
from services.common.database import Database
from services.common.migrations import migrate
from services.common.settings import Settings
from tests.common.conftest import MIGRATIONS, Child, database_url, free_port, nats_server
from tests.common.desk import CONSUMER, OPERATOR, open_desk, own
from tests.common.events import consuming, heard, record, until_heard
from tests.common.toy import HEARD
from tests.common.toy_process import toy_process
from tests.common.writers import assert_all_once_and_in_order, in_effect
from tests.refusals import reason, refusal
from tests.stops import armed
from tests.waiting import until


@pytest.fixture
async def made(postgres: Child, settings: Settings, tmp_path: Path) -> AsyncIterator[Settings]:
    async with nats_server(tmp_path / "nats") as nats:
        nats_url = f"nats://127.0.0.1:{nats.port}"
        made = own(settings, await database_url(postgres), nats_url, nats_ack_wait=3)
        await migrate(made, "toy", MIGRATIONS)
        yield made


NAMES = [f"r-{number}" for number in range(8)]


async def _until_whole(database: Database, versions: int) -> None:
    """Every event of each aggregate had its effect once and in order, and nothing else had."""
    committed = Counter(dict.fromkeys(NAMES, versions))

    async def all_are() -> bool:
        return await in_effect(database) == committed

    await until(all_are, 90)
    await assert_all_once_and_in_order(database, committed)


async def test_rebuilt_again_and_again_while_events_go_on_it_ends_with_each_once_and_in_order(
    made: Settings, token: Callable[[Principal], str]
) -> None:
    async with (
        open_desk(made, token) as desk,
        Database.open(made, "other") as other,
        consuming(other, desk.bus, desk.hearing, CONSUMER),
    ):
        await record(desk.database, *NAMES * 5)
        writing = asyncio.create_task(record(desk.database, *NAMES * 15))
        for _ in range(3):
            seen = desk.hearing.calls

            async def are_heard(enough: int = seen + 25) -> bool:
                return desk.hearing.calls >= enough

            await until(are_heard)
            assert await desk.rebuild() > 0
        await writing
        await _until_whole(desk.database, 20)
        assert desk.hearing.calls > 20 * len(NAMES)


async def test_it_mends_spoiled_rows_tries_dead_letters_again_and_a_repeat_does_nothing(
    made: Settings, token: Callable[[Principal], str]
) -> None:
    async with open_desk(made, token) as desk:
        desk.hearing.poison = {("a-p", 2)}
        await record(desk.database, *(f"a-{name}" for name in "ppqpqp"))
        await desk.until_dead(1)
        await until_heard(desk.database, "a-", [("p", 1), ("q", 1), ("q", 2)])
        async with desk.database.begin() as tx:
            await tx.execute(sa.delete(HEARD).where(HEARD.c.thing_id == "a-q"))
            await tx.execute(sa.insert(HEARD).values(thing_id="a-nobody", type="1"))
        desk.hearing.poison.clear()
        request_id = uuid4().hex
        assert await desk.rebuild(request_id) == 2
        every = [*(("p", version) for version in range(1, 5)), ("q", 1), ("q", 2)]
        await until_heard(desk.database, "a-", every)
        assert await desk.dead_letters() == []
        calls = desk.hearing.calls
        assert await desk.rebuild(request_id) == 2  # the first answer
        await record(desk.database, "a-q")
        await until_heard(desk.database, "a-", [*every, ("q", 3)])
        assert desk.hearing.calls == calls + 1


async def test_a_stream_that_was_purged_gives_its_rows_back_once_it_is_filled_again(
    made: Settings, token: Callable[[Principal], str]
) -> None:
    async with open_desk(made, token) as desk:
        await record(desk.database, *(f"a-{name}" for name in "xyx"))
        every = [("x", 1), ("x", 2), ("y", 1)]
        await until_heard(desk.database, "a-", every)
        await (await desk.bus.jetstream()).purge_stream(EVENTS)
        await record(desk.database, "a-y")
        every.append(("y", 2))
        await until_heard(desk.database, "a-", every)
        assert await reason(desk.rebuild()) == "STREAM_INCOMPLETE"
        await desk.republish(after_position=1)

        async def is_sent_again() -> bool:
            return Counter(await desk.stored())[("a-y", 2)] == 2

        await until(is_sent_again)
        assert await reason(desk.rebuild()) == "STREAM_INCOMPLETE"
        assert sorted(await heard(desk.database, "a-")) == sorted(every)
        await desk.republish()

        async def is_whole() -> bool:
            return await desk.bus.has_all_of("jobs")

        await until(is_whole)
        await desk.rebuild()
        await record(desk.database, "a-x")
        await until_heard(desk.database, "a-", [*every, ("x", 3)])


async def test_until_it_knows_what_it_knew_before_its_service_answers_nothing(
    made: Settings, token: Callable[[Principal], str]
) -> None:
    async with (
        open_desk(made, token) as desk,
        grpc.aio.insecure_channel(desk.process.address) as channel,
    ):
        jobs = job_pb2_grpc.JobsServiceStub(channel)
        health: Any = health_pb2_grpc.HealthStub(channel)

        async def told() -> tuple[str, object]:
            asked = job_pb2.GetJobRequest(job_id="nobody")
            error = await refusal(jobs.GetJob(asked, metadata=desk.metadata))
            name = health_pb2.HealthCheckRequest(service="hireflow.jobs.v1.JobsService")
            answer = await health.Check(name)
            return error.reason, answer.status

        await record(desk.database, "a-x", "a-x", "a-y")
        every = [("x", 1), ("x", 2), ("y", 1)]
        await until_heard(desk.database, "a-", every)
        desk.hearing.may_go_on.clear()
        assert await desk.rebuild() == 2

        async def is_refused() -> bool:
            expected = ("DEPENDENCY_UNAVAILABLE", health_pb2.HealthCheckResponse.NOT_SERVING)
            return await told() == expected

        await until(is_refused)
        await record(desk.database, "a-y")  # what came since is not waited for
        assert await desk.dead_letters() == []  # operators are answered
        desk.hearing.may_go_on.set()

        async def is_served() -> bool:
            return await told() == ("NOT_FOUND", health_pb2.HealthCheckResponse.SERVING)

        await until(is_served)
        await until_heard(desk.database, "a-", [*every, ("y", 2)])
        assert await desk.rebuild() == 2


@pytest.mark.timeout(240)
@pytest.mark.parametrize("instant", ["rebuild.forgotten", "consumer.applied"])
async def test_whoever_is_killed_on_the_way_the_rows_are_whole_in_the_end(
    made: Settings,
    token: Callable[[Principal], str],
    tmp_path: Path,
    forks: ForkServer,
    instant: str,
) -> None:
    """Killed before the commit, and while it applies everything again or what came since."""
    folder = tmp_path / "stops"
    folder.mkdir()
    held = made.model_copy(
        update={"listen": f"127.0.0.1:{free_port()}", "stop_points": folder, "log_format": "json"}
    )
    metadata = (("authorization", f"Bearer {token(OPERATOR)}"),)
    request = events_pb2.RebuildReadModelRequest(
        request_id=uuid4().hex, consumer=CONSUMER, reason="spoiled"
    )
    async with AsyncExitStack() as resources:
        database = await resources.enter_async_context(Database.open(made, "test"))
        victim = await resources.enter_async_context(toy_process(held, tmp_path / "victim", forks))
        await resources.enter_async_context(toy_process(made, tmp_path / "other", forks))
        await record(database, *NAMES * 10)
        await _until_whole(database, 10)
        channel = await resources.enter_async_context(grpc.aio.insecure_channel(held.listen))
        stub = events_pb2_grpc.EventsServiceStub(channel)
        with armed(folder, instant, CONSUMER) as stop:
            calling = asyncio.ensure_future(
                stub.RebuildReadModel(request, metadata=metadata, wait_for_ready=True)
            )
            reached = asyncio.ensure_future(stop.reached())
            await asyncio.wait({calling, reached}, return_when=asyncio.FIRST_COMPLETED)
            since = 0
            while not reached.done():
                # The other process may have taken all of them, as one batch.
                await record(database, *NAMES)
                since += 1
            await reached
            await in_effect(database)  # who reads does not wait for the stream
            await victim.kill()
        # Told to the caller only of the kill that came after the commit.
        await asyncio.gather(calling, return_exceptions=True)
        await record(database, *NAMES * 5)
        await victim.start()
        answer = await stub.RebuildReadModel(request, metadata=metadata, wait_for_ready=True)
        assert answer.aggregates == len(NAMES)
        await _until_whole(database, 15 + since)
