"""One stack serves the whole run; every test finds its addresses in `infrastructure`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from deploy.local.applications import LOADED, inherited_environment
from deploy.local.forking import ForkServer
from deploy.local.stack import Stack

ROOT = Path(__file__).parents[1]
ORDER: tuple[str | tuple[str, ...], ...] = (
    "tests/e2e/kills/test_kills.py",
    "tests/e2e/kills/test_orders.py",
    BESIDE := ("tests/integration/", "tests/workflows/"),
    "tests/e2e/test_clean_up.py",
    "tests/e2e/test_chaos.py",
    "tests/e2e/test_hire.py",
    "tests/e2e/test_rollout.py",
    "tests/e2e/test_operations.py",
    "tests/e2e/test_seed.py",
    "tests/e2e/",
    "tests/",
)
"""The order in which tests begin. The whole system's wait for much: two workers go through them,
each with a system of its own, the longest first; meanwhile a third one works through what is to be
run beside them, which takes as long. What is left is small, so that all end together."""


ROOMY = {"temporal": {"GOGC": "400"}}
"""Temporal collects its garbage more rarely than by default: the tests cost a sixth less."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the story's tests leave their histories behind, for later builds to replay."""
    parser.addoption(
        "--save-histories",
        action="store_true",
        help="write tests/workflows/histories anew, one history per path of the story",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests into their order; those of a file stay together."""

    def place(item: pytest.Item) -> int:
        file = item.path.relative_to(ROOT).as_posix()
        return next(at for at, begins in enumerate(ORDER) if file.startswith(begins))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Give whole files to workers, and to one of them all that runs beside the systems."""
    return _Scheduling(config, log)


class _Scheduling(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "beside" if file.startswith(BESIDE) else file


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """Where the real parts answer."""

    postgres_url: str
    nats_url: str
    temporal_address: str
    stripe_base: str


@pytest.fixture(scope="session")
async def forks() -> AsyncIterator[ForkServer]:
    """One process loads Hireflow's modules for every process of the run that is killed or ended."""
    found = {"PYTHONPATH": str(ROOT)}
    async with ForkServer(LOADED, {**inherited_environment(), **found}) as forks:
        yield forks


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The real parts; the services that a test needs it runs itself, in this process."""
    folder: Path = tmp_path_factory.mktemp("stack")
    only = {"postgres", "nats", "temporal"}
    async with Stack.open(folder, only=only, env_overrides=ROOMY) as stack:
        yield stack


@pytest.fixture(scope="session")
async def infrastructure(stack: Stack) -> Infrastructure:
    """The addresses of the real parts."""
    addresses = stack.addresses
    return Infrastructure(
        postgres_url=addresses.postgres_url,
        nats_url=addresses.nats_url,
        temporal_address=addresses.temporal_address,
        stripe_base=addresses.stripe_base,
    )
