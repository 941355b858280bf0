"""Who calls while a stack is filled, and how: named steps, patience, and plain words at the end."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import TypeVar, cast

import grpc
import httpx
from google.protobuf.message import Message

from deploy.local.data_dir import DataDir
from deploy.local.failure import StackFailure
from deploy.local.journey import Addresses, Browser, Caller, Services, open_services
from deploy.local.keys import Kind
from deploy.local.stack import mint_token
from deploy.local.state import read_status
from services.common.remote_errors import error_of
from services.proposals.use_cases.access import INTERVIEWER_ID

Answer = TypeVar("Answer")
_SERVICES = ("jobs", "proposals", "contracts", "messaging", "hiring")
_PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
PAUSES = (0.2, 1.0, 3.0)
"""Seconds before each try after the first."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The callers of one run; whoever repeats the run calls as the same people."""

    services: Services
    browser: Browser
    token: Callable[[Kind, str, str | None], str]
    run_id: str

    def organisation_id(self, number: int) -> str:
        """Name an organisation of this run."""
        return f"org-seed-{self.run_id}-{number + 1}"

    def employer(self, organisation: int) -> Caller:
        """Give the member of an organisation who does everything."""
        organisation_id = self.organisation_id(organisation)
        return self._caller(Kind.EMPLOYER, f"employer-{organisation_id}", organisation_id)

    def trainer(self, number: int) -> Caller:
        """Give a trainer of this run."""
        return self._caller(Kind.TRAINER, f"trainer-seed-{self.run_id}-{number + 1}", None)

    def interviewer(self) -> Caller:
        """Give the service that holds interviews."""
        return self._caller(Kind.SERVICE, INTERVIEWER_ID, None)

    def step(self, *words: object) -> str:
        """Make the request_id of a step: the same for the same step of the same run."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, (self.run_id, *words)))))

    async def call(
        self,
        caller: Caller,
        method: Callable[..., Awaitable[Answer]],
        request: Message,
        *,
        by_event: bool = False,
    ) -> Answer:
        """Call a unary method; `by_event` if what it needs may still be on its way.

        Raises:
            StackFailure: the call was refused, or not answered in time however often.

        """
        name = request.DESCRIPTOR.name.removesuffix("Request")
        call = caller.call_when_known if by_event else caller.call
        with plain_words(name):
            return await patiently(partial(call, method, request))

    def _caller(self, kind: Kind, subject: str, organisation_id: str | None) -> Caller:
        return Caller(subject, self.token(kind, subject, organisation_id))


async def patiently(
    work: Callable[[], Awaitable[Answer]], pauses: Sequence[float] = PAUSES
) -> Answer:
    """Do what may be repeated, and again after each pause where a service is away or too slow.

    Raises grpc.aio.AioRpcError: refused, or still not answered after the last pause.
    """
    for pause in pauses:
        try:
            return await work()
        except grpc.aio.AioRpcError as error:
            if error.code() not in _PASSING:
                raise
        await asyncio.sleep(pause)  # a service that restarts needs about as long
    return await work()


@contextmanager
def plain_words(what: str) -> Iterator[None]:
    """Tell what goes wrong inside as a StackFailure of one sentence."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        told = error_of(error)
        again = " Another run has this --run." if told.reason == "REQUEST_ID_REUSED" else ""
        reason = told.reason or told.code.name
        raise StackFailure(f"{what}: {reason}: {told.message}{again}") from error
    except (TimeoutError, httpx.HTTPError) as error:
        told_by_it = str(error) or "no answer in time"
        raise StackFailure(f"{what}: {told_by_it}") from error


@asynccontextmanager
async def open_desk(data: DataDir, run_id: str) -> AsyncIterator[Desk]:
    """Open what fills the stack that runs on a data directory.

    Raises:
        StackFailure: none runs there, or not all of it.

    """
    status = read_status(data)
    at = {each["name"]: each["addresses"] for each in status.content["processes"] if each["pid"]}
    if not status.running or not {*_SERVICES, "stripe", "worker"} <= set(at):
        raise StackFailure(f"No whole stack runs on {data.root}: see `hireflow up`.")
    addresses = SimpleNamespace(**{name: at[name]["grpc"] for name in _SERVICES})
    browser = Browser(at["stripe"]["stripe"])

    def token(kind: Kind, subject: str, organisation_id: str | None) -> str:
        return mint_token(data, kind, sub=subject, org=organisation_id)

    try:
        async with open_services(cast("Addresses", addresses)) as services:
            yield Desk(services, browser, token, run_id)
    finally:
        await browser.close()
