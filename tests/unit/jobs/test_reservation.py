"""Every state of a reservation against every transition."""

import pytest

from services.common.errors import Refused
from services.jobs.domain import Reservation, ReservationState

RESERVED = Reservation("hire-1", "job-1", ReservationState.RESERVED)
RELEASED = Reservation("hire-1", "job-1", ReservationState.RELEASED)
FILLED = Reservation("hire-1", "job-1", ReservationState.FILLED, "contract-1")


def test_a_reserved_position_is_released_or_filled() -> None:
    assert RESERVED.release() == RELEASED
    assert RESERVED.fill("contract-1") == FILLED


def test_releasing_again_changes_nothing() -> None:
    assert RELEASED.release() == RELEASED


def test_a_filled_position_is_not_released() -> None:
    with pytest.raises(Refused) as refused:
        FILLED.release()
    assert refused.value.reason == "WRONG_STATE"


def test_a_released_position_is_not_filled() -> None:
    with pytest.raises(Refused) as refused:
        RELEASED.fill("contract-1")
    assert refused.value.reason == "RESERVATION_RELEASED"


def test_a_filled_position_is_not_filled_again() -> None:
    with pytest.raises(Refused) as refused:
        FILLED.fill("contract-2")
    assert refused.value.reason == "WRONG_STATE"


def test_only_the_contract_that_fills_a_position_is_known_as_such() -> None:
    assert FILLED.filled_by("contract-1")
    assert not FILLED.filled_by("contract-2")
    assert not RESERVED.filled_by("")


def test_only_a_released_hire_is_refused_for_ever() -> None:
    RESERVED.require_not_released()
    FILLED.require_not_released()
    with pytest.raises(Refused) as refused:
        RELEASED.require_not_released()
    assert refused.value.reason == "RESERVATION_RELEASED"
