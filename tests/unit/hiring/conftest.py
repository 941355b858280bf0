from datetime import UTC, datetime

import pytest

from workflows.hiring.domain import (
    Actor,
    Hire,
    HireTerms,
    Milestone,
    Terms,
    Totals,
    Verdict,
    Wish,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def hire() -> Hire:
    return Hire(
        hire_id="h-1",
        proposal_id="p-1",
        job_id="j-1",
        organisation_id="o-1",
        trainer_id="t-1",
        customer_id="cus_1",
        requested_by=Actor("EMPLOYER", "user-1"),
        create_time=NOON,
        update_time=NOON,
        stands_since=NOON,
    )


@pytest.fixture
def wish() -> Wish:
    return Wish("p-1", Milestone("First batch", "Rate *cats*", 45_000, "USD"), False)


@pytest.fixture
def terms(wish: Wish) -> HireTerms:
    return HireTerms(
        hire_id="h-1",
        revision=1,
        terms=Terms("First batch", "Rate *cats*", Totals(45_000, 4_500, 995, "USD"), None),
        confirm_declined=False,
        payment_method_id="pm_1",
        requested_by=Actor("EMPLOYER", "user-1"),
        requested_at=NOON,
        fingerprint=wish.fingerprint,
        verdict=Verdict.ACCEPTED,
    )
