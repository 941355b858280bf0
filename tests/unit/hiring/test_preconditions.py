from dataclasses import replace

import pytest

from workflows.hiring.domain import JobFacts, ProposalFacts, preconditions

PROPOSAL = ProposalFacts(
    proposal_id="p-1",
    job_id="j-1",
    organisation_id="o-1",
    trainer_id="t-1",
    withdrawn=False,
    declined=False,
    hired=False,
    hire_id="",
)


def test_an_open_job_with_a_free_position_can_be_hired_for() -> None:
    conditions = preconditions.of_job(JobFacts("j-1", open=True, free_positions=1))
    assert [condition.met for condition in conditions] == [True, True]


def test_a_closed_and_full_job_tells_both() -> None:
    conditions = preconditions.of_job(JobFacts("j-1", open=False, free_positions=0))
    assert [condition.reason for condition in conditions] == ["JOB_NOT_OPEN", "NO_POSITION"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"withdrawn": True}, "PROPOSAL_WITHDRAWN"),
        ({"declined": True}, "PROPOSAL_DECLINED"),
        ({"hired": True, "hire_id": "h-1"}, "ALREADY_HIRED"),
        ({"hire_id": "h-1"}, "HIRE_IN_PROGRESS"),
    ],
)
def test_a_proposal_tells_why_it_cannot_be_hired(change: dict[str, object], reason: str) -> None:
    proposal = replace(PROPOSAL, **change)  # type: ignore[arg-type] # fields by name
    assert preconditions.of_proposal(proposal, confirm_declined=False).reason == reason


def test_a_declined_proposal_is_hired_by_who_confirms_it() -> None:
    declined = replace(PROPOSAL, declined=True)
    assert preconditions.of_proposal(declined, confirm_declined=True).met
