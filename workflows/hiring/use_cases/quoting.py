"""What a hire would cost and whether it could start: told as a quote, or refused by a start."""

import asyncio
from dataclasses import dataclass

from services.common.auth import Kind, Principal
from services.common.errors import (
    Conflict,
    HireflowError,
    InvalidInput,
    NotFound,
    Problems,
    Refused,
)
from workflows.hiring.domain import (
    Condition,
    JobFacts,
    Milestone,
    Precondition,
    ProposalFacts,
    Totals,
    Wish,
    preconditions,
)
from workflows.hiring.use_cases.access import require_may_read
from workflows.hiring.use_cases.desk import Desk
from workflows.hiring.use_cases.payment_methods import PaymentWish, choose_method


@dataclass(frozen=True, slots=True)
class Quote:
    """What a hire would cost, and every condition with its result; no totals if invalid."""

    totals: Totals | None
    conditions: tuple[Precondition, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found out about a wish, outside of any transaction: the story decides anew.

    Attributes:
        method_id: what is to be charged; None when the client confirms by itself.
        unhireable: why no hire can begin; it does not concern one that is under way.
        unacceptable: why these terms can neither begin a hire nor be offered to one.

    """

    proposal: ProposalFacts
    totals: Totals
    method_id: str | None
    unhireable: HireflowError | None
    unacceptable: HireflowError | None

    @property
    def objection(self) -> HireflowError | None:
        """Why no hire can begin with these terms."""
        return self.unacceptable or self.unhireable


async def quote_hire(
    desk: Desk, caller: Principal, proposal_id: str, milestone: Milestone, problems: Problems
) -> Quote:
    """Tell what a hire would cost and every condition; none that is not met raises.

    `problems` are those of the milestone that were noted when it was read.

    Raises:
        NotFound: the proposal is unknown or another organisation's.
        Unavailable: a neighbour or the provider does not answer.

    """
    proposal = await own_proposal(desk, caller, proposal_id)
    milestone.check(problems)
    job, present, totals = await asyncio.gather(
        _job(desk, proposal.job_id),
        _has_default(desk, proposal.organisation_id),
        _totals(desk, milestone, problems),
    )
    return Quote(
        totals,
        (
            *preconditions.of_job(job),
            preconditions.of_proposal(proposal, confirm_declined=False),
            preconditions.of_payment_method(present=present),
            _validity(problems),
        ),
    )


async def find_out(
    desk: Desk, caller: Principal, wish: Wish, expected_total: int, payment: PaymentWish
) -> Findings:
    """Find out what a start depends on.

    Raises:
        NotFound: the proposal is unknown or another organisation's.
        InvalidInput: the milestone cannot be charged.
        Unavailable: a neighbour or the provider does not answer.

    """
    proposal = await own_proposal(desk, caller, wish.proposal_id)
    if caller.kind is Kind.AGENT:
        told = "hires of agents wait for approvals, which are not offered yet: a member may hire"
        raise Refused("APPROVAL_UNAVAILABLE", told)
    milestone = wish.milestone
    job, totals, chosen = await asyncio.gather(
        _job(desk, proposal.job_id),
        desk.neighbours.quote(milestone.amount, milestone.currency),
        _choice(desk, proposal.organisation_id, payment),
    )
    hireable = preconditions.of_proposal(proposal, confirm_declined=wish.confirm_declined)
    unhireable = [each for each in (hireable, *preconditions.of_job(job)) if not each.met]
    unacceptable: HireflowError | None = chosen if isinstance(chosen, Refused) else None
    if totals.total != expected_total:
        unacceptable = quote_changed(totals, expected_total)
    elif hireable.reason == "PROPOSAL_DECLINED":
        unacceptable = hireable.error
    return Findings(
        proposal=proposal,
        totals=totals,
        method_id=chosen if isinstance(chosen, str) else None,
        unhireable=unhireable[0].error if unhireable else None,
        unacceptable=unacceptable,
    )


async def own_proposal(desk: Desk, caller: Principal, proposal_id: str) -> ProposalFacts:
    """Read a proposal that the caller may hire or quote. Raises NotFound."""
    proposal = await desk.neighbours.proposal(proposal_id)
    if proposal is None:
        raise NotFound("proposal", proposal_id)
    require_may_read(caller, proposal.organisation_id, "proposal", proposal_id)
    return proposal


def quote_changed(totals: Totals, expected_total: int) -> HireflowError:
    """Refuse a total that is not the one that the caller saw."""
    told = f"the total is {totals.total} now, not {expected_total}: quote again"
    return Conflict("QUOTE_CHANGED", told, metadata={"total_minor_units": str(totals.total)})


async def _job(desk: Desk, job_id: str) -> JobFacts:
    job = await desk.neighbours.job(job_id)
    if job is None:
        raise NotFound("job", job_id)
    return job


async def _choice(desk: Desk, organisation_id: str, payment: PaymentWish) -> str | Refused | None:
    try:
        return await choose_method(desk, organisation_id, payment)
    except Refused as missing:
        return missing


async def _has_default(desk: Desk, organisation_id: str) -> bool:
    return not isinstance(await _choice(desk, organisation_id, PaymentWish()), Refused)


async def _totals(desk: Desk, milestone: Milestone, problems: Problems) -> Totals | None:
    if problems.violations:
        return None
    try:
        return await desk.neighbours.quote(milestone.amount, milestone.currency)
    except InvalidInput as invalid:
        problems.violations.extend(invalid.violations)
        return None


def _validity(problems: Problems) -> Precondition:
    if not problems.violations:
        return Precondition(Condition.MILESTONE_VALID)
    told = "; ".join(f"{each.field} {each.description}" for each in problems.violations)
    return Precondition(Condition.MILESTONE_VALID, "INVALID_FIELDS", told)
