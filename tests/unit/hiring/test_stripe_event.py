from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.hiring.test_funding import funding
from workflows.hiring.domain import SUBSCRIBED, FundingState, Route, StripeEvent

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVENT = StripeEvent(
    event_id="evt_1",
    type="payment_intent.succeeded",
    object_id="pi_1",
    status="succeeded",
    env="test",
    funding_id="f-1",
    received_at=NOON,
)


def test_an_event_of_an_open_funding_hints_its_workflow() -> None:
    assert EVENT.route(funding(FundingState.OPEN), "test", NOON) is Route.HINTED


@pytest.mark.parametrize("state", [state for state in FundingState if state != FundingState.OPEN])
def test_an_event_of_a_closed_funding_is_a_late_fact(state: FundingState) -> None:
    assert EVENT.route(funding(state), "test", NOON) is Route.LATE_FACT


def test_an_event_before_its_funding_waits_a_quarter_of_an_hour() -> None:
    assert EVENT.route(None, "test", NOON + timedelta(minutes=14)) is Route.WAITING
    assert EVENT.route(None, "test", NOON + timedelta(minutes=15)) is Route.UNROUTABLE


@pytest.mark.parametrize("change", [{"env": "production"}, {"env": ""}, {"funding_id": ""}])
def test_what_another_environment_made_is_unroutable(change: dict[str, str]) -> None:
    event = replace(EVENT, **change)  # type: ignore[arg-type] # fields by name
    assert event.route(funding(FundingState.OPEN), "test", NOON) is Route.UNROUTABLE


@pytest.mark.parametrize(
    ("kind", "route"),
    [
        ("refund.failed", Route.LATE_FACT),
        ("charge.refund.updated", Route.LATE_FACT),
        ("charge.refunded", Route.IGNORED),
        ("charge.dispute.created", Route.LATE_FACT),
        ("transfer.reversed", Route.UNROUTABLE),
        ("payout.failed", Route.UNROUTABLE),
        ("customer.created", Route.IGNORED),
        ("charge.succeeded", Route.IGNORED),
    ],
)
def test_money_after_the_hire_never_goes_to_the_hire(kind: str, route: Route) -> None:
    event = replace(EVENT, type=kind)
    assert event.route(funding(FundingState.OPEN), "test", NOON) is route


@pytest.mark.parametrize("kind", SUBSCRIBED)
def test_what_the_endpoint_is_subscribed_to_is_never_ignored(kind: str) -> None:
    event = replace(EVENT, type=kind)
    assert event.route(funding(FundingState.OPEN), "test", NOON) is not Route.IGNORED


def test_only_what_contradicts_a_closed_funding_is_news() -> None:
    canceled = replace(EVENT, type="payment_intent.canceled")
    assert EVENT.tells_nothing_new(funding(FundingState.PAID))
    assert canceled.tells_nothing_new(funding(FundingState.CANCELED))
    assert not EVENT.tells_nothing_new(funding(FundingState.CANCELED))
    assert not canceled.tells_nothing_new(funding(FundingState.PAID))
