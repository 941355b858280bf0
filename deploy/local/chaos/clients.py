"""What each kind of client does, what it was told, and how its hires may therefore end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.local.chaos.gateway import (
    PatientCaller,
    Refusal,
    Weather,
    authenticate,
    follow,
    read_hire,
    save_card,
)
from deploy.local.chaos.plan import HireKind, PlannedHire
from deploy.local.journey import Browser, Journey, Services, new_id
from hireflow.hiring.v1 import hire_pb2

VISA = "pm_card_visa"
SECURE = "pm_card_authenticationRequired"
FAILING = "pm_card_chargeCustomerFail"
HIRED = "HIRED"
EXPIRED = "UNDONE PAYMENT_EXPIRED"
CANCELLED = "UNDONE HIRE_CANCELLED"
NO_POSITION = "UNDONE NO_POSITION"
_CLICKS = 6
_WAITS_FOR_CLIENT = hire_pb2.HIRE_WAITING_FOR_CLIENT_CONFIRMATION
_WAITS_FOR_METHOD = hire_pb2.HIRE_WAITING_FOR_PAYMENT_METHOD


def how_it_stands(hire: hire_pb2.Hire) -> str:
    """Tell how a hire ended, or what it does."""
    match hire.state:
        case hire_pb2.HIRE_STATE_HIRED:
            return HIRED
        case hire_pb2.HIRE_STATE_UNDONE:
            return f"UNDONE {hire.end_reason}"
    if hire.waiting_for:
        waiting = hire_pb2.HireWaitingFor.Name(hire.waiting_for)
        return f"waits for {waiting.removeprefix('HIRE_WAITING_FOR_').replace('_', ' ').lower()}"
    return hire_pb2.HireStage.Name(hire.stage).removeprefix("HIRE_STAGE_").replace("_", " ").lower()


@dataclass
class Case:
    """One client's hires, as the client knows them.

    Attributes:
        proposals: whom it wants to hire.
        stands: by hire, how it stood when it was last told.
        told: by hire, the numbers of the steps as the stream told them while they happened.
        allowed: by hire, the ends that what the client was told leaves possible.
        broken: promises that were broken under the client's eyes.

    """

    planned: PlannedHire
    organisation_id: str
    proposals: list[str] = field(default_factory=list)
    stands: dict[str, str] = field(default_factory=dict)
    told: dict[str, list[int]] = field(default_factory=dict)
    allowed: dict[str, set[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    came: bool = False
    done: bool = False


@dataclass(frozen=True)
class Town:
    """Where clients live: how they call, and who they may be."""

    services: Services
    browser: Browser
    weather: Weather
    caller: Callable[[str, str | None], PatientCaller]


class Client:
    """Plays one case: `prepare` in calm, then `play` whatever the weather."""

    def __init__(self, town: Town, case: Case) -> None:
        self._town = town
        self._case = case
        self._planned = case.planned
        self._journeys: list[Journey] = []

    async def prepare(self) -> None:
        """Publish a job, have trainers propose, save a card of the employer."""
        employer = self._town.caller("employer", self._case.organisation_id)
        trainers = [self._town.caller("trainer", None) for _ in range(self._planned.hires)]
        last_one = self._planned.kind is HireKind.LAST_POSITION
        first = Journey(self._town.services, employer, trainers[0])
        await first.publish_job(positions=1 if last_one else 2)
        for trainer in trainers:
            journey = Journey(self._town.services, employer, trainer, job=first.job)
            await journey.submit_proposal()
            self._case.proposals.append(journey.proposal_id)
            self._journeys.append(journey)
        await save_card(first, self._town.browser, self._card())

    def _card(self) -> str:
        match self._planned.kind:
            case HireKind.SECURE | HireKind.OTHER_TERMS:
                return SECURE
            case HireKind.DECLINED:
                return FAILING
            case HireKind.CANCELLED:
                return SECURE if self._planned.twist else VISA
            case HireKind.ABANDONED:
                return FAILING if self._planned.twist else SECURE
        return VISA

    async def play(self) -> None:
        """Hire and react; a refusal that the kind of client does not expect is noted."""
        kinds = {
            HireKind.GOOD_CARD: self._good_card,
            HireKind.SECURE: self._hesitant,
            HireKind.DECLINED: self._hesitant,
            HireKind.CANCELLED: self._cancelled,
            HireKind.OTHER_TERMS: self._other_terms,
            HireKind.DOUBLE_CLICKS: self._double_clicks,
            HireKind.LAST_POSITION: self._last_position,
            HireKind.ABANDONED: self._abandoned,
        }
        self._case.came = True
        try:
            await kinds[self._planned.kind](self._journeys[0])
        except Refusal as refusal:
            self._case.broken.append(f"an honest call was refused: {refusal}")
        self._case.done = True

    async def _good_card(self, journey: Journey) -> None:
        await self._see_through(journey, await self._start(journey, {HIRED}))

    async def _hesitant(self, journey: Journey) -> None:
        await self._see_through(journey, await self._start(journey, {HIRED, EXPIRED}))

    async def _abandoned(self, journey: Journey) -> None:
        await self._see_through(journey, await self._start(journey, {EXPIRED}), gone=True)

    async def _double_clicks(self, journey: Journey) -> None:
        request = await journey.start_request()
        again = await journey.start_request()
        clicks = [request] * _CLICKS + [again] * self._planned.twist
        named: set[str] = set()

        async def click(wish: hire_pb2.StartHireRequest) -> None:
            try:
                named.add((await journey.start(wish)).hire.hire_id)
            except Refusal as refusal:
                # The same wish under another id may come when the hire has ended well.
                if wish is request or refusal.reason != "ALREADY_HIRED":
                    raise

        await asyncio.gather(*map(click, clicks))
        if len(named) != 1:
            self._case.broken.append(f"{len(clicks)} equal clicks were told of hires {named}")
        for hire_id in named:
            self._case.allowed[hire_id] = {HIRED}
            await self._see_through(journey, hire_id)

    async def _last_position(self, _: Journey) -> None:
        async def hire(journey: Journey) -> None:
            try:
                hire_id = await self._start(journey, {HIRED, NO_POSITION})
            except Refusal as refusal:
                if refusal.reason != "NO_POSITION":
                    raise
            else:
                await self._see_through(journey, hire_id)

        await asyncio.gather(*map(hire, self._journeys))

    async def _cancelled(self, journey: Journey) -> None:
        request = await journey.start_request()
        starting = asyncio.create_task(journey.start(request))
        hire_id = await self._begun(journey)
        await asyncio.sleep(self._planned.pause)
        cancel = hire_pb2.CancelHireRequest(
            request_id=new_id(), hire_id=hire_id, reason="changed_mind"
        )
        try:
            await journey.employer.call(journey.services.hiring.CancelHire, cancel)
        except Refusal as refusal:
            past_pivot = refusal.reason == "PAST_PIVOT"
            self._case.allowed[hire_id] = {HIRED} if past_pivot else {EXPIRED}
        else:
            self._case.allowed[hire_id] = {CANCELLED}
        await starting
        await self._see_through(journey, hire_id, gone=True)
        if self._case.stands[hire_id] != HIRED:
            await save_card(journey, self._town.browser, VISA)
            await self._see_through(journey, await self._start(journey, {HIRED}))

    async def _other_terms(self, journey: Journey) -> None:
        hire_id = await self._start(journey, {HIRED, EXPIRED})
        request = await journey.start_request(minor_units=60000)
        offering = asyncio.create_task(journey.start(request))
        if self._planned.twist:
            await self._confirm(journey, hire_id)
        try:
            await offering
        except Refusal as refusal:
            paid_or_late = {"PAYMENT_ALREADY_SUCCEEDED", "ALREADY_HIRED", "HIRE_ENDING"}
            if refusal.reason not in paid_or_late:
                raise
        await self._see_through(journey, hire_id)

    async def _start(self, journey: Journey, allowed: set[str]) -> str:
        answer = await journey.start(await journey.start_request())
        self._case.allowed[answer.hire.hire_id] = allowed
        return answer.hire.hire_id

    async def _begun(self, journey: Journey) -> str:
        """Find the hire while its start is still being answered."""
        request = hire_pb2.ListHiresRequest(proposal_id=journey.proposal_id, page_size=1)
        while True:
            listed = await journey.employer.call(journey.services.hiring.ListHires, request)
            if listed.hires:
                return listed.hires[0].hire_id
            await asyncio.sleep(0.02)  # between two looks, until the start is committed

    async def _see_through(self, journey: Journey, hire_id: str, *, gone: bool = False) -> None:
        """Watch a hire to its end, doing what it waits for unless the client is gone."""
        numbers = self._case.told.setdefault(hire_id, [])
        async for told in follow(journey, hire_id, self._town.weather):
            numbers.append(told.step.number)
            self._case.stands[hire_id] = how_it_stands(told.hire)
            if gone or told.hire.state != hire_pb2.HIRE_STATE_RUNNING:
                continue
            if told.step.waiting_for == _WAITS_FOR_CLIENT:
                await asyncio.sleep(self._planned.pause)
                await self._confirm(journey, hire_id)
            elif told.step.waiting_for == _WAITS_FOR_METHOD:
                await asyncio.sleep(self._planned.pause)
                await self._pay_otherwise(journey, hire_id)
        if not self._case.stands[hire_id].startswith((HIRED, "UNDONE")):
            last = self._case.stands[hire_id]
            self._case.broken.append(f"the stream of {hire_id} ended telling: {last}")

    async def _confirm(self, journey: Journey, hire_id: str) -> None:
        answer = await read_hire(journey, hire_id)
        if not answer.client_secret:
            return  # it moved on meanwhile
        if await authenticate(self._town.browser, answer.client_secret):
            # Stripe took the money, so whatever dies, the hire goes forward.
            self._case.allowed[hire_id] = {HIRED}

    async def _pay_otherwise(self, journey: Journey, hire_id: str) -> None:
        good = await save_card(journey, self._town.browser, VISA)
        request = hire_pb2.RetryPaymentRequest(
            request_id=new_id(), hire_id=hire_id, payment_method_id=good
        )
        try:
            await journey.employer.call(journey.services.hiring.RetryPayment, request)
        except Refusal as refusal:
            if refusal.reason not in {"PAYMENT_NOT_EXPECTED", "HIRE_ENDING"}:
                raise
