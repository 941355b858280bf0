"""Where the contract is tested: the sandbox, or Stripe's test mode when a key is given."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import stripe

from deploy.local.forking import ForkServer
from tests.stripe_sandbox.client import CheckedClient, Record, connect
from tests.stripe_sandbox.process import SandboxProcess

KEY = "HIREFLOW_TEST_STRIPE_KEY"


@dataclass(frozen=True)
class Side:
    """One implementation of Stripe's API and the record of its answers."""

    client: stripe.StripeClient
    record: Record


@pytest.fixture(scope="session")
async def stripe_side(
    tmp_path_factory: pytest.TempPathFactory, forks: ForkServer
) -> AsyncIterator[Side]:
    """Stripe's test mode with HIREFLOW_TEST_STRIPE_KEY=sk_test_…, else a sandbox of its own."""
    record = Record()
    http = CheckedClient(record)
    key = os.environ.get(KEY)
    if key:
        assert key.startswith("sk_test_"), f"{KEY} must be a test key"
        yield Side(stripe.StripeClient(key, max_network_retries=0, http_client=http), record)
        await http.close()
        return
    process = SandboxProcess(tmp_path_factory.mktemp("contract") / "stripe.sqlite", forks)
    await process.start()
    yield Side(connect(process.base, http), record)
    await http.close()
    await process.stop()
    assert not record.problems, record.problems
