"""What a process measures, as Prometheus reads it while things go wrong."""

from collections.abc import AsyncIterator, Callable

import grpc.aio
import pytest

from hireflow.jobs.v1 import job_pb2, job_pb2_grpc
from services.common.auth import Principal
from services.common.inbox import Subscription
from services.common.migrations import migrate
from services.common.runtime import Process, running
from services.common.settings import Settings
from tests.common.conftest import (
    MIGRATIONS,
    Child,
    database_url,
    make_key,
    make_settings,
    nats_server,
)
from tests.common.events import UPDATED, Hearing, record, until_heard
from tests.common.toy import toy
from tests.scraping import scrape
from tests.waiting import until

CONSUMER = "measured"
GET_JOB = "hireflow.jobs.v1.JobsService/GetJob"


@pytest.fixture(scope="module")
async def own_nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Child]:
    async with nats_server(tmp_path_factory.mktemp("own-nats")) as nats:
        yield nats


@pytest.fixture(scope="module")
def hearing() -> Hearing:
    return Hearing("m-")


@pytest.fixture(scope="module")
async def measured(
    postgres: Child, own_nats: Child, hearing: Hearing, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Process]:
    key = make_key(tmp_path_factory.mktemp("measured") / "k.json")
    url, nats_url = await database_url(postgres), f"nats://127.0.0.1:{own_nats.port}"
    settings = make_settings(url, nats_url, key).model_copy(update={"metrics_interval": 0.1})
    await migrate(settings, "toy", MIGRATIONS)
    heard = Subscription(
        CONSUMER, ("hireflow.jobs.v1.job.*",), {UPDATED: hearing.hear}, retry_delays=(0.01,)
    )
    async with running(settings, "toy", [toy(subscriptions=(heard,))]) as process:
        await process.ready()
        yield process


async def until_told(process: Process, name: str, held: Callable[[float], bool], **of: str) -> None:
    async def holds() -> bool:
        value = (await scrape(process.metrics_address)).find(name, **of)
        return value is not None and held(value)

    await until(holds)


async def test_calls_are_counted_by_method_and_code_and_only_by_methods_that_exist(
    measured: Process, token: Callable[[Principal], str], settings: Settings
) -> None:
    async def count(**labels: str) -> float:
        found = await scrape(measured.metrics_address)
        return found.find("rpc_server_call_duration_seconds_count", **labels) or 0

    labels = {"rpc_method": GET_JOB, "rpc_response_status_code": "UNAUTHENTICATED"}
    before = await count(**labels)
    async with grpc.aio.insecure_channel(measured.address) as channel:
        jobs = job_pb2_grpc.JobsServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError):
            await jobs.GetJob(job_pb2.GetJobRequest(job_id="any"))
        made_up: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/hireflow.jobs.v1.JobsService/MadeUp"
        )
        with pytest.raises(grpc.aio.AioRpcError):
            await made_up(b"")
    assert await count(**labels) == before + 1
    assert await count(rpc_method="hireflow.jobs.v1.JobsService/MadeUp") == 0


async def test_the_outbox_lags_while_the_stream_is_away_and_catches_up_when_it_is_back(
    measured: Process, own_nats: Child, hearing: Hearing
) -> None:
    database = measured.resources.database
    unsent, age = "hireflow_outbox_unsent", "hireflow_outbox_unsent_age_seconds"
    await until_told(measured, unsent, lambda value: value == 0, hireflow_schema="toy")
    await own_nats.kill()
    await record(database, "m-a", "m-a", "m-b")
    await until_told(measured, unsent, lambda value: value == 3, hireflow_schema="toy")
    await until_told(measured, age, lambda value: value > 0, hireflow_schema="toy")
    await until_told(
        measured, "hireflow_dependency_up", lambda value: value == 0, hireflow_dependency="nats"
    )

    async def pending_is_unknown() -> bool:
        found = await scrape(measured.metrics_address)
        return found.find("hireflow_consumer_pending") is None

    await until(pending_is_unknown)
    await own_nats.start()
    await until_told(measured, unsent, lambda value: value == 0, hireflow_schema="toy")
    await until_told(measured, age, lambda value: value == 0, hireflow_schema="toy")
    await until_told(
        measured, "hireflow_dependency_up", lambda value: value == 1, hireflow_dependency="nats"
    )
    await until_heard(database, "m-", [("a", 1), ("a", 2), ("b", 1)])


async def test_poison_is_counted_as_a_dead_letter_and_its_aggregate_as_stuck(
    measured: Process, hearing: Hearing
) -> None:
    of = {"hireflow_consumer": CONSUMER}
    hearing.poison = {("m-poison", 1)}
    await record(measured.resources.database, "m-poison", "m-poison", "m-poison")
    counted = "hireflow_consumer_dead_letters_total"
    await until_told(measured, counted, lambda value: value == 1, **of)
    await until_told(measured, "hireflow_consumer_stuck", lambda value: value == 1, **of)
    await until_told(measured, "hireflow_consumer_held", lambda value: value == 3, **of)
    await until_told(measured, "hireflow_consumer_pending", lambda value: value == 0, **of)


async def test_the_pool_tells_its_connections_and_their_bound(measured: Process) -> None:
    async def used() -> float | None:
        found = await scrape(measured.metrics_address)
        return found.find("db_client_connection_count", db_client_connection_state="used")

    most = (await scrape(measured.metrics_address)).find("db_client_connection_max")
    assert most is not None
    database = measured.resources.database

    async def is_counted() -> bool:
        async with database.begin(), database.begin(), database.begin():
            with_three = await used()
        return with_three is not None and 3 <= with_three <= most

    await until(is_counted)


async def test_a_taken_port_for_metrics_is_one_clear_sentence_and_none_is_no_server(
    settings: Settings, measured: Process
) -> None:
    taken = settings.model_copy(update={"metrics_listen": measured.metrics_address})
    with pytest.raises(OSError, match="is the port taken"):
        async with running(taken, "toy", []):
            pass
    nowhere = settings.model_copy(update={"metrics_listen": ""})
    async with running(nowhere, "toy", []) as process:
        assert process.metrics_address == ""
