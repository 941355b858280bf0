"""The people of a hire, as patient as a gateway: a call whose outcome is unknown is repeated."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import grpc
import httpx

from deploy.local.chaos.plan import HireKind, PlannedHire
from deploy.local.journey import Browser, Journey, new_id
from hireflow.hiring.v1 import hire_pb2

Answer = TypeVar("Answer")
CARDS = {
    HireKind.SECURE: "pm_card_authenticationRequired",
    HireKind.ABANDONED: "pm_card_authenticationRequired",
    HireKind.DECLINED_THEN_GOOD: "pm_card_chargeCustomerFail",
    HireKind.OTHER_TERMS: "pm_card_authenticationRequired",
}
GOOD = "pm_card_visa"
# The same call under the same request_id may be sent again after these.
UNKNOWN = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
}
_PAUSE = 0.5


@dataclass
class Told:
    """What became of a planned hire, as its people know it."""

    planned: PlannedHire
    journey: Journey
    hire_id: str = ""
    refusals: list[str] = field(default_factory=list)


async def until_answered(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Repeat a call until it is answered; a refusal is an answer, raised as AioRpcError."""
    while True:
        try:
            return await ask()
        except grpc.aio.AioRpcError as error:
            if error.code() not in UNKNOWN:
                raise
        except httpx.HTTPError:
            pass  # the provider's page is away, or failed on purpose: the client reloads it
        await asyncio.sleep(_PAUSE)


async def live(told: Told, browser: Browser) -> None:
    """Play a planned hire to where its people have nothing more to do."""
    try:
        await _STORIES[told.planned.kind](told, browser)
    except grpc.aio.AioRpcError as error:
        # Refused by name: too late for it, or the hire is over. The checker judges the rest.
        told.refusals.append(f"{error.code().name}: {error.details()}")


async def _start(told: Told, request: hire_pb2.StartHireRequest) -> hire_pb2.StartHireResponse:
    answer = await until_answered(lambda: told.journey.start(request))
    told.hire_id = answer.hire.hire_id
    return answer


async def _asked(told: Told, minor_units: int = 45000) -> hire_pb2.StartHireRequest:
    return await until_answered(lambda: told.journey.start_request(minor_units))


async def _just_hire(told: Told, _browser: Browser) -> None:
    await _start(told, await _asked(told))


async def _double_clicks(told: Told, _browser: Browser) -> None:
    request = await _asked(told)
    answers = await asyncio.gather(*(_start(told, request) for _ in range(4)))
    hire_ids = {answer.hire.hire_id for answer in answers}
    if len(hire_ids) != 1:
        raise AssertionError(f"one request was answered with the hires {sorted(hire_ids)}")


async def _authenticate(told: Told, browser: Browser) -> None:
    """Wait for the bank's question, hesitate, confirm; the client secret is asked for anew."""
    read = hire_pb2.GetHireRequest(hire_id=told.hire_id)
    journey = told.journey
    while True:
        answer = await until_answered(
            lambda: journey.employer.call(journey.services.hiring.GetHire, read)
        )
        if answer.hire.state != hire_pb2.HIRE_STATE_RUNNING:
            return
        if answer.client_secret:
            break
        await asyncio.sleep(_PAUSE)
    await asyncio.sleep(told.planned.patience)

    async def confirm() -> None:
        try:
            await browser.authenticate(answer.client_secret)
        except httpx.HTTPStatusError as error:
            # Confirmed already, by a call whose answer was lost, or cancelled meanwhile.
            if error.response.status_code != httpx.codes.CONFLICT:
                raise

    await until_answered(confirm)


async def _secure(told: Told, browser: Browser) -> None:
    await _start(told, await _asked(told))
    await _authenticate(told, browser)


async def _abandoned(told: Told, _browser: Browser) -> None:
    await _start(told, await _asked(told))


async def _cancelled(told: Told, _browser: Browser) -> None:
    request = await _asked(told)
    starting = asyncio.create_task(_start(told, request))
    await asyncio.sleep(told.planned.patience / 4)
    await starting
    order = hire_pb2.CancelHireRequest(
        request_id=new_id(), hire_id=told.hire_id, reason="changed_mind"
    )
    journey = told.journey
    await until_answered(lambda: journey.employer.call(journey.services.hiring.CancelHire, order))


async def _declined_then_good(told: Told, browser: Browser) -> None:
    await _start(told, await _asked(told))
    await asyncio.sleep(told.planned.patience)
    method = await until_answered(lambda: told.journey.save_card(browser, GOOD))
    order = hire_pb2.RetryPaymentRequest(
        request_id=new_id(), hire_id=told.hire_id, payment_method_id=method
    )
    journey = told.journey
    while True:
        try:
            await until_answered(
                lambda: journey.employer.call(journey.services.hiring.RetryPayment, order)
            )
        except grpc.aio.AioRpcError as error:
            # The first attempt is still on its way: the employer tries a moment later.
            if error.code() is not grpc.StatusCode.ABORTED:
                raise
            await asyncio.sleep(_PAUSE)
        else:
            return


async def _other_terms(told: Told, browser: Browser) -> None:
    await _start(told, await _asked(told))
    await asyncio.sleep(told.planned.patience)
    await _start(told, await _asked(told, 60000))
    await _authenticate(told, browser)


_STORIES: dict[HireKind, Callable[[Told, Browser], Awaitable[None]]] = {
    HireKind.GOOD_CARD: _just_hire,
    HireKind.DOUBLE_CLICKS: _double_clicks,
    HireKind.SECURE: _secure,
    HireKind.DECLINED_THEN_GOOD: _declined_then_good,
    HireKind.CANCELLED: _cancelled,
    HireKind.OTHER_TERMS: _other_terms,
    HireKind.ABANDONED: _abandoned,
    HireKind.LAST_POSITION: _just_hire,
}


async def meet(
    planned: Sequence[PlannedHire], new_journey: Callable[[], Journey], browser: Browser
) -> list[Told]:
    """Publish, propose and save a card for each planned hire, while nothing is broken yet.

    The hires for a last position share jobs in twos: one position, two candidates.
    """
    told = [Told(each, new_journey()) for each in planned]
    rivals = [each for each in told if each.planned.kind is HireKind.LAST_POSITION]
    for first, second in zip(rivals[::2], rivals[1::2], strict=False):
        second.journey.employer = first.journey.employer
    limit = asyncio.Semaphore(8)

    async def prepare(each: Told, job_of: Told | None) -> None:
        async with limit:
            if job_of is None:
                await each.journey.publish_job()
            else:
                each.journey.job = job_of.journey.job
            await each.journey.submit_proposal()
            if job_of is None:
                await each.journey.save_card(browser, CARDS.get(each.planned.kind, GOOD))

    seconds = {id(second): first for first, second in zip(rivals[::2], rivals[1::2], strict=False)}
    await asyncio.gather(*(prepare(each, None) for each in told if id(each) not in seconds))
    await asyncio.gather(*(prepare(e, seconds[id(e)]) for e in told if id(e) in seconds))
    return told
