"""Carries out what a plan says of cards, hires and the talks between people."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from deploy.local.failure import StackFailure
from deploy.local.journey import Caller, Journey
from deploy.local.seed.desk import Desk, patiently, plain_words
from deploy.local.seed.plan import Ending, Plan, PlannedProposal, Talk
from hireflow.hiring.v1 import hire_pb2
from hireflow.messaging.v1 import thread_pb2

_HIRE_SECONDS = 120.0
_PARKED = {
    hire_pb2.HIRE_WAITING_FOR_CLIENT_CONFIRMATION,
    hire_pb2.HIRE_WAITING_FOR_PAYMENT_METHOD,
}


@dataclass(frozen=True, slots=True)
class _Card:
    """One of Stripe's test cards."""

    token: str
    last4: str


_GOOD = _Card("pm_card_visa", "4242")
_DECLINED = _Card("pm_card_chargeCustomerFail", "0341")
_SECURE = _Card("pm_card_authenticationRequired", "3184")
_CARDS = {
    Ending.HIRED: _GOOD,
    Ending.DECLINED: _DECLINED,
    Ending.AT_BANK: _SECURE,
    Ending.UNDONE: _SECURE,
}


@dataclass
class Talks:
    """Writes messages."""

    desk: Desk
    made: Counter[str]

    async def hold(
        self, employer: Caller, trainer: Caller, thread_id: str, talk: Talk, *step: object
    ) -> None:
        """Write a talk's lines in a thread, and do with them what their authors did."""
        messaging, last = self.desk.services.messaging, thread_pb2.Message()
        for number, line in enumerate(talk.lines):
            writer = trainer if line.by_trainer else employer
            send = thread_pb2.SendMessageRequest(
                request_id=self.desk.step("send", *step, number),
                thread_id=thread_id,
                text=line.text,
                attachments=[line.attachment] if line.attachment else [],
            )
            last = (await self.desk.call(writer, messaging.SendMessage, send)).message
            self.made["messages"] += 1
            if line.mended:
                edit = thread_pb2.EditMessageRequest(
                    request_id=self.desk.step("edit", *step, number),
                    thread_id=thread_id,
                    message_id=last.message_id,
                    text=line.mended,
                )
                await self.desk.call(writer, messaging.EditMessage, edit)
            if line.deleted:
                delete = thread_pb2.DeleteMessageRequest(
                    request_id=self.desk.step("delete", *step, number),
                    thread_id=thread_id,
                    message_id=last.message_id,
                )
                await self.desk.call(writer, messaging.DeleteMessage, delete)
        if talk.read:
            reader = employer if talk.lines[-1].by_trainer else trainer
            mark = thread_pb2.MarkReadRequest(thread_id=thread_id, sequence=last.sequence)
            await self.desk.call(reader, messaging.MarkRead, mark)


@dataclass
class Hires:
    """Saves cards and hires by them."""

    desk: Desk
    plan: Plan
    talks: Talks
    methods: dict[tuple[int, _Card], str] = field(default_factory=dict)

    def cards(self) -> list[tuple[int, _Card]]:
        """List the cards that are needed, and whose; who hires at all has a good one too."""
        needed = set()
        for place in self.plan.hires():
            offer = self.plan.proposals[place]
            if offer.ending:
                owner = self.plan.jobs[offer.job].organisation
                needed |= {(owner, _GOOD), (owner, _CARDS[offer.ending])}
        return sorted(needed, key=lambda each: (each[0], each[1].token))

    async def save_card(self, organisation: int, card: _Card) -> None:
        """Save a card as Stripe.js would, unless it is there; the good one becomes the default."""
        desk, hiring = self.desk, self.desk.services.hiring
        employer = desk.employer(organisation)
        listed = await desk.call(
            employer, hiring.ListPaymentMethods, hire_pb2.ListPaymentMethodsRequest()
        )
        saved = [m.payment_method_id for m in listed.payment_methods if m.last4 == card.last4]
        if saved:
            method_id = saved[0]
        else:
            begin = hire_pb2.CreatePaymentSetupRequest(
                request_id=desk.step("card", organisation, card.token)
            )
            setup = await desk.call(employer, hiring.CreatePaymentSetup, begin)
            with plain_words("Saving a card"):
                method_id = await desk.browser.confirm_setup(
                    setup.setup_intent_id, setup.client_secret, card.token
                )
        self.methods[organisation, card] = method_id
        if card is _GOOD:
            choose = hire_pb2.SetDefaultPaymentMethodRequest(
                request_id=desk.step("default card", organisation), payment_method_id=method_id
            )
            await desk.call(employer, hiring.SetDefaultPaymentMethod, choose)

    async def hire(self, place: int, proposal_id: str) -> hire_pb2.Hire:
        """Hire for a proposal and answer once it ended as planned, or waits as planned.

        A hire that waited when the run was broken off may be over by its deadline.

        Raises:
            StackFailure: a hire with a good card did not come to its end.

        """
        offer = self.plan.proposals[place]
        organisation = self.plan.jobs[offer.job].organisation
        journey = Journey(
            self.desk.services, self.desk.employer(organisation), self.desk.trainer(offer.trainer)
        )
        journey.proposal_id = proposal_id
        with plain_words("Hire"):
            hire_id = await self._start(journey, place, offer, organisation)
            hire = await self._settled(journey, hire_id, waits=offer.ending is not Ending.HIRED)
            if offer.ending is Ending.UNDONE and hire.state == hire_pb2.HIRE_STATE_RUNNING:
                cancel = hire_pb2.CancelHireRequest(
                    request_id=self.desk.step("cancel", place),
                    hire_id=hire_id,
                    reason="changed_mind",
                )
                await self.desk.call(journey.employer, journey.services.hiring.CancelHire, cancel)
                hire = await self._settled(journey, hire_id, waits=False)
        if offer.ending is Ending.HIRED:
            if hire.state != hire_pb2.HIRE_STATE_HIRED:
                raise StackFailure(f"Hire {hire_id} ended {hire.end_reason or 'not at all'}.")
            people = (journey.employer, journey.trainer)
            await self.talks.hold(*people, hire.thread_id, offer.work, "work", place)
        return hire

    async def _start(
        self, journey: Journey, place: int, offer: PlannedProposal, organisation: int
    ) -> str:
        card = _CARDS[offer.ending or Ending.HIRED]
        # The good card is the default, and needs no name.
        method_id = "" if card is _GOOD else self.methods[organisation, card]
        amount = offer.milestone_minor_units
        request = await patiently(partial(journey.start_request, amount, method_id))
        request.request_id = self.desk.step("hire", place)
        return (await patiently(partial(journey.start, request))).hire.hire_id

    async def _settled(self, journey: Journey, hire_id: str, *, waits: bool) -> hire_pb2.Hire:
        async def follow() -> hire_pb2.Hire:
            hire = hire_pb2.Hire()
            async for told in journey.watch(hire_id):
                hire = told.hire
                if waits and hire.waiting_for in _PARKED:
                    break
            return hire

        async with asyncio.timeout(_HIRE_SECONDS):
            return await patiently(follow)
