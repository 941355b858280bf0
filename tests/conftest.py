"""One stack serves the whole run; every test finds its addresses in `infrastructure`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.applications import LOADED, inherited_environment
from deploy.local.forking import ForkServer
from deploy.local.stack import Stack

ROOT = Path(__file__).parents[1]
LONGEST = (
    "tests/e2e/kills/test_kills.py",
    "tests/e2e/kills/test_orders.py",
    "tests/e2e/test_clean_up.py",
    "tests/e2e/test_chaos.py",
    "tests/e2e/test_hire.py",
    "tests/e2e/test_rollout.py",
    "tests/e2e/test_operations.py",
    "tests/e2e/test_seed.py",
)
"""The files of the whole system's tests that take twenty seconds or more, the longest first."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the story's tests leave their histories behind, for later builds to replay."""
    parser.addoption(
        "--save-histories",
        action="store_true",
        help="write tests/workflows/histories anew, one history per path of the story",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the whole system's tests last, and of those the longest first.

    Each worker keeps a system running from its first such test to its end: the later they begin,
    the less they cost. The shortest come last, so that the workers end together.
    """

    def place(item: pytest.Item) -> tuple[bool, int]:
        file = item.path.relative_to(ROOT).as_posix()
        rank = LONGEST.index(file) if file in LONGEST else len(LONGEST)
        return file.startswith("tests/e2e/"), rank

    items.sort(key=place)


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
    async with Stack.open(folder, only=only) as stack:
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
