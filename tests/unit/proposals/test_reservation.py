"""Every state of a hire's reservation against what comes next."""

import pytest

from services.common.errors import Refused
from services.proposals.domain import Reservation, ReservationState, ReviewState


def _reservation(state: ReservationState) -> Reservation:
    contract_id = "c1" if state is ReservationState.HIRED else ""
    return Reservation("h1", "p1", state, contract_id)


@pytest.mark.parametrize("state", ReservationState)
def test_only_an_undone_hire_may_not_reserve(state: ReservationState) -> None:
    reservation = _reservation(state)
    if state is ReservationState.RELEASED:
        with pytest.raises(Refused) as caught:
            reservation.require_not_released()
        assert caught.value.reason == "RESERVATION_RELEASED"
    else:
        reservation.require_not_released()


@pytest.mark.parametrize("state", ReservationState)
def test_all_but_a_hire_that_ended_well_is_released(state: ReservationState) -> None:
    reservation = _reservation(state)
    if state is ReservationState.HIRED:
        with pytest.raises(Refused) as caught:
            reservation.release()
        assert caught.value.reason == "WRONG_STATE"
    else:
        assert reservation.release().state is ReservationState.RELEASED


@pytest.mark.parametrize("state", ReservationState)
@pytest.mark.parametrize("contract_id", ["c1", "c2"])
def test_a_hire_ends_well_once_with_one_contract(state: ReservationState, contract_id: str) -> None:
    reservation = _reservation(state)
    refusals = {
        (ReservationState.RELEASED, "c1"): "RESERVATION_RELEASED",
        (ReservationState.RELEASED, "c2"): "RESERVATION_RELEASED",
        (ReservationState.HIRED, "c2"): "WRONG_STATE",
    }
    expected = refusals.get((state, contract_id), "")
    if expected:
        with pytest.raises(Refused) as caught:
            reservation.hire(contract_id, ReviewState.MAYBE)
        assert caught.value.reason == expected
        return
    end = reservation.hire(contract_id, ReviewState.MAYBE)
    assert (end.state, end.contract_id) == (ReservationState.HIRED, contract_id)
    first = state is ReservationState.RESERVED
    assert end.reviewed is (ReviewState.MAYBE if first else reservation.reviewed)
    assert end.hire(contract_id, ReviewState.HIRED) == end


@pytest.mark.parametrize("contract_id", ["", "c2"])
def test_a_hire_that_ended_well_is_let_go_by_its_own_contract_alone(contract_id: str) -> None:
    hired = _reservation(ReservationState.HIRED)
    with pytest.raises(Refused) as caught:
        hired.release(contract_id)
    assert caught.value.reason == "WRONG_STATE"
    released = hired.release("c1")
    assert (released.state, released.contract_id) == (ReservationState.RELEASED, "")
    assert released.release("c1") == released
