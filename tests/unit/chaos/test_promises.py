"""What a client was told against what became of its hire: each promise broken once and found."""

from dataclasses import replace

from google.protobuf.timestamp_pb2 import Timestamp

from deploy.local.audit import Facts, Kind
from deploy.local.chaos.clients import CANCELLED, EXPIRED, HIRED, Case
from deploy.local.chaos.plan import HireKind, PlannedHire
from deploy.local.chaos.promises import promises_broken
from tests.unit.audit.facts import changed, hired, undone

BEGAN = Timestamp(seconds=1793000000)


def case(kind: HireKind = HireKind.GOOD_CARD, **known: object) -> Case:
    """A client of the one hire, at rest: promised nothing, told nothing."""
    planned = PlannedHire(number=1, kind=kind, at=0, pause=0, twist=False)
    made = Case(planned, "organisation", proposals=["proposal"], done=True)
    for name, value in known.items():
        setattr(made, name, value)
    return made


def found(one: Case, facts: Facts) -> list[Kind]:
    return [finding.kind for finding in promises_broken([one], facts, 10.0)]


def expired_after(seconds: int) -> Facts:
    facts = undone()
    hire = changed(
        facts.hires["hire"],
        end_reason="PAYMENT_EXPIRED",
        create_time=BEGAN,
        end_time=Timestamp(seconds=BEGAN.seconds + seconds),
    )
    return replace(facts, hires={"hire": hire})


def test_an_end_that_was_promised_is_no_finding() -> None:
    assert found(case(allowed={"hire": {HIRED}}), hired()) == []
    assert found(case(allowed={"hire": {CANCELLED, EXPIRED}}), undone()) == []


def test_an_accepted_cancel_that_ended_hired_is_told() -> None:
    assert found(case(allowed={"hire": {CANCELLED}}), hired()) == [Kind.PROMISE]


def test_a_payment_that_stripe_took_and_a_hire_undone_is_told() -> None:
    assert found(case(allowed={"hire": {HIRED}}), undone()) == [Kind.PROMISE]


def test_a_client_without_an_answer_is_stuck() -> None:
    assert found(case(done=False), hired()) == [Kind.STUCK]


def test_an_honest_call_that_was_refused_is_told() -> None:
    assert found(case(broken=["an honest call was refused"]), hired()) == [Kind.PROMISE]


def test_a_client_whose_hire_nobody_knows_is_told() -> None:
    assert found(case(proposals=["another"]), hired()) == [Kind.LOST]


def test_a_last_position_that_nobody_got_is_told() -> None:
    assert found(case(HireKind.LAST_POSITION), hired()) == []
    assert found(case(HireKind.LAST_POSITION), undone()) == [Kind.PROMISE]


def test_a_stream_that_left_out_or_repeated_a_step_is_told() -> None:
    assert found(case(told={"hire": [1, 2, 3]}), hired()) == []
    assert found(case(told={"hire": [1, 3]}), hired()) == [Kind.PROMISE]
    assert found(case(told={"hire": [1, 2, 2, 3]}), hired()) == [Kind.PROMISE]


def test_a_hire_that_expired_before_its_deadline_is_told() -> None:
    assert found(case(), expired_after(10)) == []
    assert found(case(), expired_after(9)) == [Kind.PROMISE]
