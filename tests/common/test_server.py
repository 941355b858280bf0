"""The chassis over real gRPC: identities, errors with details, idempotency, paging, stopping."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import grpc.aio
import jwt
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from hireflow.hiring.v1 import hire_pb2, hire_pb2_grpc
from hireflow.jobs.v1 import job_pb2, job_pb2_grpc
from services.common.auth import Kind, Principal
from services.common.client import open_channel
from services.common.errors import Violation
from services.common.remote_errors import RemoteError, error_of
from services.common.runtime import Process, running
from services.common.settings import Settings
from services.common.tokens import ServiceIdentity, Signer
from tests.common.conftest import make_key
from tests.common.toy import ToyJobs, toy
from tests.waiting import until

EMPLOYER = Principal(Kind.EMPLOYER, "u-1", "org-1", frozenset({"payer"}))
TRAINER = Principal(Kind.TRAINER, "t-1")
Token = Callable[[Principal], str]
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Toy:
    process: Process
    channel: grpc.aio.Channel
    jobs: "job_pb2_grpc.JobsServiceAsyncStub"
    hiring: "hire_pb2_grpc.HiringServiceAsyncStub"


@pytest.fixture(scope="module")
async def service(settings: Settings) -> AsyncIterator[Toy]:
    async with running(settings, "toy", [toy()]) as process:
        await process.ready()
        async with grpc.aio.insecure_channel(process.address) as channel:
            jobs = job_pb2_grpc.JobsServiceStub(channel)
            yield Toy(process, channel, jobs, hire_pb2_grpc.HiringServiceStub(channel))


def bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


async def refused(call: Awaitable[object]) -> RemoteError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return error_of(caught.value)


async def test_fifty_equal_calls_over_grpc_have_one_effect_and_equal_answers(
    service: Toy, token: Token
) -> None:
    caller = Principal(Kind.EMPLOYER, "u-1", "org-fifty")
    metadata = bearer(token(caller))
    request = job_pb2.CreateJobRequest(request_id="fifty-calls", job=job_pb2.Job(title="t"))
    answers = await asyncio.gather(
        *(service.jobs.CreateJob(request, metadata=metadata, timeout=30) for _ in range(50))
    )
    assert len({answer.SerializeToString() for answer in answers}) == 1
    listed = await service.jobs.ListJobs(job_pb2.ListJobsRequest(), metadata=metadata)
    assert len(listed.jobs) == 1


async def test_all_wrong_fields_are_named_at_once(service: Toy, token: Token) -> None:
    request = job_pb2.CreateJobRequest(request_id="r", job=job_pb2.Job(positions=-1))
    error = await refused(service.jobs.CreateJob(request, metadata=bearer(token(EMPLOYER))))
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS")
    assert error.violations == (
        Violation("job.title", "must not be empty"),
        Violation("job.positions", "must not be negative"),
    )


@pytest.mark.parametrize(("name", "problems"), [("many", 1_000), ("wordy", 50), ("é" * 9_000, 0)])
async def test_however_much_is_wrong_the_answer_fits_into_what_a_client_takes_and_counts_the_rest(
    service: Toy, token: Token, name: str, problems: int
) -> None:
    call = service.jobs.GetJob(job_pb2.GetJobRequest(job_id=name), metadata=bearer(token(EMPLOYER)))
    error = await refused(call)
    assert error.code is not grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.reason in {"INVALID_FIELDS", "JOB_INCOMPLETE", "NOT_FOUND"}
    if problems:
        *told, last = error.violations
        assert 5 <= len(told) < problems
        assert last == Violation("", f"and {problems - len(told)} more: mend these first")
    # As others count it than this client: in base64, and each odd byte of a message as three.
    [(_, status)] = [each for each in await call.trailing_metadata() if each[0].endswith("-bin")]
    assert isinstance(status, bytes)
    assert len(base64.b64encode(status)) + len(quote(error.message)) < 7_800
    assert len(error.message.encode()) <= 500


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("refused", grpc.StatusCode.FAILED_PRECONDITION, "WRONG_STATE"),
        ("incomplete", grpc.StatusCode.FAILED_PRECONDITION, "JOB_INCOMPLETE"),
        ("conflict", grpc.StatusCode.ABORTED, "ETAG_MISMATCH"),
        ("denied", grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED"),
        ("unavailable", grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE"),
        ("exhausted", grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_REACHED"),
        ("unknown", grpc.StatusCode.NOT_FOUND, "NOT_FOUND"),
        ("secret", grpc.StatusCode.INTERNAL, "INTERNAL"),
    ],
)
async def test_every_error_has_its_status_and_reason(
    service: Toy, token: Token, name: str, code: grpc.StatusCode, reason: str
) -> None:
    metadata = bearer(token(EMPLOYER))
    error = await refused(
        service.jobs.GetJob(job_pb2.GetJobRequest(job_id=name), metadata=metadata)
    )
    assert (error.code, error.reason) == (code, reason)
    assert "secret" not in error.message
    if name == "refused":
        assert error.metadata == {"state": "DRAFT"}
    if name == "incomplete":
        assert error.violations == (Violation("job.pay", "lacks"),)


async def test_a_trace_tells_that_a_call_failed_and_nothing_that_the_error_said(
    service: Toy, token: Token
) -> None:
    provider, spans = trace.get_tracer_provider(), InMemorySpanExporter()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    request = job_pb2.GetJobRequest(job_id="secret")
    await refused(service.jobs.GetJob(request, metadata=bearer(token(EMPLOYER))))
    await until(lambda: any("GetJob" in span.name for span in spans.get_finished_spans()))
    spans.shutdown()
    told = [span for span in spans.get_finished_spans() if "GetJob" in span.name]
    assert {span.status.status_code for span in told} == {trace.StatusCode.ERROR}
    assert not [span for span in told if "a secret in" in span.to_json()]


async def test_a_stream_tells_its_errors_in_the_same_way(service: Toy, token: Token) -> None:
    request = hire_pb2.WatchHireRequest(hire_id="refused")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in service.hiring.WatchHire(request, metadata=bearer(token(EMPLOYER))):
            pass
    assert error_of(caught.value).reason == "WRONG_STATE"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in service.hiring.WatchHire(request):
            pass
    assert error_of(caught.value).reason == "TOKEN_INVALID"


def tokens(settings: Settings, key: Path, other_key: Path) -> dict[str, str]:
    now = datetime.now(UTC)
    good = Signer(key, settings.auth_issuer, settings.auth_audience)
    claims = {"iss": settings.auth_issuer, "aud": settings.auth_audience, "sub": "u-1"}
    claims |= {"kind": "operator"}
    times = {"iat": now, "exp": now + timedelta(minutes=5)}
    known = jwt.get_unverified_header(good.sign(TRAINER, timedelta(1), now))["kid"]
    forger = Signer(other_key, settings.auth_issuer, settings.auth_audience)
    public = json.loads(key.read_text())["x"]
    signed = good.sign(EMPLOYER, timedelta(minutes=5), now)
    head, _, signature = signed.rpartition(".")
    return {
        "none": jwt.encode({**claims, **times}, "", algorithm="none", headers={"kid": known}),
        "shared secret": jwt.encode({**claims, **times}, public, headers={"kid": known}),
        "other key": forger.sign(EMPLOYER, timedelta(minutes=5), now),
        "bad signature": f"{head}.{signature[::-1]}",
        "expired": good.sign(EMPLOYER, timedelta(minutes=5), now - timedelta(hours=1)),
        "audience": Signer(key, settings.auth_issuer, "x").sign(TRAINER, timedelta(1), now),
        "issuer": Signer(key, "https://x", "hireflow").sign(TRAINER, timedelta(1), now),
        "no organisation": good.sign(Principal(Kind.AGENT, "a-1"), timedelta(1), now),
        "malformed": "a.b.c",
        "too long": "x" * 6000,
    }


async def test_no_call_passes_without_a_token_that_verifies(
    service: Toy, settings: Settings, signing_key: Path, tmp_path: Path
) -> None:
    bad = tokens(settings, signing_key, make_key(tmp_path / "other.json"))
    every: dict[str, Metadata] = {name: bearer(each) for name, each in bad.items()}
    every |= {"absent": (), "empty": bearer(""), "basic": (("authorization", "Basic dTpw"),)}
    for name, metadata in every.items():
        error = await refused(service.jobs.ListJobs(job_pb2.ListJobsRequest(), metadata=metadata))
        told = (error.code, error.reason)
        assert told == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID"), name


async def test_a_wrong_kind_of_caller_is_denied(service: Toy, token: Token) -> None:
    request = job_pb2.CreateJobRequest(request_id="denied", job=job_pb2.Job(title="t"))
    error = await refused(service.jobs.CreateJob(request, metadata=bearer(token(TRAINER))))
    assert (error.code, error.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "CALLER_NOT_ALLOWED",
    )


async def test_pages_neither_skip_nor_repeat_and_their_tokens_are_bound_to_filter_and_caller(
    service: Toy, token: Token
) -> None:
    caller = Principal(Kind.EMPLOYER, "u-1", "org-pages")
    metadata = bearer(token(caller))

    async def create(number: int) -> None:
        request = job_pb2.CreateJobRequest(request_id=f"p{number}", job=job_pb2.Job(title="t"))
        await service.jobs.CreateJob(request, metadata=metadata)

    for number in range(7):
        await create(number)
    seen: list[str] = []
    page_token = ""
    for page in range(3):
        request = job_pb2.ListJobsRequest(page_size=3, page_token=page_token)
        answer = await service.jobs.ListJobs(request, metadata=metadata)
        seen += [job.job_id for job in answer.jobs]
        if page == 0:
            first = answer.next_page_token
            await create(100)
        page_token = answer.next_page_token
    assert len(seen) == len(set(seen)) == 7
    assert not page_token

    other = bearer(token(Principal(Kind.EMPLOYER, "u-2", "org-pages")))
    state = job_pb2.JOB_STATE_DRAFT
    for call in (
        service.jobs.ListJobs(
            job_pb2.ListJobsRequest(page_token=first, states=[state]), metadata=metadata
        ),
        service.jobs.ListJobs(job_pb2.ListJobsRequest(page_token=first), metadata=other),
        service.jobs.ListJobs(job_pb2.ListJobsRequest(page_token="no token"), metadata=metadata),
    ):
        error = await refused(call)
        assert [each.field for each in error.violations] == ["page_token"]
    both = job_pb2.ListJobsRequest(page_size=-1, page_token="%")
    error = await refused(service.jobs.ListJobs(both, metadata=metadata))
    assert [each.field for each in error.violations] == ["page_size", "page_token"]


async def test_health_and_reflection_need_no_token(service: Toy) -> None:
    health: Any = health_pb2_grpc.HealthStub(service.channel)
    for name in ("", "hireflow.jobs.v1.JobsService"):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub
    stub = reflection(service.channel)
    async for answer in stub.ServerReflectionInfo(iter([ask])):
        names = {each.name for each in answer.list_services_response.service}
        assert "hireflow.jobs.v1.JobsService" in names


async def test_a_call_without_a_deadline_gets_ours(settings: Settings, token: Token) -> None:
    hurried = settings.model_copy(update={"call_deadline": 0.1})
    async with (
        running(hurried, "toy", [toy()]) as process,
        grpc.aio.insecure_channel(process.address) as channel,
    ):
        jobs = job_pb2_grpc.JobsServiceStub(channel)
        slow = job_pb2.GetJobRequest(job_id="slow")
        error = await refused(jobs.GetJob(slow, metadata=bearer(token(EMPLOYER))))
        assert (error.code, error.reason) == (
            grpc.StatusCode.DEADLINE_EXCEEDED,
            "DEADLINE_EXCEEDED",
        )


async def test_a_neighbour_is_called_with_our_own_identity(
    service: Toy, settings: Settings
) -> None:
    identity = ServiceIdentity(settings, "worker", lambda: datetime.now(UTC))
    assert identity.token() == identity.token()
    async with open_channel(settings, identity, service.process.address) as channel:
        jobs = job_pb2_grpc.JobsServiceStub(channel)
        request = job_pb2.CreateJobRequest(request_id="s", job=job_pb2.Job(title="t"))
        error = await refused(jobs.CreateJob(request))
        assert error.reason == "CALLER_NOT_ALLOWED"
        assert "service" in error.message


async def test_a_graceful_stop_lets_a_running_call_finish_and_ends_streams(
    settings: Settings, token: Token
) -> None:
    metadata, made = bearer(token(EMPLOYER)), list[ToyJobs]()
    process = running(settings, "toy", [toy(made)])
    running_process = await process.__aenter__()
    async with grpc.aio.insecure_channel(running_process.address) as channel:
        slow = asyncio.ensure_future(
            job_pb2_grpc.JobsServiceStub(channel).GetJob(
                job_pb2.GetJobRequest(job_id="slow"), metadata=metadata, timeout=20
            )
        )
        watch = hire_pb2_grpc.HiringServiceStub(channel).WatchHire(
            hire_pb2.WatchHireRequest(hire_id="h"), metadata=metadata
        )
        assert (await watch.read()) is not grpc.aio.EOF
        await made[0].waiting.wait()
        stopping = asyncio.create_task(process.__aexit__(None, None, None))

        async def read_to_the_end() -> None:
            while await watch.read() is not grpc.aio.EOF:
                pass

        assert (await refused(read_to_the_end())).code is grpc.StatusCode.UNAVAILABLE
        assert not stopping.done()
        made[0].may_go_on.set()
        assert (await slow).job.job_id == "slow"
        await stopping
