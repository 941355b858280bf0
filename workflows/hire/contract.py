"""What starts, steers and answers for a hire: names, inputs, results. No I/O.

Everything here is recorded in Temporal's history, so it holds ids and numbers only, never the
text of people: activities read names and scopes from the hire's own rows.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints
from temporalio.common import SearchAttributeKey

TASK_QUEUE = "hireflow"
SWEEP = "sweep"
"""The activity that looks for abandoned hires."""

HIRE_STAGE = SearchAttributeKey.for_keyword("HireStage")
HIRE_BLOCKED = SearchAttributeKey.for_keyword("HireBlocked")
HIRE_DEADLINE = SearchAttributeKey.for_datetime("HireDeadline")
HIRE_ID = SearchAttributeKey.for_keyword("HireId")
ORGANISATION_ID = SearchAttributeKey.for_keyword("OrganisationId")
JOB_ID = SearchAttributeKey.for_keyword("JobId")
PROPOSAL_ID = SearchAttributeKey.for_keyword("ProposalId")
SEARCH_ATTRIBUTES = (
    HIRE_STAGE,
    HIRE_BLOCKED,
    HIRE_DEADLINE,
    HIRE_ID,
    ORGANISATION_ID,
    JOB_ID,
    PROPOSAL_ID,
)


def hire_workflow_id(proposal_id: str) -> str:
    """Name the workflow of a proposal's hire: at most one runs, by Temporal's own rule."""
    return f"hire/{proposal_id}"


def late_fact_workflow_id(object_id: str) -> str:
    """Name the workflow that takes in late facts about an object at the provider."""
    return f"late-fact/{object_id}"


def thread_id_of(contract_id: str) -> str:
    """Derive the id of a contract's job thread, so that whoever goes on opens the same one."""
    return str(uuid5(NAMESPACE_URL, f"hireflow:thread:{contract_id}"))


def clean_up_workflow_id(hire_id: str) -> str:
    """Name the workflow that ends an abandoned hire: at most one runs."""
    return f"clean-up/{hire_id}"


class Stage(StrEnum):
    """The stages of a hire, named as in the proto `HireStage`."""

    PROPOSAL_REVIEW = "PROPOSAL_REVIEW"
    APPROVAL = "APPROVAL"
    CONTRACT_CREATION = "CONTRACT_CREATION"
    FUNDING = "FUNDING"
    CONTRACT_ACTIVATION = "CONTRACT_ACTIVATION"
    THREAD_CREATION = "THREAD_CREATION"
    COMPLETION = "COMPLETION"
    UNDOING = "UNDOING"
    ENDED = "ENDED"


class Model(BaseModel):
    """A value that is recorded in history: frozen, and tolerant of fields a newer build adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Actor(Model):
    """Who caused something: the kind and subject of a token, or the workflow itself."""

    kind: str
    id: str


WORKFLOW_ACTOR = Actor(kind="SERVICE", id="service:worker")


class PaymentChoice(Model):
    """How the client wants to pay: a saved method, or none when it confirms by itself."""

    method_id: str | None = None


class HirePolicy(Model):
    """The deadlines of a hire, frozen when it starts; tests shorten them."""

    payment_deadline: timedelta = timedelta(hours=72)
    longest_payment_deadline: timedelta = timedelta(days=30)
    saved_method_window: timedelta = timedelta(minutes=15)
    stage_deadline: timedelta = timedelta(minutes=10)
    polls: tuple[timedelta, ...] = (
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
    )


class HireTotals(Model):
    """What a revision of the terms costs, in minor units of one currency (upper case)."""

    amount: int
    marketplace_fee: int
    contract_fee: int
    currency: str

    @property
    def total(self) -> int:
        """What the employer is charged."""
        return self.amount + self.marketplace_fee + self.contract_fee


class HireRef(Model):
    """Which hire a workflow works on, and the environment whose keys it writes under."""

    env: str
    hire_id: str
    proposal_id: str
    job_id: str
    organisation_id: str


class HireInput(HireRef):
    """Starts a hire. Its row exists already: step 1 of the story is the request itself."""

    trainer_id: str
    customer_id: str
    confirm_declined: bool
    totals: HireTotals
    payment: PaymentChoice
    requested_at: datetime
    policy: HirePolicy = HirePolicy()


class HireResult(Model):
    """How a hire ended well; every other end is a failure whose type is the reason."""

    hire_id: str
    contract_id: str
    milestone_id: str
    charge_id: str
    thread_id: str


class TermsOffer(Model):
    """Other terms for a running hire: update `offer_terms`. The texts stand in the hire's rows."""

    revision: int
    totals: HireTotals
    payment: PaymentChoice
    requested_at: datetime
    confirm_declined: bool
    actor: Actor


class PaymentRetry(Model):
    """A person's new try to pay: update `retry_payment`; its update id is the request's."""

    payment: PaymentChoice
    actor: Actor


class CancelOrder(Model):
    """A person's wish to cancel: update `cancel_hire`."""

    reason: str
    actor: Actor


class PaymentHint(Model):
    """Signal `payment_hint`: something happened to an intent; read it, believe nothing."""

    intent_id: str


class OperatorVerb(StrEnum):
    """What an operator may order a running hire to do: the names of the updates."""

    RETRY_STEP = "retry_step"
    SKIP_THREAD = "skip_thread"
    REFUND_IN_FULL = "refund_in_full"
    EXTEND_DEADLINE = "extend_deadline"


class OperatorActor(Actor):
    """An operator, by the subject of their token."""

    kind: Literal["OPERATOR"] = "OPERATOR"
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class OperatorOrder(Model):
    """An operator's word: updates `retry_step`, `skip_thread` and `refund_in_full`.

    `reason` is a word for the story, such as "messaging_down": never text of people. It is checked
    here as well, for an order may be typed into the Temporal UI.
    """

    reason: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,64}$")]
    actor: OperatorActor


class DeadlineExtension(OperatorOrder):
    """Update `extend_deadline`: an operator gives the client until then to pay."""

    deadline: AwareDatetime


class CleanUpInput(HireRef):
    """Starts the end of a hire whose own run is over though its row is not.

    Attributes:
        reached: no step of the runs before has a greater number, written or still under way.
        polls: when a payment that is processing is read again; the last repeats.

    """

    reached: int
    polls: tuple[timedelta, ...] = HirePolicy().polls


class CleanUpResult(Model):
    """What a clean-up did: nothing if the hire had ended by itself."""

    hire_id: str
    undone: bool
    hired: bool = False
    refunded: bool = False


class Swept(Model):
    """What a sweep found: the hires whose clean-up was started or is under way."""

    hire_ids: tuple[str, ...] = ()


class LateFact(Model):
    """An object at the provider that something was told of; `kind` is one of `LateKind`."""

    kind: str
    object_id: str


class LateOutcome(StrEnum):
    """What a look at the object led to.

    BOOKED: the ledger moved. REFUNDED: a charge that nobody expected was given back. NOTHING_NEW:
    all of it was known. LEFT: the hire's own run, or the sweep, sees to it. PROCESSING: the bank
    has not decided. UNROUTABLE: nothing of ours.
    """

    BOOKED = "BOOKED"
    REFUNDED = "REFUNDED"
    NOTHING_NEW = "NOTHING_NEW"
    LEFT = "LEFT"
    PROCESSING = "PROCESSING"
    UNROUTABLE = "UNROUTABLE"


class LateFactResult(Model):
    """What the last look led to."""

    outcome: LateOutcome
