from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.contracts.domain import (
    Charge,
    Contract,
    ContractState,
    MilestoneTerms,
    Parties,
    Quote,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def terms() -> MilestoneTerms:
    return MilestoneTerms("First hundred", "Rate *them*.", 45000, "USD", date(2027, 1, 31))


@pytest.fixture
def quote() -> Quote:
    return Quote(45000, 4500, 995, "USD")


@pytest.fixture
def charge() -> Charge:
    return Charge("ch_1", "pi_1", "funding-1", 50495, "USD")


@pytest.fixture
def contracts(terms: MilestoneTerms, quote: Quote, charge: Charge) -> dict[ContractState, Contract]:
    """The same contract in every state; the milestone stands as that state's hire left it."""
    parties = Parties("org-1", "trainer-1", "job-1", "proposal-1", "hire-1")
    pending = Contract.propose(
        "contract-1", parties, milestone_id="milestone-1", terms=terms, quote=quote, now=NOON
    )
    active = pending.activate("milestone-1", charge, NOON)
    return {
        ContractState.PENDING: pending,
        ContractState.ACTIVE: active,
        ContractState.ENDED: replace(active, state=ContractState.ENDED, end_time=NOON),
        ContractState.CANCELLED: pending.cancel(NOON),
    }
