"""Every sentence of the checker, each broken by one doctored fact and found under its kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from deploy.local.audit import Facts, Kind, SeenEvent, judge
from deploy.local.audit.facts import Charge, Intent, Run
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_events_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.unit.audit.facts import (
    CHARGED,
    FEES,
    FUNDING,
    HELD,
    JOB,
    NOW,
    REFUND,
    WORKFLOW,
    active_contract,
    changed,
    entry,
    hired,
    stream,
    undone,
)

OPERATOR = hire_pb2.HIRE_WAITING_FOR_OPERATOR
CLIENT = hire_pb2.HIRE_WAITING_FOR_CLIENT_CONFIRMATION


def told(facts: Facts) -> set[Kind]:
    return {finding.kind for finding in judge(facts)}


def with_row(facts: Facts, **fields: Any) -> Facts:
    return replace(facts, hires={"hire": changed(facts.hires["hire"], **fields)})


def with_events(
    facts: Facts, aggregate: str, edit: Callable[[Sequence[SeenEvent]], list[SeenEvent]]
) -> Facts:
    key = (aggregate, aggregate)
    return replace(facts, events={**facts.events, key: edit(facts.events[key])})


def running(waiting_for: hire_pb2.HireWaitingFor.ValueType, deadline: int = 0) -> Facts:
    """The undone hire before it ended: parked, its contract PENDING, its intent open."""
    facts = with_row(
        undone(), state=hire_pb2.HIRE_STATE_RUNNING, waiting_for=waiting_for, end_reason=""
    )
    if deadline:
        facts = with_row(facts, wait_deadline=Timestamp(seconds=deadline))
    facts = with_events(facts, "hire", lambda events: list(events[:2]))
    return replace(facts, runs={"hire": Run("RUNNING")}, steps={})


@pytest.mark.parametrize("facts", [hired(), undone()], ids=["hired", "undone"])
def test_nothing_is_found_where_every_sentence_holds(facts: Facts) -> None:
    assert judge(facts) == []


def test_a_charge_that_was_refunded_in_full_and_booked_is_no_finding() -> None:
    facts = replace(
        undone(),
        charges={WORKFLOW: [Charge("ch_1", "contract", 50495, 50495)]},
        ledgers={"contract": [entry(FUNDING), entry(REFUND)]},
        intents={WORKFLOW: [Intent("pi_1", "contract", "succeeded")]},
    )
    assert judge(facts) == []


def test_a_hire_that_nobody_knows_is_lost() -> None:
    assert told(replace(hired(), hires={})) == {Kind.LOST}


def test_a_hire_that_waits_for_its_client_is_not_stuck_until_its_deadline_passed() -> None:
    now = int(NOW.timestamp())
    assert told(running(CLIENT, now + 60)) == set()
    assert told(running(CLIENT, now - 60)) == {Kind.STUCK}


def test_a_hire_that_waits_for_us_is_stuck_unless_that_is_expected() -> None:
    working = running(hire_pb2.HIRE_WAITING_FOR_UNSPECIFIED)
    assert told(working) == {Kind.STUCK}
    assert told(running(OPERATOR)) == {Kind.STUCK}
    assert judge(running(OPERATOR), frozenset({OPERATOR})) == []


@pytest.mark.parametrize(
    "runs",
    [
        {},
        {"hire": Run("RUNNING")},
        {"hire": Run("COMPLETED")},
        {"hire": Run("TERMINATED")},
        {"hire": Run("FAILED", "PAYMENT_EXPIRED")},
    ],
)
def test_a_row_that_is_not_its_workflows_end_is_told(runs: Mapping[str, Run]) -> None:
    assert told(replace(undone(), runs=runs)) == {Kind.END}


@pytest.mark.parametrize("ended", [hired, undone])
def test_a_terminated_workflow_that_was_cleaned_up_is_an_end(ended: Callable[[], Facts]) -> None:
    assert told(replace(ended(), runs={"hire": Run("CLEANED_UP")})) == set()
    assert told(replace(ended(), runs={"hire": Run("TERMINATED")})) == {Kind.END}


def test_a_workflow_that_ended_before_its_row_is_told() -> None:
    assert told(replace(running(CLIENT), runs={"hire": Run("FAILED", "X")})) == {Kind.END}


def test_a_second_unrefunded_charge_is_doubled_also_under_an_earlier_hires_contract() -> None:
    first = contract_pb2.Contract(
        contract_id="earlier", hire_id="earlier", state=contract_pb2.CONTRACT_STATE_CANCELLED
    )
    charges = [Charge("ch_1", "contract", 50495, 0), Charge("ch_0", "earlier", 50495, 0)]
    facts = replace(
        hired(),
        contracts={"proposal": [active_contract(), first]},
        charges={WORKFLOW: charges},
    )
    assert told(facts) == {Kind.DOUBLED}


def test_a_second_charge_of_the_same_contract_is_doubled_and_not_in_the_ledger() -> None:
    twice = [Charge("ch_1", "contract", 50495, 0), Charge("ch_2", "contract", 50495, 0)]
    assert told(replace(hired(), charges={WORKFLOW: twice})) >= {Kind.DOUBLED, Kind.LEDGER}


def test_money_of_an_undone_hire_is_lost() -> None:
    kept = replace(
        undone(),
        charges={WORKFLOW: [Charge("ch_1", "contract", 50495, 50000)]},
        ledgers={"contract": [entry(FUNDING), entry(REFUND)]},
    )
    assert told(kept) == {Kind.LOST, Kind.LEDGER}


def test_a_hired_hire_without_a_charge_is_lost() -> None:
    assert told(replace(hired(), charges={})) == {Kind.LOST, Kind.LEDGER}


def test_a_charge_over_another_total_than_the_quoted_is_told_also_when_the_ledger_agrees() -> None:
    more = replace(
        hired(),
        charges={WORKFLOW: [Charge("ch_1", "contract", 50595, 0)]},
        ledgers={"contract": [entry({CHARGED: 50595, HELD: -45000, FEES: -5595})]},
    )
    assert told(more) == {Kind.LEDGER}


def test_a_charge_for_a_contract_that_nobody_knows_is_lost() -> None:
    stray = Charge("ch_9", "nowhere", 50495, 50495)
    facts = hired()
    with_stray = replace(facts, charges={WORKFLOW: [*facts.charges[WORKFLOW], stray]})
    assert told(with_stray) == {Kind.LOST}


def test_an_open_intent_of_an_ended_hire_is_told() -> None:
    still_open = [Intent("pi_1", "contract", "requires_action")]
    assert told(replace(undone(), intents={WORKFLOW: still_open})) == {Kind.END}


def test_two_live_contracts_of_a_proposal_are_doubled() -> None:
    other = contract_pb2.Contract(
        contract_id="other", hire_id="other", state=contract_pb2.CONTRACT_STATE_PENDING
    )
    doubled = replace(hired(), contracts={"proposal": [active_contract(), other]})
    assert told(doubled) == {Kind.DOUBLED}


def test_a_live_contract_that_an_undone_hire_left_is_told() -> None:
    facts = undone()
    left = changed(facts.contracts["proposal"][0], state=contract_pb2.CONTRACT_STATE_PENDING)
    facts = with_events(
        replace(facts, contracts={"proposal": [left]}), "contract", lambda events: list(events[:1])
    )
    assert told(facts) == {Kind.END}


@pytest.mark.parametrize(
    "facts",
    [
        replace(hired(), contracts={"proposal": [changed(active_contract(), milestones=[])]}),
        replace(hired(), threads={}),
        with_row(hired(), thread_id="another"),
        with_row(hired(), charge_id="ch_2"),
        replace(
            hired(),
            proposals={
                "proposal": proposal_pb2.Proposal(
                    proposal_id="proposal", review_state=proposal_pb2.REVIEW_STATE_MAYBE
                )
            },
        ),
    ],
    ids=["milestone", "thread", "other thread", "other charge", "proposal"],
)
def test_what_a_hired_hire_lacks_is_lost(facts: Facts) -> None:
    assert Kind.LOST in told(facts)


def test_a_second_thread_is_doubled() -> None:
    threads = [thread_pb2.Thread(thread_id="thread"), thread_pb2.Thread(thread_id="second")]
    assert told(replace(hired(), threads={"contract": threads})) == {Kind.DOUBLED}


@pytest.mark.parametrize(
    "postings",
    [
        {**FUNDING, contract_pb2.LEDGER_ACCOUNT_FEES: -5494},
        {contract_pb2.LEDGER_ACCOUNT_CHARGED: 50494, contract_pb2.LEDGER_ACCOUNT_HELD: -50494},
    ],
    ids=["does not balance", "a cent less than Stripe"],
)
def test_a_ledger_that_is_not_stripes_is_told(
    postings: Mapping[contract_pb2.LedgerAccount.ValueType, int],
) -> None:
    assert told(replace(hired(), ledgers={"contract": [entry(postings)]})) == {Kind.LEDGER}


def test_a_refund_that_was_not_booked_is_told() -> None:
    facts = replace(
        undone(),
        charges={WORKFLOW: [Charge("ch_1", "contract", 50495, 50495)]},
        ledgers={"contract": [entry(FUNDING)]},
    )
    assert told(facts) == {Kind.LEDGER}


def test_a_proposal_reserved_for_an_ended_hire_is_told() -> None:
    facts = undone()
    held = changed(facts.proposals["proposal"], hire_id="hire")
    assert told(replace(facts, proposals={"proposal": held})) == {Kind.RESERVATION}


def test_a_position_reserved_for_an_ended_hire_is_told() -> None:
    facts = with_events(undone(), "job", lambda events: list(events[:2]))
    reserved = changed(facts.jobs["job"], positions_reserved=1)
    assert told(replace(facts, jobs={"job": reserved})) == {Kind.RESERVATION}


def test_a_job_that_counts_other_positions_than_its_events_is_told() -> None:
    facts = undone()
    lost = changed(facts.jobs["job"], positions_reserved=1)
    assert told(replace(facts, jobs={"job": lost})) == {Kind.RESERVATION}


def test_a_position_filled_twice_by_one_hire_is_doubled() -> None:
    facts = hired()
    fills = job_events_pb2.JobPositionFilled(job=JOB, hire_id="hire")
    messages = [*(each.message for each in facts.events["job", "job"] if each.message), fills]
    twice = replace(
        facts,
        jobs={"job": changed(facts.jobs["job"], positions=2, positions_filled=2)},
        events={**facts.events, **stream("job", messages)},
    )
    assert told(twice) == {Kind.DOUBLED}


def test_more_positions_given_away_than_there_are_is_doubled() -> None:
    facts = hired()
    other = job_events_pb2.JobPositionFilled(job=JOB, hire_id="other")
    messages = [*(each.message for each in facts.events["job", "job"] if each.message), other]
    oversold = replace(
        facts,
        jobs={"job": changed(facts.jobs["job"], positions_filled=2)},
        events={**facts.events, **stream("job", messages)},
    )
    assert told(oversold) == {Kind.DOUBLED}


@pytest.mark.parametrize("aggregate", ["hire", "proposal", "job", "contract"])
def test_a_gap_in_an_aggregates_versions_is_told(aggregate: str) -> None:
    facts = with_events(hired(), aggregate, lambda events: [events[0], *events[2:]])
    assert Kind.EVENTS in told(facts)


@pytest.mark.parametrize("aggregate", ["hire", "proposal", "job", "contract"])
def test_the_loss_of_an_aggregates_last_event_is_told(aggregate: str) -> None:
    facts = with_events(hired(), aggregate, lambda events: list(events[:-1]))
    assert told(facts) & {Kind.EVENTS, Kind.RESERVATION}


def test_no_event_of_the_thread_at_all_is_told() -> None:
    assert told(with_events(hired(), "thread", lambda _: [])) == {Kind.EVENTS}


def test_an_event_stored_twice_is_told() -> None:
    assert told(with_events(hired(), "proposal", lambda e: [*e, e[-1]])) == {Kind.EVENTS}


def test_two_events_under_one_version_are_told() -> None:
    forked = with_events(hired(), "thread", lambda e: [*e, replace(e[-1], id="another")])
    assert told(forked) == {Kind.EVENTS}


def test_a_hire_told_to_have_ended_twice_or_otherwise_is_told() -> None:
    facts = hired()
    wrong = {**facts.events, ("hire", "hire"): undone().events["hire", "hire"]}
    assert told(replace(facts, events=wrong)) == {Kind.EVENTS}
    ended = {**facts.events, ("hire", "hire"): facts.events["hire", "hire"]}
    assert told(replace(running(CLIENT), events=ended)) >= {Kind.EVENTS}


def test_a_paper_without_its_event_is_told() -> None:
    papers = [contract_pb2.Invoice(invoice_id=name) for name in ("invoice", "second")]
    assert told(replace(hired(), invoices={"contract": papers})) == {Kind.EVENTS}


def test_what_several_hires_share_is_told_once() -> None:
    facts = undone()
    second = changed(facts.hires["hire"], hire_id="second", contract_id="")
    lost = changed(facts.jobs["job"], positions_reserved=1)
    both = replace(
        facts,
        asked=("hire", "second"),
        hires={**facts.hires, "second": second},
        steps={**facts.steps, "second": []},
        jobs={"job": lost},
    )
    of_job = [f for f in judge(both) if f.kind is Kind.RESERVATION]
    assert len(of_job) == 1
