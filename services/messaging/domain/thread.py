"""A thread between an organisation and trainers, and the order in which people may write."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from services.common.contact_details import without_contact_details
from services.common.errors import Refused, problems
from services.messaging.domain.attachment import check_kept
from services.messaging.domain.message import Content, Message, MessageKind, Sender, SenderKind

# The first message of every job thread: the same for all, so it tells nothing of anybody.
WELCOME = (
    "The contract is active and its first milestone is funded. Use this thread to coordinate the "
    "work: instructions, questions on milestones, deliveries. The messages of the proposal stay "
    "readable in their own thread."
)


class ThreadKind(StrEnum):
    """What a thread is for."""

    PROPOSAL = "PROPOSAL"
    JOB = "JOB"
    CHANNEL = "CHANNEL"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who takes part in a proposal; that never changes, whatever becomes of it."""

    proposal_id: str
    job_id: str
    organisation_id: str
    trainer_id: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its events told it: whose it is, and whether hires join its channels."""

    job_id: str
    organisation_id: str
    adds_hires: bool


@dataclass(frozen=True, slots=True)
class Work:
    """A contract as its events told it: who works on which job, and whether now."""

    contract_id: str
    job_id: str
    organisation_id: str
    trainer_id: str
    active: bool


@dataclass(frozen=True, slots=True)
class ChannelMember:
    """A trainer in a channel, and since when."""

    trainer_id: str
    join_time: datetime


@dataclass(frozen=True, slots=True)
class Engagement:
    """A proposal that came to a contract."""

    proposal: Proposal
    contract_id: str


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread. `contract_id` is empty unless it is a contract's job thread.

    `name` is empty unless it is a channel. `trainer_ids` are all trainers in it, but of a channel,
    which may have thousands, at most the one who reads it. `message_count` is the sequence of its
    last message. `last_message_time` is when it was opened while nothing is written.
    """

    thread_id: str
    kind: ThreadKind
    organisation_id: str
    job_id: str
    proposal_id: str
    contract_id: str
    trainer_ids: tuple[str, ...]
    message_count: int
    create_time: datetime
    last_message_time: datetime
    name: str = ""

    @classmethod
    def of_proposal(cls, thread_id: str, proposal: Proposal, now: datetime) -> Self:
        """Open the thread of a proposal; from now on its trainer reads it too."""
        return cls(
            thread_id=thread_id,
            kind=ThreadKind.PROPOSAL,
            organisation_id=proposal.organisation_id,
            job_id=proposal.job_id,
            proposal_id=proposal.proposal_id,
            contract_id="",
            trainer_ids=(proposal.trainer_id,),
            message_count=0,
            create_time=now,
            last_message_time=now,
        )

    @classmethod
    def of_contract(cls, thread_id: str, engagement: Engagement, now: datetime) -> Self:
        """Open the job thread of a contract; its first message is the `welcome`."""
        opened = cls.of_proposal(thread_id, engagement.proposal, now)
        return replace(opened, kind=ThreadKind.JOB, contract_id=engagement.contract_id)

    @classmethod
    def channel(cls, thread_id: str, job: Job, name: str, now: datetime) -> Self:
        """Make a channel on a job; nobody but its organisation is in it yet."""
        return cls(
            thread_id=thread_id,
            kind=ThreadKind.CHANNEL,
            organisation_id=job.organisation_id,
            job_id=job.job_id,
            proposal_id="",
            contract_id="",
            trainer_ids=(),
            message_count=0,
            create_time=now,
            last_message_time=now,
            name=name,
        )

    def require_same(self, wanted: Self) -> None:
        """Raise Refused THREAD_EXISTS unless this is the thread that `wanted` would open."""
        if self._identity != wanted._identity:
            raise Refused(
                "THREAD_EXISTS",
                f"contract {wanted.contract_id} has another thread than {wanted.thread_id}, or "
                "that thread is another contract's",
            )

    def welcome(self, message_id: str, sender: Sender, now: datetime) -> tuple[Self, Message]:
        """Add the system message with which a job thread begins."""
        return self._append(message_id, MessageKind.SYSTEM, sender, Content(WELCOME), now)

    def write(
        self,
        message_id: str,
        sender: Sender,
        content: Content,
        now: datetime,
        file_hosts: Collection[str] = (),
    ) -> tuple[Self, Message]:
        """Add what somebody wrote; before the hire, without contact details.

        Raises Refused EMPLOYER_WRITES_FIRST when a trainer begins a proposal thread; InvalidInput
        when a file comes from another host than `file_hosts` before the hire: its address could be
        that of a person.
        """
        begins = self.kind is ThreadKind.PROPOSAL and self.message_count == 0
        if begins and sender.kind is SenderKind.TRAINER:
            raise Refused(
                "EMPLOYER_WRITES_FIRST",
                "the employer writes first in a proposal thread; answer what is asked",
            )
        if self.kind is ThreadKind.PROPOSAL:
            with problems() as noted:
                check_kept(content.attachments, file_hosts, noted)
        attachments = tuple(
            replace(each, name=self.tellable(each.name)) for each in content.attachments
        )
        said = Content(self.tellable(content.text), attachments)
        return self._append(message_id, MessageKind.TEXT, sender, said, now)

    @property
    def tells_reading(self) -> bool:
        """Whether watchers are told how far others have read.

        Not in a channel: each message would be told to each watcher again for each reader.
        """
        return self.kind is not ThreadKind.CHANNEL

    def tellable(self, text: str) -> str:
        """Give the text as it may be told here: before the hire, without contact details."""
        return without_contact_details(text) if self.kind is ThreadKind.PROPOSAL else text

    @property
    def _identity(self) -> tuple[object, ...]:
        place = (self.organisation_id, self.job_id, self.proposal_id, self.contract_id)
        return (self.thread_id, self.kind, *place, self.trainer_ids)

    def _append(
        self, message_id: str, kind: MessageKind, sender: Sender, said: Content, now: datetime
    ) -> tuple[Self, Message]:
        # A process whose clock is behind neither moves a thread back in its lists nor dates an
        # answer before its question.
        time = max(now, self.last_message_time)
        sequence = self.message_count + 1
        message = Message(
            message_id=message_id,
            thread_id=self.thread_id,
            sequence=sequence,
            kind=kind,
            sender=sender,
            text=said.text,
            create_time=time,
            attachments=said.attachments,
        )
        return replace(self, message_count=sequence, last_message_time=time), message


@dataclass(frozen=True, slots=True)
class SeenThread(Thread):
    """A thread as one caller sees it.

    Attributes:
        unread_count: how many messages that caller has not read.
        change_count: how often it has changed, which is the number of its last change.

    """

    unread_count: int = 0
    change_count: int = 0
