"""A trainer, a job and the proposal between them."""

from datetime import UTC, datetime

import pytest

from services.proposals.domain import Job, Offer, Profile, Proposal, RateUnit

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def job() -> Job:
    return Job("j", "o", "PUBLISHED", "PUBLIC", ("en", "de"), ("medicine",), ("US", "DE"))


@pytest.fixture
def profile() -> Profile:
    languages, skills = ("en",), ("medicine",)
    return Profile("t", "Jordan", "Lee", "DE", "Physician", languages, skills, "cv-1", NOW)


@pytest.fixture
def offer() -> Offer:
    return Offer("Hello", "", 6000, "USD", RateUnit.HOUR)


@pytest.fixture
def fresh(job: Job, profile: Profile, offer: Offer) -> Proposal:
    return Proposal.submit("p", job, profile, None, offer, now=NOW)
