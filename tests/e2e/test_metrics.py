"""What the processes tell Prometheus, and the alerts that are made of it."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import promql_parser
import pytest
import yaml

from deploy.local.applications import SERVICES
from deploy.local.state import read_status
from hireflow.hiring.v1 import hire_pb2
from tests.e2e.conftest import System
from tests.scraping import Scrape, scrape
from tests.waiting import until

ROOT = Path(__file__).parents[2]
OURS = (*SERVICES, "hiring", "worker")
# Prometheus itself tells whether a scrape succeeded.
OF_PROMETHEUS = {"up"}
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]


def address_of(system: System, process: str) -> str:
    told = read_status(system.stack.data).content["processes"]
    addresses = next(each["addresses"] for each in told if each["name"] == process)
    return str(urlsplit(addresses["metrics"]).netloc)


async def scraped(system: System, process: str, name: str = "") -> Scrape:
    return await scrape(address_of(system, process), name)


async def until_told(
    system: System, process: str, name: str, held: Callable[[float], bool], **of: str
) -> None:
    async def holds() -> bool:
        return held((await scraped(system, process, name)).find(name, **of) or 0)

    await until(holds)


def names_in(expression: str) -> set[str]:
    found: set[str] = set()

    def note(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name, f"a selector without a name in {expression}"
            found.add(node.name)
        return True

    promql_parser.walk(promql_parser.parse(expression), note)
    return found


async def test_every_name_in_the_alerts_is_told_by_a_process_once_a_hire_was_done(
    system: System,
) -> None:
    journey = await system.proposed("pm_card_visa")
    started = await journey.start(await journey.start_request())
    hire = await system.ended(journey, started.hire.hire_id)
    assert hire.state == hire_pb2.HIRE_STATE_HIRED
    wanted = set().union(*(names_in(rule["expr"]) for rule in RULES)) - OF_PROMETHEUS
    assert "hireflow_outbox_unsent_age_seconds" in wanted
    told: set[str] = set()

    async def all_are_told() -> bool:
        scrapes = await asyncio.gather(*(scraped(system, process) for process in OURS))
        for each in scrapes:
            assert "hireflow_dependency_up" in each.names
            assert "process_resident_memory_bytes" in each.names
            told.update(each.names)
        return wanted <= told

    try:
        await until(all_are_told)
    except TimeoutError:
        assert wanted - told == set()


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_each_alert_stands_in_the_document_as_it_is(rule: dict[str, Any]) -> None:
    expression = " ".join(rule["expr"].split()).replace("|", r"\|")
    cells = (
        rule["alert"],
        f"`{expression}`",
        rule.get("for", "at once"),
        rule["labels"]["severity"],
        rule["annotations"]["description"],
        rule["annotations"]["action"],
    )
    assert f"| {' | '.join(cells)} |" in document_rows()


def test_the_document_tells_of_no_alert_that_is_none() -> None:
    assert len(list(document_rows())) == len(RULES) + 2  # the head and its line


def document_rows() -> Iterator[str]:
    text = (ROOT / "docs/alerts.md").read_text()
    return (line for line in text.splitlines() if line.startswith("|"))


async def test_a_hire_that_waits_for_its_client_is_seen_by_stage_until_it_goes_on(
    system: System,
) -> None:
    name = "hireflow_hires_running"
    of = {"hireflow_hire_stage": "FUNDING", "hireflow_hire_waiting_for": "CLIENT_CONFIRMATION"}
    before = (await scraped(system, "hiring")).find(name, **of) or 0
    journey = await system.proposed("pm_card_authenticationRequired")
    started = await journey.start(await journey.start_request())
    await until_told(system, "hiring", name, lambda value: value == before + 1, **of)
    await system.browser.authenticate(started.client_secret)
    await system.ended(journey, started.hire.hire_id)
    await until_told(system, "hiring", name, lambda value: value == before, **of)


async def test_a_fault_of_stripe_is_counted_by_operation_and_outcome(system: System) -> None:
    name = "hireflow_stripe_call_duration_seconds_count"
    limited = {
        "hireflow_stripe_operation": "POST payment_intents",
        "hireflow_stripe_outcome": "limited",
    }
    declined = {
        "hireflow_stripe_operation": "POST payment_intents/confirm",
        "hireflow_stripe_outcome": "declined",
    }
    before = await scraped(system, "worker")
    await system.fault(kind="429", operation="payment_intents.create")
    journey = await system.proposed("pm_card_chargeCustomerFail")
    started = await journey.start(await journey.start_request())
    assert started.hire.waiting_for == hire_pb2.HIRE_WAITING_FOR_PAYMENT_METHOD
    after = await scraped(system, "worker")
    for of in (limited, declined):
        assert after.find(name, **of) == (before.find(name, **of) or 0) + 1


async def test_what_the_webhook_takes_twice_or_refuses_is_counted(system: System) -> None:
    name = "hireflow_webhook_deliveries_total"
    before = await scraped(system, "hiring")

    def more(outcome: str) -> Callable[[float], bool]:
        counted = before.find(name, hireflow_webhook_outcome=outcome)
        assert counted is not None, "told from the start"
        return lambda value: value > counted

    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(system.stack.addresses.webhook_url, content=b"{}")
    assert answer.status_code == 400
    async with system.webhooks({"kind": "duplicate"}):
        journey = await system.proposed("pm_card_visa")
        started = await journey.start(await journey.start_request())
        await system.ended(journey, started.hire.hire_id)
        for outcome in ("refused", "repeated", "stored"):
            of = {"hireflow_webhook_outcome": outcome}
            await until_told(system, "hiring", name, more(outcome), **of)


async def test_the_same_metrics_are_pushed_where_a_collector_is_configured(system: System) -> None:
    expected = {(f"hireflow-{process}", "hireflow.dependency.up") for process in OURS} | {
        ("hireflow-hiring", "hireflow.hires.running"),
        ("hireflow-worker", "temporal_num_pollers"),
    }
    await until(lambda: expected <= system.collector.metrics)
