"""A hire as its steps leave it: states, the transitions that steps make, the rules between."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from services.common.errors import Conflict, Refused
from workflows.hiring.domain.actor import Actor, Causer
from workflows.hiring.domain.funding import FundingChange
from workflows.hiring.domain.terms import HireTerms, Wish


class HireState(StrEnum):
    """How a hire stands. At most one hire of a proposal is RUNNING or HIRED."""

    RUNNING = "RUNNING"
    HIRED = "HIRED"
    UNDONE = "UNDONE"


class WaitingFor(StrEnum):
    """What a hire waits for."""

    CLIENT_CONFIRMATION = "CLIENT_CONFIRMATION"
    PAYMENT_METHOD = "PAYMENT_METHOD"
    BANK = "BANK"
    APPROVAL = "APPROVAL"
    OPERATOR = "OPERATOR"


class WaitsOn(StrEnum):
    """On whom the next move of a running hire is."""

    CLIENT = "CLIENT"
    PROVIDER = "PROVIDER"
    OPERATOR = "OPERATOR"
    US = "US"


class Stage(StrEnum):
    """Where a hire stands; the workflow's stages under the same names."""

    PROPOSAL_REVIEW = "PROPOSAL_REVIEW"
    APPROVAL = "APPROVAL"
    CONTRACT_CREATION = "CONTRACT_CREATION"
    FUNDING = "FUNDING"
    CONTRACT_ACTIVATION = "CONTRACT_ACTIVATION"
    THREAD_CREATION = "THREAD_CREATION"
    COMPLETION = "COMPLETION"
    UNDOING = "UNDOING"
    ENDED = "ENDED"


CLIENT_MUST_ACT = frozenset({WaitingFor.CLIENT_CONFIRMATION, WaitingFor.PAYMENT_METHOD})
FIRST_STEP = 1
# The steps after which the story asks the provider.
_BEFORE_THE_PROVIDER = frozenset({"contract_created", "terms_superseded", "refund_ordered"})


@dataclass(frozen=True, slots=True)
class HireChanges:
    """What a step changes of a hire beside stage and waiting; None leaves a fact as it is.

    Attributes:
        decline_code: the last attempt's; empty clears it.
        blocked_reason: why an operator is needed; the next step clears it.

    """

    contract_id: str | None = None
    milestone_id: str | None = None
    payment_intent_id: str | None = None
    charge_id: str | None = None
    thread_id: str | None = None
    funding_id: str | None = None
    state: HireState | None = None
    end_reason: str | None = None
    decline_code: str | None = None
    blocked_reason: str | None = None
    accepted_revision: int | None = None
    refused_revision: int | None = None
    refused_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step of the story, as the workflow numbered it.

    Attributes:
        stage: one of `Stage`.
        what: what happened, such as "payment_paid".
        refunded: whether a hire that ends undone had a charge, which was given back.

    """

    hire_id: str
    number: int
    stage: str
    what: str
    time: datetime
    actor: Causer
    waiting_for: WaitingFor | None = None
    wait_deadline: datetime | None = None
    stripe_object_id: str | None = None
    reason: str | None = None
    changes: HireChanges = field(default_factory=HireChanges)
    funding: FundingChange | None = None
    refunded: bool = False


@dataclass(frozen=True, slots=True)
class HireStep:
    """One step of the story, as it is told."""

    number: int
    stage: Stage
    what: str
    waiting_for: WaitingFor | None
    stripe_object_id: str | None
    reason: str | None
    actor: Actor
    time: datetime
    wait_deadline: datetime | None = None


class Fact(StrEnum):
    """What a step means to the rest of Hireflow: exactly one event each."""

    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    SUPERSEDED = "SUPERSEDED"
    BLOCKED = "BLOCKED"
    STAGE_CHANGED = "STAGE_CHANGED"


def fact_of(changes: HireChanges) -> Fact:
    """Tell which fact a step's changes make."""
    if changes.state is HireState.HIRED:
        return Fact.COMPLETED
    if changes.state is HireState.UNDONE:
        ends = {"HIRE_CANCELLED": Fact.CANCELLED, "PAYMENT_EXPIRED": Fact.EXPIRED}
        return ends.get(changes.end_reason or "", Fact.FAILED)
    if changes.accepted_revision is not None and changes.accepted_revision > 1:
        return Fact.SUPERSEDED
    return Fact.BLOCKED if changes.blocked_reason else Fact.STAGE_CHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Hire:
    """One hire of one proposal; `step` is the number of its last step, `revision` its terms'.

    `stands_since` is when it began to wait for what it waits for, or took its last step.
    """

    hire_id: str
    proposal_id: str
    job_id: str
    organisation_id: str
    trainer_id: str
    customer_id: str
    requested_by: Actor
    create_time: datetime
    update_time: datetime
    stands_since: datetime
    waits_on: WaitsOn = WaitsOn.US
    state: HireState = HireState.RUNNING
    stage: Stage = Stage.PROPOSAL_REVIEW
    step: int = FIRST_STEP
    revision: int = 1
    waiting_for: WaitingFor | None = None
    wait_deadline: datetime | None = None
    blocked_reason: str | None = None
    end_reason: str | None = None
    decline_code: str | None = None
    contract_id: str | None = None
    milestone_id: str | None = None
    funding_id: str | None = None
    payment_intent_id: str | None = None
    charge_id: str | None = None
    thread_id: str | None = None
    end_time: datetime | None = None

    @property
    def etag(self) -> str:
        """Changes with every step."""
        return f"{self.revision}-{self.step}"

    @property
    def ended(self) -> bool:
        """Whether the story is over, well or undone."""
        return self.state is not HireState.RUNNING

    @property
    def client_must_act(self) -> bool:
        """Whether only the client can move the payment on."""
        return self.state is HireState.RUNNING and self.waiting_for in CLIENT_MUST_ACT

    def after(self, record: StepRecord) -> "Hire":
        """Take a step.

        Raises:
            Refused: WRONG_STATE, where the step is not one of a hire that stands like this: it
                ended, or would end HIRED unpaid, or undone with a charge that nobody gave back.

        """
        changes = record.changes
        self._require_running(record)
        charge_id = changes.charge_id or self.charge_id
        if changes.state is HireState.HIRED and not charge_id:
            raise self._wrong(f"{record.what} cannot end hired what is not paid")
        if changes.state is HireState.UNDONE:
            if not changes.end_reason:
                raise self._wrong(f"{record.what} must tell why the hire is undone")
            if charge_id and not record.refunded:
                raise self._wrong(f"{record.what} cannot undo what is paid and not refunded")
        ends = changes.state in {HireState.HIRED, HireState.UNDONE}
        waiting = WaitingFor.OPERATOR if changes.blocked_reason else record.waiting_for
        return replace(
            self,
            step=record.number,
            state=changes.state or self.state,
            stage=Stage.ENDED if ends else Stage(record.stage),
            revision=changes.accepted_revision or self.revision,
            waiting_for=None if ends else waiting,
            wait_deadline=None if ends else record.wait_deadline,
            blocked_reason=changes.blocked_reason,
            end_reason=changes.end_reason or self.end_reason,
            decline_code=_kept(changes.decline_code, self.decline_code),
            contract_id=changes.contract_id or self.contract_id,
            milestone_id=changes.milestone_id or self.milestone_id,
            funding_id=changes.funding_id or self.funding_id,
            payment_intent_id=changes.payment_intent_id or self.payment_intent_id,
            charge_id=charge_id,
            thread_id=changes.thread_id or self.thread_id,
            update_time=record.time,
            stands_since=self.stands_since
            if waiting and waiting is self.waiting_for
            else record.time,
            waits_on=_waits_on(waiting, record.what),
            end_time=record.time if ends else None,
        )

    def takes_up(self, latest: HireTerms, wish: Wish) -> bool:
        """Decide what a new wish is to this live hire: true to attach it, false to offer it.

        `latest` are the newest terms that were not refused.

        Raises:
            Refused: ALREADY_HIRED.
            Conflict: HIRE_ENDING while undoing; PAYMENT_ALREADY_SUCCEEDED for other terms once
                the first are paid.

        """
        if self.state is HireState.HIRED:
            raise Refused("ALREADY_HIRED", f"proposal {self.proposal_id} is hired already")
        if self.stage is Stage.UNDOING:
            raise Conflict(
                "HIRE_ENDING", f"hire {self.hire_id} is being undone: ask again when it ended"
            )
        if latest.fingerprint == wish.fingerprint:
            return True
        if self.charge_id:
            raise Conflict(
                "PAYMENT_ALREADY_SUCCEEDED",
                f"hire {self.hire_id} is paid under its first terms and goes on with them",
            )
        return False

    def _require_running(self, record: StepRecord) -> None:
        if self.ended:
            raise self._wrong(f"{record.what} is no step of a hire that ended")

    def _wrong(self, message: str) -> Refused:
        return Refused("WRONG_STATE", f"hire {self.hire_id}: {message}")


@dataclass(frozen=True, slots=True)
class ToldHire:
    """A hire and the terms of its present revision, as it is told to people."""

    hire: Hire
    terms: HireTerms


def _waits_on(waiting: WaitingFor | None, what: str) -> WaitsOn:
    match waiting:
        case WaitingFor.OPERATOR:
            return WaitsOn.OPERATOR
        case WaitingFor.BANK:
            return WaitsOn.PROVIDER
        case None:
            return WaitsOn.PROVIDER if what in _BEFORE_THE_PROVIDER else WaitsOn.US
        case _:
            return WaitsOn.CLIENT


def _kept(new: str | None, old: str | None) -> str | None:
    return old if new is None else new or None
