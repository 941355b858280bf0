"""The whole system as separate processes, and one journey after the other through it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from deploy.local.applications import SERVICES
from deploy.local.audit import Sources, audit, open_sources
from deploy.local.forking import ForkServer
from deploy.local.journey import Browser, Caller, Journey, Services, new_id
from deploy.local.stack import Stack
from deploy.local.stripe_account import api_key
from hireflow.hiring.v1 import hire_pb2, hire_pb2_grpc
from services.common.runtime import running
from tests.conftest import ROOMY
from tests.e2e.collector import Collector, collecting
from tests.stops import Stop, armed
from workflows.hiring import wiring
from workflows.settings import HiringSettings

Hire = hire_pb2.Hire
WORKER = {
    "HIREFLOW_SWEEP_INTERVAL": "86400",  # seconds: a test that needs sweeps has them made
    "HIREFLOW_SWEEP_GRACE": "0.5",
    "HIREFLOW_SHUTDOWN_GRACE": "2",
}
"""A worker ends while a test waits, also with an answer outstanding."""


@dataclass(frozen=True)
class System:
    """A running stack with everything a test does to it."""

    stack: Stack
    services: Services
    browser: Browser
    sandbox: httpx.AsyncClient
    sources: Sources
    stops: Path
    collector: Collector

    def caller(self, kind: str, subject: str = "", organisation: str | None = None) -> Caller:
        subject = subject or f"{kind}-{new_id()}"
        return Caller(subject, self.stack.mint_token(kind, sub=subject, org=organisation))

    async def proposed(self, card: str = "", **job: Any) -> Journey:
        """A journey up to the click on Hire, with a default card if one is named."""
        organisation = f"org-{new_id()}"
        journey = Journey(
            self.services,
            self.caller("employer", organisation=organisation),
            self.caller("trainer"),
        )
        await journey.publish_job(**job)
        await journey.submit_proposal()
        if card:
            await journey.save_card(self.browser, card)
        return journey

    async def proposed_beside(self, first: Journey) -> Journey:
        """Another trainer's journey up to the same employer's click on Hire, for the same job."""
        journey = Journey(self.services, first.employer, self.caller("trainer"), first.job)
        await journey.submit_proposal()
        return journey

    async def hire(self, journey: Journey, hire_id: str) -> Hire:
        request = hire_pb2.GetHireRequest(hire_id=hire_id)
        return (await journey.employer.call(journey.services.hiring.GetHire, request)).hire

    async def until(self, journey: Journey, hire_id: str, held: Callable[[Hire], bool]) -> Hire:
        """The hire as soon as something holds of it; bounded."""
        pause = 0.05
        async with asyncio.timeout(100):
            while True:
                hire = await self.hire(journey, hire_id)
                if held(hire):
                    return hire
                await asyncio.sleep(pause)  # between two looks, ever rarer: some wait for long
                pause = min(pause * 1.2, 0.5)

    async def ended(self, journey: Journey, hire_id: str) -> Hire:
        return await self.until(
            journey, hire_id, lambda hire: hire.state != hire_pb2.HIRE_STATE_RUNNING
        )

    async def audited(self, *hire_ids: str) -> None:
        """Every sentence of the independent checker holds of these hires."""
        findings = await audit(self.sources, hire_ids)
        assert not findings, "\n".join(f"{f.kind} {f.hire_id}: {f.told}" for f in findings)

    async def fault(self, **rule: Any) -> None:
        (await self.sandbox.post("/_sandbox/faults", json=rule)).raise_for_status()

    async def hold_reached(self, operation: str) -> int:
        """Wait until the sandbox holds an answer; its id."""
        answer = await self.sandbox.get(
            "/_sandbox/wait/hold", params={"operation": operation, "timeout": 20}
        )
        answer.raise_for_status()
        holds = (await self.sandbox.get("/_sandbox/holds")).json()["holds"]
        return int(next(hold["id"] for hold in holds if hold["operation"] == operation))

    async def release(self, hold: int) -> None:
        (await self.sandbox.post(f"/_sandbox/holds/{hold}/release")).raise_for_status()

    @asynccontextmanager
    async def webhooks(self, *rules: dict[str, Any]) -> AsyncIterator[None]:
        """What happens to webhooks meanwhile: each rule as the sandbox's control API takes it."""
        for rule in rules:
            added = await self.sandbox.post("/_sandbox/webhooks/faults", json=rule)
            added.raise_for_status()
        try:
            yield
        finally:
            (await self.sandbox.delete("/_sandbox/webhooks/faults")).raise_for_status()

    @asynccontextmanager
    async def late_webhooks(self) -> AsyncIterator[None]:
        """No webhook arrives before the block ends; then all do."""
        (await self.sandbox.post("/_sandbox/webhooks/hold")).raise_for_status()
        try:
            yield
        finally:
            (await self.sandbox.post("/_sandbox/webhooks/release")).raise_for_status()

    @asynccontextmanager
    async def without(self, name: str, *, killed: bool = False) -> AsyncIterator[None]:
        """A process does not run until the block ends: stopped in an orderly way, or killed."""
        await (self.stack.kill(name) if killed else self.stack.stop(name))
        assert self.stack.process(name).pid is None
        try:
            yield
        finally:
            await self.stack.start(name)

    def stop_at(self, point: str, part_of_key: str) -> AbstractContextManager[Stop]:
        """Hold whichever process comes to this instant; see `services.common.stop_points`."""
        return armed(self.stops, point, part_of_key)

    async def told(self, journey: Journey, hire_id: str, what: str) -> Hire:
        """The hire as soon as its story tells this; the story must not end without."""
        async with asyncio.timeout(90):
            async for each in journey.watch(hire_id):
                if each.step.what == what:
                    return each.hire
        raise AssertionError(f"the story ended without {what}")

    async def story(self, journey: Journey, hire_id: str) -> list[str]:
        """What happened, step by step, to a hire that ended."""
        return [each.step.what async for each in journey.watch(hire_id)]

    async def charges(self, hire: Hire) -> list[dict[str, Any]]:
        """The charges that Stripe made for the hire's contract, refused ones left out."""
        query = {"limit": "100", "transfer_group": hire.contract_id}
        listed = (await self.sandbox.get("/v1/charges", params=query)).raise_for_status().json()
        return [charge for charge in listed["data"] if charge["status"] == "succeeded"]

    async def intents(self, hire: Hire) -> list[dict[str, Any]]:
        """The payment intents that Stripe has for the hire's contract, newest first."""
        listed = await self.sandbox.get("/v1/payment_intents", params={"limit": "100"})
        found = listed.raise_for_status().json()["data"]
        return [intent for intent in found if intent["transfer_group"] == hire.contract_id]

    async def refunds(self, charge_id: str) -> list[dict[str, Any]]:
        """The refunds that Stripe made of a charge."""
        query = {"limit": "100", "charge": charge_id}
        listed = (await self.sandbox.get("/v1/refunds", params=query)).raise_for_status().json()
        return list(listed["data"])

    async def net_charged(self, hire: Hire) -> tuple[int, int]:
        """How many charges the proposal's hires have, and charged minus refunded in minor units."""
        charges: list[dict[str, Any]] = []
        query = {"limit": "100"}
        while True:
            listed = (await self.sandbox.get("/v1/charges", params=query)).raise_for_status().json()
            charges += [
                charge
                for charge in listed["data"]
                if charge["metadata"].get("workflow_id") == hire.workflow_id
                and charge["status"] == "succeeded"
            ]
            if not listed["has_more"]:
                break
            query["starting_after"] = listed["data"][-1]["id"]
        return len(charges), sum(c["amount"] - c["amount_refunded"] for c in charges)

    @asynccontextmanager
    async def hiring_with(self, **settings: Any) -> AsyncIterator[Callable[[Journey], None]]:
        """One more hiring API on the same data with other deadlines, for journeys it takes over."""
        told = {
            name.removeprefix("HIREFLOW_").lower(): value
            for name, value in self.stack.environment("hiring").items()
            if name.startswith("HIREFLOW_")
        }
        own = {
            "listen": "127.0.0.1:0",
            "webhook_listen": "127.0.0.1:0",
            "log_level": "WARNING",
            # Exporting outlives the block, in this process, and the collector does not.
            "otlp_endpoint": "",
        }
        made = HiringSettings.model_validate({**told, **own, **settings})
        async with running(made, "hiring", [wiring.build]) as process:
            await process.ready()
            async with grpc.aio.insecure_channel(process.address) as channel:
                stub = hire_pb2_grpc.HiringServiceStub(channel)
                taken: list[Journey] = []

                def take_over(journey: Journey) -> None:
                    journey.services = replace(journey.services, hiring=stub)
                    taken.append(journey)

                yield take_over
                for journey in taken:
                    journey.services = self.services


def told(collector: Collector, stops: Path) -> dict[str, dict[str, str]]:
    """What every process is told: export at once, stop where a test says, wait for less long."""
    more = {
        "HIREFLOW_OTLP_ENDPOINT": f"http://{collector.address}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",  # milliseconds
        "OTEL_METRIC_EXPORT_INTERVAL": "5000",  # milliseconds
        "HIREFLOW_STOP_POINTS": str(stops),
        "HIREFLOW_NATS_ACK_WAIT": "5",
        # A test that looks at a trace says so in its traceparent.
        "OTEL_TRACES_SAMPLER": "parentbased_always_off",
    }
    return {
        **ROOMY,
        **dict.fromkeys((*SERVICES, "hiring"), more),
        "worker": {**more, **WORKER},
    }


@pytest.fixture(scope="session")
async def system(
    tmp_path_factory: pytest.TempPathFactory, forks: ForkServer
) -> AsyncIterator[System]:
    async with AsyncExitStack() as resources:
        collector = await resources.enter_async_context(collecting())
        stops = tmp_path_factory.mktemp("stops")
        stack = await resources.enter_async_context(
            Stack.open(
                tmp_path_factory.mktemp("system"),
                env_overrides=told(collector, stops),
                forks=forks,
            )
        )
        operator = Caller("operator-audit", stack.mint_token("operator", sub="operator-audit"))
        sources = await resources.enter_async_context(
            open_sources(stack.addresses, operator, api_key(stack.data))
        )
        browser = Browser(stack.addresses.stripe_base)
        try:
            yield System(
                stack, sources.services, browser, sources.stripe, sources, stops, collector
            )
        finally:
            await browser.close()
