"""Signing keys are replaced while calls run, and not one call is refused."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import grpc.aio
import jwt
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hireflow.jobs.v1 import job_pb2, job_pb2_grpc
from services.common.auth import Kind, Principal
from services.common.client import open_channel
from services.common.errors import Unauthenticated, Unavailable
from services.common.runtime import running
from services.common.settings import Settings
from services.common.tokens import ServiceIdentity, Signer, Verifier
from tests.common.conftest import make_key
from tests.common.toy import toy
from tests.waiting import until

CALLERS = 8
OPERATOR = Principal(Kind.OPERATOR, "o-1")


class Provider:
    """An identity provider's key set, at a file and at an address; counts how often it is read."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "jwks.json"
        self.address = ""
        self.reads = 0
        self.away = False
        self.hold: asyncio.Event | None = None

    def publish(self, *keys: Path) -> None:
        public = [json.loads(key.with_suffix(".jwks").read_text())["keys"][0] for key in keys]
        # Beside ours: one for another purpose, and one of a kind that we do not know.
        others = [
            {"kty": "XYZ", "kid": "strange"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        ]
        replace(self.file, json.dumps({"keys": [*others, *public]}))

    async def answer(self, _: Request) -> JSONResponse:
        self.reads += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            return JSONResponse({}, 503)
        return JSONResponse(json.loads(self.file.read_text()))


def replace(path: Path, text: str) -> None:
    """As a secret store does: the whole file at once."""
    new = path.with_name(f"{path.name}.{uuid4().hex}")
    new.write_text(text)
    new.chmod(0o600)
    new.rename(path)


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    provider = Provider(tmp_path)
    app = Starlette(routes=[Route("/jwks", provider.answer)])
    listening = socket.create_server(("127.0.0.1", 0))
    provider.address = f"http://127.0.0.1:{listening.getsockname()[1]}/jwks"
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server._serve([listening]))  # noqa: SLF001 - without its signals
    try:
        yield provider
    finally:
        if provider.hold is not None:
            provider.hold.set()
        server.should_exit = True
        await serving
        listening.close()


@pytest.fixture(params=["file", "address"])
def source(request: pytest.FixtureRequest, provider: Provider) -> str:
    return str(provider.file) if request.param == "file" else provider.address


@asynccontextmanager
async def calling(
    settings: Settings, address: str
) -> AsyncIterator[tuple[ServiceIdentity, Counter[str]]]:
    """Call without a pause, as another process of ours, while in the block; counts the codes."""
    identity = ServiceIdentity(settings, "caller", lambda: datetime.now(UTC))
    codes: Counter[str] = Counter()
    stop = asyncio.Event()
    async with open_channel(settings, identity, address, timeout=30.0) as channel:
        jobs = job_pb2_grpc.JobsServiceStub(channel)

        async def call() -> None:
            while not stop.is_set():
                try:
                    await jobs.ListJobs(job_pb2.ListJobsRequest())
                except grpc.aio.AioRpcError as error:
                    codes[error.code().name] += 1
                else:
                    codes["OK"] += 1

        async with asyncio.TaskGroup() as callers:
            for _ in range(CALLERS):
                callers.create_task(call())
            try:
                yield identity, codes
            finally:
                stop.set()


async def test_a_signing_key_is_replaced_under_load_and_no_call_is_refused(
    settings: Settings, provider: Provider, source: str, tmp_path: Path
) -> None:
    old, new = make_key(tmp_path / "old.json"), make_key(tmp_path / "new.json")
    signing = tmp_path / "signing.json"
    replace(signing, old.read_text())
    provider.publish(old)
    ours = settings.model_copy(update={"auth_keys": source, "auth_signing_key_file": signing})
    async with running(ours, "toy", [toy()]) as process:
        await process.ready()
        async with calling(ours, process.address) as (identity, codes):

            async def more() -> None:
                before = codes["OK"]
                enough = before + 2 * CALLERS
                await until(lambda: codes["OK"] > enough or codes.total() > codes["OK"])

            await more()
            provider.publish(old, new)
            await more()
            replace(signing, new.read_text())
            await more()
            assert key_of(identity.token()) == key_of(signed(ours, new))
            await more()
            provider.publish(new)
            await more()
        assert set(codes) == {"OK"}
        # And the old key is worth nothing once the keys are read again.
        verifier = process.resources.verifier
        with pytest.raises(Unauthenticated):
            await verifier.verify(signed(ours, make_key(tmp_path / "stranger.json")))
        with pytest.raises(Unauthenticated):
            await verifier.verify(signed(ours, old))


async def test_made_up_key_ids_share_one_reading_and_never_delay_a_known_key(
    settings: Settings, provider: Provider, tmp_path: Path
) -> None:
    known, stranger = make_key(tmp_path / "known.json"), make_key(tmp_path / "stranger.json")
    provider.publish(known)
    ours = settings.model_copy(update={"auth_keys": provider.address})
    verifier = Verifier(ours)
    await verifier.ping()
    assert provider.reads == 1
    provider.hold = asyncio.Event()
    attack = [
        asyncio.create_task(verifier.verify(signed(ours, stranger, kid=uuid4().hex)))
        for _ in range(500)
    ]
    await until(lambda: provider.reads == 2)
    assert await verifier.verify(signed(ours, known)) == OPERATOR
    assert not any(each.done() for each in attack)
    provider.hold.set()
    ends = await asyncio.gather(*attack, return_exceptions=True)
    assert all(isinstance(end, Unauthenticated) for end in ends)
    assert provider.reads == 2


async def test_a_provider_that_is_away_takes_no_known_key_and_calls_no_unknown_one_wrong(
    settings: Settings, provider: Provider, tmp_path: Path
) -> None:
    known, new = make_key(tmp_path / "known.json"), make_key(tmp_path / "new.json")
    provider.publish(known)
    ours = settings.model_copy(update={"auth_keys": provider.address})
    verifier = Verifier(ours)
    await verifier.ping()
    provider.away = True
    with pytest.raises(Unavailable):
        await verifier.verify(signed(ours, new))
    provider.away = False
    provider.publish()
    with pytest.raises(Unavailable):
        await verifier.verify(signed(ours, new))
    assert await verifier.verify(signed(ours, known)) == OPERATOR
    provider.publish(known, new)
    assert await verifier.verify(signed(ours, new)) == OPERATOR


def test_a_signing_key_that_cannot_be_read_leaves_the_former_one(
    settings: Settings, tmp_path: Path
) -> None:
    old, new = make_key(tmp_path / "old.json"), make_key(tmp_path / "new.json")
    signing = tmp_path / "signing.json"
    replace(signing, old.read_text())
    ours = settings.model_copy(update={"auth_signing_key_file": signing})
    identity = ServiceIdentity(ours, "worker", lambda: datetime.now(UTC))
    first = key_of(identity.token())
    replace(signing, new.read_text()[:20])
    assert key_of(identity.token()) == first
    signing.unlink()
    assert key_of(identity.token()) == first
    replace(signing, new.read_text())
    assert key_of(identity.token()) == key_of(signed(ours, new)) != first


def signed(settings: Settings, key: Path, *, kid: str = "") -> str:
    signer = Signer(key, settings.auth_issuer, settings.auth_audience)
    if kid:
        signer._key.key_id = kid  # noqa: SLF001 - a forger writes what he likes
    return signer.sign(OPERATOR, timedelta(minutes=1), datetime.now(UTC))


def key_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])
