"""What was read about hires, as the public APIs, Stripe, the stream and Temporal tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import Message

from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2


@dataclass(frozen=True, slots=True)
class Charge:
    """A succeeded charge at Stripe, in minor units; `contract_id` is its transfer group."""

    charge_id: str
    contract_id: str
    amount: int
    refunded: int

    @property
    def unrefunded(self) -> bool:
        """Whether any of it is still with us."""
        return self.refunded < self.amount


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment intent at Stripe."""

    intent_id: str
    contract_id: str
    status: str

    @property
    def final(self) -> bool:
        """Whether Stripe will never change it again."""
        return self.status in {"succeeded", "canceled"}


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a hire's workflow: Temporal's status, and the type of the error it failed with.

    CLEANED_UP: it was terminated, and the clean-up that took it over completed.
    """

    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event as it stands in the stream; `message` is None for a type that no proto names."""

    id: str
    type: str
    aggregate: str
    aggregate_id: str
    version: int
    message: Message | None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything read about some hires.

    Attributes:
        asked: the hires to judge; one that nobody knows is in `asked` alone.
        steps: of hires that ended, the numbers of the steps of their stories.
        runs: by hire, as Temporal's list tells them.
        contracts: by proposal, of all its hires.
        ledgers, invoices, threads: by contract.
        charges, intents: by the workflow that their metadata names, whatever their contract.
        events: by aggregate and its id, in the order of the stream.

    """

    read_at: datetime
    asked: Sequence[str]
    hires: Mapping[str, hire_pb2.Hire]
    steps: Mapping[str, Sequence[int]]
    runs: Mapping[str, Run]
    proposals: Mapping[str, proposal_pb2.Proposal]
    jobs: Mapping[str, job_pb2.Job]
    contracts: Mapping[str, Sequence[contract_pb2.Contract]]
    ledgers: Mapping[str, Sequence[contract_pb2.LedgerEntry]]
    invoices: Mapping[str, Sequence[contract_pb2.Invoice]]
    threads: Mapping[str, Sequence[thread_pb2.Thread]]
    charges: Mapping[str, Sequence[Charge]]
    intents: Mapping[str, Sequence[Intent]]
    events: Mapping[tuple[str, str], Sequence[SeenEvent]]

    def events_of(self, aggregate: str, aggregate_id: str) -> Sequence[SeenEvent]:
        """Give an aggregate's events, none if none was published."""
        return self.events.get((aggregate, aggregate_id), ())
