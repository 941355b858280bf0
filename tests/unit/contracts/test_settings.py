"""The fees that the environment tells."""

import pytest
from pydantic import ValidationError

from services.contracts.domain import Fees
from services.contracts.settings import FeeSettings


def test_without_a_word_the_fees_are_ten_percent_and_995_cents_per_contract() -> None:
    assert FeeSettings().fees == Fees(1000, 995)


def test_the_environment_sets_the_fees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIREFLOW_MARKETPLACE_FEE_BPS", "750")
    monkeypatch.setenv("HIREFLOW_CONTRACT_FEE_MINOR", "0")
    assert FeeSettings().fees == Fees(750, 0)


@pytest.mark.parametrize("share", ["-1", "10001", "ten"])
def test_a_share_that_is_none_is_refused(share: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIREFLOW_MARKETPLACE_FEE_BPS", share)
    with pytest.raises(ValidationError):
        FeeSettings()
