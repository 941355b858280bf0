import pytest

from services.common.errors import Refused
from workflows.hiring.domain import Funding, FundingChange, FundingState

ALLOWED = {
    (FundingState.OPEN, FundingState.PAID),
    (FundingState.OPEN, FundingState.CANCELED),
    (FundingState.CANCELED, FundingState.REFUNDED),
    (FundingState.PAID, FundingState.REFUNDED),
}


def funding(state: FundingState) -> Funding:
    return Funding(
        funding_id="f-1",
        hire_id="h-1",
        milestone_id="m-1",
        contract_id="c-1",
        organisation_id="o-1",
        workflow_id="hire/p-1",
        revision=1,
        customer_id="cus_1",
        amount=50_495,
        currency="USD",
        state=state,
        intent_id=None,
        charge_id=None,
        create_sent_at=None,
    )


@pytest.mark.parametrize("before", list(FundingState))
@pytest.mark.parametrize("after", list(FundingState))
def test_a_funding_moves_only_as_the_provider_can_have_moved_it(
    before: FundingState, after: FundingState
) -> None:
    change = FundingChange("f-1", after)
    if before is after or (before, after) in ALLOWED:
        funding(before).require(change)
        return
    with pytest.raises(Refused) as refused:
        funding(before).require(change)
    assert refused.value.reason == "WRONG_STATE"


def test_what_was_canceled_or_given_back_is_closed() -> None:
    closed = {state for state in FundingState if funding(state).closed}
    assert closed == {FundingState.CANCELED, FundingState.REFUNDED}
