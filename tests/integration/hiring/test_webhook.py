import asyncio
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.integration.hiring.conftest import WEBHOOK_SECRET
from tests.integration.hiring.world import World, funding_draft, new_id
from workflows.hiring.domain import FundingDraft, LateKind, Route, StripeEvent
from workflows.hiring.store.tables import STRIPE_EVENT
from workflows.hiring.use_cases.desk import Desk
from workflows.hiring.use_cases.fundings import freeze_funding
from workflows.hiring.use_cases.stripe_events import route_events, store_event
from workflows.payments.webhook import LARGEST_BODY, webhook_app


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def event(kind: str = "payment_intent.succeeded", **metadata: str) -> dict[str, Any]:
    return {
        "id": new_id("evt"),
        "object": "event",
        "type": kind,
        "data": {
            "object": {
                "id": new_id("pi"),
                "status": "succeeded",
                "client_secret": "never to be kept",
                "receipt_email": "anna@example.com",
                "metadata": metadata,
            }
        },
    }


def signature(body: bytes, secret: str = WEBHOOK_SECRET, at: float | None = None) -> str:
    stamp = int(at if at is not None else time.time())
    signed = hmac.new(secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    return f"t={stamp},v1={signed}"


async def post(http: httpx.AsyncClient, world: World, told: dict[str, Any]) -> int:
    body = json.dumps(told).encode()
    headers = {"stripe-signature": signature(body)}
    return (await http.post(world.webhook, content=body, headers=headers)).status_code


async def stored(world: World, told: dict[str, Any]) -> sa.RowMapping | None:
    query = sa.select(STRIPE_EVENT).where(STRIPE_EVENT.c.event_id == told["id"])
    async with world.hiring.database.read() as connection:
        return (await connection.execute(query)).mappings().one_or_none()


async def routed(world: World, told: dict[str, Any], route: Route) -> None:
    async def there() -> bool:
        row = await stored(world, told)
        return row is not None and row["route"] == route

    await world.until(there)


async def open_funding(world: World, organisation_id: str) -> FundingDraft:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    draft = funding_draft(hire)
    await freeze_funding(world.hiring, draft)
    return draft


async def test_an_event_of_an_open_funding_hints_its_workflow_once_however_often_it_is_sent(
    world: World, http: httpx.AsyncClient, organisation_id: str
) -> None:
    draft = await open_funding(world, organisation_id)
    told = event(env="test", funding_id=draft.funding_id)
    answers = await asyncio.gather(*(post(http, world, told) for _ in range(10)))
    assert set(answers) == {200}
    await routed(world, told, Route.HINTED)
    hint = (draft.workflow_id, told["data"]["object"]["id"])
    assert world.stories.hints.count(hint) == 1


async def test_neither_secrets_nor_personal_data_are_stored(
    world: World, http: httpx.AsyncClient
) -> None:
    told = event(env="test", funding_id="f")
    await post(http, world, told)
    row = await stored(world, told)
    assert row is not None
    assert row["payload"] == {"status": "succeeded", "env": "test"}


async def test_what_is_not_signed_by_stripe_is_refused_and_not_stored(
    world: World, http: httpx.AsyncClient
) -> None:
    told = event()
    body = json.dumps(told).encode()
    for header in (
        None,
        "",
        "t=1,v1=00",
        signature(body, secret="whsec_of_another"),
        signature(body, at=time.time() - 301),
        signature(body + b" "),
    ):
        headers = {} if header is None else {"stripe-signature": header}
        answer = await http.post(world.webhook, content=body, headers=headers)
        assert answer.status_code == 400, header
    assert await stored(world, told) is None


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b'{"id": 1, "data": {"object": {}}}'])
async def test_what_is_signed_but_no_event_is_refused(
    world: World, http: httpx.AsyncClient, body: bytes
) -> None:
    headers = {"stripe-signature": signature(body)}
    assert (await http.post(world.webhook, content=body, headers=headers)).status_code == 400


async def test_a_body_larger_than_any_event_is_refused(
    world: World, http: httpx.AsyncClient
) -> None:
    body = b"x" * (LARGEST_BODY + 1)
    headers = {"stripe-signature": signature(body)}
    assert (await http.post(world.webhook, content=body, headers=headers)).status_code == 413


def test_an_empty_secret_is_refused_when_the_endpoint_is_built() -> None:
    async def store(_: StripeEvent) -> bool:
        return True

    with pytest.raises(ValueError, match="anybody could sign"):
        webhook_app(" ", store, lambda: datetime.now(UTC))


async def test_events_in_any_order_hint_alike(
    world: World, http: httpx.AsyncClient, organisation_id: str
) -> None:
    draft = await open_funding(world, organisation_id)
    kinds = ("payment_intent.succeeded", "payment_intent.processing", "payment_intent.created")
    for kind in kinds:
        told = event(kind, env="test", funding_id=draft.funding_id)
        assert await post(http, world, told) == 200
        await routed(world, told, Route.HINTED)


async def test_an_event_of_a_closed_funding_is_a_late_fact(
    world: World, http: httpx.AsyncClient, organisation_id: str
) -> None:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    draft = await world.fund(hire, 2)
    await world.pay(draft, 3)
    hints = len(world.stories.hints)
    looked_at = {
        "payment_intent.succeeded": [],  # known from the answer to our own call
        "payment_intent.canceled": [LateKind.INTENT],
        "refund.failed": [LateKind.REFUND],
        "charge.dispute.created": [LateKind.DISPUTE],
    }
    for kind, expected in looked_at.items():
        told = event(kind, env="test", funding_id=draft.funding_id)
        await post(http, world, told)
        await routed(world, told, Route.LATE_FACT)
        object_id = told["data"]["object"]["id"]
        assert [late for late, about in world.stories.late_facts if about == object_id] == expected
    assert len(world.stories.hints) == hints


async def test_an_event_whose_workflow_is_over_is_a_late_fact(
    world: World, http: httpx.AsyncClient, organisation_id: str
) -> None:
    draft = await open_funding(world, organisation_id)
    del world.stories.running[draft.hire_id]
    told = event(env="test", funding_id=draft.funding_id)
    await post(http, world, told)
    await routed(world, told, Route.LATE_FACT)
    assert (LateKind.INTENT, told["data"]["object"]["id"]) in world.stories.late_facts


async def test_a_late_fact_waits_while_temporal_is_down(
    world: World, http: httpx.AsyncClient, organisation_id: str
) -> None:
    told = event("refund.failed")
    world.stories.down = True
    try:
        assert await post(http, world, told) == 200

        async def tried() -> bool:
            row = await stored(world, told)
            return row is not None and row["attempts"] > 0

        await world.until(tried)
    finally:
        world.stories.down = False
    row = await stored(world, told)
    assert row is not None
    assert row["routed_at"] is None
    await route_events(at(world, timedelta(minutes=1)).hiring, world.stories, "test")
    await routed(world, told, Route.LATE_FACT)
    assert (LateKind.REFUND, told["data"]["object"]["id"]) in world.stories.late_facts


async def test_what_concerns_nothing_of_ours_is_told_apart(
    world: World, http: httpx.AsyncClient
) -> None:
    foreign, unused = event(env="production", funding_id="f"), event("customer.created")
    payout = event("payout.failed")
    for told in (foreign, event(), unused, payout):
        assert await post(http, world, told) == 200
    await routed(world, foreign, Route.UNROUTABLE)
    await routed(world, payout, Route.UNROUTABLE)
    await routed(world, unused, Route.IGNORED)


async def test_an_event_before_its_funding_waits_for_it_and_not_for_ever(
    world: World, http: httpx.AsyncClient, organisation_id: str
) -> None:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    draft = funding_draft(hire)
    told = event(env="test", funding_id=draft.funding_id)
    never = event(env="test", funding_id=new_id("funding"))
    for each in (told, never):
        await post(http, world, each)
        await routed(world, each, Route.WAITING)
    await freeze_funding(world.hiring, draft)
    await route_events(at(world, timedelta(seconds=6)).hiring, world.stories, "test")
    await routed(world, told, Route.HINTED)
    await route_events(at(world, timedelta(minutes=16)).hiring, world.stories, "test")
    await routed(world, never, Route.UNROUTABLE)


async def test_an_event_that_was_stored_by_a_process_that_died_is_routed_by_another(
    world: World, organisation_id: str
) -> None:
    draft = await open_funding(world, organisation_id)
    told = event(env="test", funding_id=draft.funding_id)
    left = StripeEvent(
        event_id=told["id"],
        type=told["type"],
        object_id=told["data"]["object"]["id"],
        status="succeeded",
        env="test",
        funding_id=draft.funding_id,
        received_at=datetime.now(UTC),
    )
    assert await store_event(world.hiring, left)
    assert not await store_event(world.hiring, left)
    await routed(world, told, Route.HINTED)


async def test_a_hint_waits_while_temporal_is_down(
    world: World, http: httpx.AsyncClient, organisation_id: str
) -> None:
    draft = await open_funding(world, organisation_id)
    told = event(env="test", funding_id=draft.funding_id)
    world.stories.down = True
    try:
        assert await post(http, world, told) == 200

        async def tried() -> bool:
            row = await stored(world, told)
            return row is not None and row["attempts"] > 0

        await world.until(tried)
    finally:
        world.stories.down = False
    row = await stored(world, told)
    assert row is not None
    assert row["routed_at"] is None
    await route_events(at(world, timedelta(minutes=1)).hiring, world.stories, "test")
    await routed(world, told, Route.HINTED)


def at(world: World, later: timedelta) -> Desk:
    """The same desk with a clock that runs ahead."""
    hiring = replace(world.hiring, clock=lambda: datetime.now(UTC) + later)
    return replace(world.desk, hiring=hiring)
