"""How a seed bears what goes wrong on the way."""

from collections.abc import Awaitable, Callable

import grpc
import httpx
import pytest

from deploy.local.failure import StackFailure
from deploy.local.journey import Caller
from deploy.local.seed.desk import patiently, plain_words
from hireflow.jobs.v1 import job_pb2, job_pb2_grpc

NOBODY = "127.0.0.1:1"


class Away:
    """A service that is away for some calls, and then there."""

    def __init__(self, calls: int) -> None:
        self.tries = 0
        self._calls = calls

    async def ask(self) -> str:
        self.tries += 1
        return await nobody_answers() if self.tries <= self._calls else "answer"


async def nobody_answers() -> str:
    async with grpc.aio.insecure_channel(NOBODY) as channel:
        jobs = job_pb2_grpc.JobsServiceStub(channel)
        await Caller("somebody", "token").call(jobs.GetJob, job_pb2.GetJobRequest())
    return "nobody"


async def test_a_service_that_is_away_for_a_moment_is_asked_again_and_not_for_ever() -> None:
    back = Away(1)
    assert await patiently(back.ask, pauses=(0.0,)) == "answer"
    assert back.tries == 2
    gone = Away(9)
    with pytest.raises(grpc.aio.AioRpcError):
        await patiently(gone.ask, pauses=(0.0, 0.0))
    assert gone.tries == 3


async def refused_by_stripe() -> str:
    raise httpx.ConnectError("refused")


async def too_late() -> str:
    raise TimeoutError


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (nobody_answers, "Hire: UNAVAILABLE: "),
        (too_late, "Hire: no answer in time"),
        (refused_by_stripe, "Hire: refused"),
    ],
)
async def test_whatever_goes_wrong_is_told_in_one_sentence(
    work: Callable[[], Awaitable[str]], told: str
) -> None:
    with pytest.raises(StackFailure) as failure, plain_words("Hire"):
        await work()
    assert str(failure.value).startswith(told)
    assert len(str(failure.value).splitlines()) == 1
