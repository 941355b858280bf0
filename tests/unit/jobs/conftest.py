from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.jobs.domain import Job, Pay, PayKind, Posting, State

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def posting() -> Posting:
    """A posting that lacks nothing."""
    return Posting(
        title="Rate cat pictures",
        description="Tell **cats** from dogs.",
        category="image-annotation",
        required_languages=("en", "pt-BR"),
        required_skills=("annotation",),
        required_countries=("DE", "BR"),
        pay=Pay(PayKind.HOURLY, 1500, 3000, "USD"),
        positions=2,
    )


@pytest.fixture
def jobs(posting: Posting) -> dict[State, Job]:
    """The same complete job in every state; one position is reserved where a hire may hold one."""
    draft = Job.draft("job-1", "org-1", posting, NOON)
    published = draft.publish(NOON).reserve(NOON)
    return {
        State.DRAFT: draft,
        State.PUBLISHED: published,
        State.HIRING_DONE: published.finish_hiring(NOON),
        State.ARCHIVED: replace(published, state=State.ARCHIVED),
    }
