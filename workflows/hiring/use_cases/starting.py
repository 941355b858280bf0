"""StartHire: decide which hire it is, set that going, and answer when there is something to say."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from services.common.errors import NotFound, Refused, Unavailable
from services.common.idempotency import Request
from services.common.telemetry import get_logger
from workflows.hire.contract import HireInput, PaymentChoice
from workflows.hiring.domain import Hire, HireState, HireTerms, ToldHire, Verdict, Wish
from workflows.hiring.store import hires, terms
from workflows.hiring.store.requests import Claim
from workflows.hiring.use_cases.access import Member
from workflows.hiring.use_cases.deciding import Asked, Decision, decide
from workflows.hiring.use_cases.desk import Desk, watch
from workflows.hiring.use_cases.offering import bring, refusal_of, totals_model
from workflows.hiring.use_cases.payment_methods import PaymentWish, ensure_customer
from workflows.hiring.use_cases.quoting import find_out
from workflows.hiring.use_cases.requests import claim_request

# A start that takes longer has failed: another process may make up for it.
START_LEASE = timedelta(seconds=5)
_STARTS_AT_ONCE = 20
# What the reserving step refuses by: the start itself is refused, though it was begun.
_REFUSED_AT_ONCE = {
    "JOB_NOT_OPEN",
    "NO_POSITION",
    "PROPOSAL_WITHDRAWN",
    "PROPOSAL_DECLINED",
    "ALREADY_HIRED",
    "HIRE_IN_PROGRESS",
}
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StartOrder:
    """What a StartHire asks for; `expected_total` is in minor units."""

    request: Request
    wish: Wish
    expected_total: int
    payment: PaymentWish


@dataclass(frozen=True, slots=True)
class _Seen:
    told: ToldHire
    mine: HireTerms

    @property
    def answerable(self) -> bool:
        decided = self.mine.verdict is not Verdict.OFFERED
        refused = self.mine.verdict is Verdict.REFUSED
        return self.told.hire.ended or refused or (decided and self.told.hire.client_must_act)


async def start_hire(
    desk: Desk, starter: Member, order: StartOrder, patience: Callable[[], float]
) -> ToldHire:
    """Start a hire, attach to the live one with the same terms, or supersede its unpaid terms.

    Answers when the client must act, the hire ended, other terms were decided, or `patience` (the
    seconds left, asked when the waiting begins) is over. A repeat of the request answers with its
    own hire, whatever became of that.

    Raises:
        InvalidInput: REQUEST_ID_REUSED; the milestone cannot be charged.
        NotFound: the proposal is unknown or another organisation's.
        Refused: APPROVAL_UNAVAILABLE for agents; a precondition that is not met.
        Conflict: QUOTE_CHANGED, NEWER_HIRE, HIRE_ENDING, PAYMENT_ALREADY_SUCCEEDED.
        Unavailable: a neighbour or the provider does not answer, or no worker takes the offer.

    """
    decision = await _decided(desk, starter, order)
    if decision.began:
        await _start(desk, decision.claim.hire_id or "", again=False)
    seen = await _look(desk, decision.claim)
    starter.require_own(seen.told.hire.organisation_id, "proposal", seen.told.hire.proposal_id)
    if seen.mine.verdict is Verdict.OFFERED and not seen.told.hire.ended:
        await bring(desk, seen.told, seen.mine)
    seen = await watch(
        desk.hiring,
        seen.told.hire.hire_id,
        lambda: _look(desk, decision.claim),
        lambda now: now.answerable,
        patience(),
    )
    return await _answer(desk, seen)


async def start_missed(desk: Desk) -> int:
    """Start the workflows of hires whose start failed or was never tried; answer how many.

    Whatever dies between the commit of a hire and the start of its workflow, nothing is lost.
    """
    now = desk.hiring.clock()
    async with desk.hiring.database.begin() as tx:
        missed = await hires.claim_starts(tx, now - START_LEASE, now, _STARTS_AT_ONCE)
    for hire_id in missed:
        await _start(desk, hire_id, again=True)
    return len(missed)


async def _decided(desk: Desk, starter: Member, order: StartOrder) -> Decision:
    caller = starter.principal
    claimed = await claim_request(desk.hiring, caller, order.request)
    if claimed.claim.hire_id is not None:
        return Decision(claimed.claim)
    findings = await find_out(desk, caller, order.wish, order.expected_total, order.payment)
    customer_id = ""
    if findings.objection is None:
        customer_id = await ensure_customer(desk, starter.organisation_id)
    asked = Asked(order.wish, starter.actor, order.expected_total)
    return await decide(desk.hiring, asked, findings, customer_id, claimed)


async def _look(desk: Desk, claim: Claim) -> _Seen:
    hire_id, revision = claim.hire_id or "", claim.revision or 1
    async with desk.hiring.database.read() as connection:
        told = await hires.find_told(connection, hire_id)
        if told is None:
            raise NotFound("hire", hire_id)
        if told.terms.revision == revision:
            return _Seen(told, told.terms)
        mine = await terms.find_terms(connection, hire_id, revision)
    if mine is None:
        raise NotFound("terms", f"{hire_id}/{revision}")
    return _Seen(told, mine)


async def _answer(desk: Desk, seen: _Seen) -> ToldHire:
    hire = seen.told.hire
    refusal = await refusal_of(desk.hiring, hire, seen.mine)
    if refusal is not None:
        raise refusal
    if hire.state is HireState.UNDONE and hire.end_reason in _REFUSED_AT_ONCE:
        raise Refused(hire.end_reason, f"hire {hire.hire_id} was refused and is undone")
    return seen.told


async def _start(desk: Desk, hire_id: str, *, again: bool) -> None:
    async with desk.hiring.database.read() as connection:
        told = await hires.find_told(connection, hire_id)
        first = await terms.find_terms(connection, hire_id, 1)
    if told is None or first is None:
        raise NotFound("hire", hire_id)
    try:
        await desk.stories.start(_input(desk, told.hire, first), again=again)
    except Unavailable as error:
        # The hire stands in its row and is started when that can be: see start_missed.
        _log.warning("hire not started yet", hire_id=hire_id, error=error.message)
        return
    async with desk.hiring.database.begin() as tx:
        await hires.note_started(tx, hire_id, desk.hiring.clock())


def _input(desk: Desk, hire: Hire, first: HireTerms) -> HireInput:
    return HireInput(
        env=desk.env,
        hire_id=hire.hire_id,
        proposal_id=hire.proposal_id,
        job_id=hire.job_id,
        organisation_id=hire.organisation_id,
        trainer_id=hire.trainer_id,
        customer_id=hire.customer_id,
        confirm_declined=first.confirm_declined,
        totals=totals_model(first.terms.totals),
        payment=PaymentChoice(method_id=first.payment_method_id),
        requested_at=first.requested_at,
        policy=desk.policy,
    )
