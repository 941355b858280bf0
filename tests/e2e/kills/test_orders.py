"""What people order, with the API killed at each instant of the order; the same click comes again.

The instants: before the call's work, before and after the commit that claims its request, and
before its answer is sent. At each stands the order of another hire when the API is killed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

import psutil
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from deploy.local.journey import Journey, new_id
from hireflow.hiring.v1 import hire_pb2, operations_pb2
from tests.e2e.conftest import System
from tests.e2e.kills.instants import AWAY, Instants
from tests.e2e.scenarios.acts import (
    FAILING,
    HIRED,
    NEEDS_CLIENT,
    NEEDS_METHOD,
    SECURE,
    TOTAL,
    UNDONE,
    VISA,
    assert_free,
    hires_of,
    start,
)
from tests.refusals import refusal

pytestmark = pytest.mark.timeout(240)
WHEN = ("before the work", "before the commit", "after the commit", "before the answer")

Clicks = Mapping[str, Callable[[], Awaitable[Any]]]
"""The call that a click makes, by the id of its request."""


async def journeys(system: System, card: str) -> list[Journey]:
    """One up to the click on Hire for each of the instants, all of one job."""
    first = await system.proposed(card, positions=len(WHEN))
    return [first, *[await system.proposed_beside(first) for _ in WHEN[1:]]]


def instant(rpc: str, when: str, request_id: str) -> tuple[str, str]:
    """The stop point and the part of its key at which a call of the rpc is held."""
    commit = f'hiring during {rpc}.before request_id: "{request_id}"'
    return {
        "before the work": (f"{rpc}.before", request_id),
        "before the commit": ("commit.before", commit),
        "after the commit": ("commit.after", commit),
        "before the answer": (f"{rpc}.after", request_id),
    }[when]


async def clicked_again(system: System, rpc: str, clicks: Clicks) -> list[Any]:
    """The answers to the clicks' repeats: a kill -9 held the first of each at another instant."""
    pid = system.stack.process("hiring").pid
    assert pid is not None
    with ExitStack() as armed:
        stops = [
            armed.enter_context(system.stop_at(*instant(rpc, when, request_id)))
            for when, request_id in zip(WHEN, clicks, strict=True)
        ]
        asking = [asyncio.ensure_future(click()) for click in clicks.values()]
        assert [await stop.reached() for stop in stops] == [pid] * len(stops)
        assert not any(each.done() for each in asking)
        await system.stack.kill("hiring")
        assert not psutil.pid_exists(pid)
        for each in asking:
            assert (await refusal(each)).code in AWAY
    await system.stack.start("hiring")
    return await asyncio.gather(*(click() for click in clicks.values()))


async def test_a_hire_is_one_hire(system: System) -> None:
    hired = await journeys(system, VISA)
    requests = [await journey.start_request() for journey in hired]
    clicks = {
        request.request_id: partial(journey.start, request)
        for journey, request in zip(hired, requests, strict=True)
    }
    answers = await clicked_again(system, "StartHire", clicks)
    for journey, answer in zip(hired, answers, strict=True):
        assert (await system.ended(journey, answer.hire.hire_id)).state == HIRED
        assert [each.hire_id for each in await hires_of(journey)] == [answer.hire.hire_id]
    await system.audited(*(answer.hire.hire_id for answer in answers))


async def started(system: System, card: str) -> dict[str, tuple[Journey, Any]]:
    """A hire for each of the instants, and what its start was answered, by the hire's id."""
    made = await journeys(system, card)
    answers = await asyncio.gather(*map(start, made))
    return {
        answer.hire.hire_id: (journey, answer)
        for journey, answer in zip(made, answers, strict=True)
    }


async def test_a_cancel_undoes_the_hire(system: System) -> None:
    hires = await started(system, SECURE)
    clicks = {}
    for hire_id, (journey, answer) in hires.items():
        assert answer.hire.waiting_for == NEEDS_CLIENT
        request = hire_pb2.CancelHireRequest(
            request_id=new_id(), hire_id=hire_id, reason="changed_mind"
        )
        call = partial(journey.employer.call, journey.services.hiring.CancelHire, request)
        clicks[request.request_id] = call
    answers = await clicked_again(system, "CancelHire", clicks)
    assert [answer.hire.hire_id for answer in answers] == list(hires)
    for hire_id, (journey, _) in hires.items():
        ended = await system.ended(journey, hire_id)
        assert (ended.state, ended.end_reason) == (UNDONE, "HIRE_CANCELLED")
        assert await system.net_charged(ended) == (0, 0)
    # The positions of their one job are free once the last of them has ended.
    for journey, _ in hires.values():
        await assert_free(journey)
    await system.audited(*hires)


async def test_another_card_is_charged_once(system: System) -> None:
    hires = await started(system, FAILING)
    first, _ = next(iter(hires.values()))
    method_id = await first.save_card(system.browser, VISA)
    clicks = {}
    for hire_id, (journey, answer) in hires.items():
        assert answer.hire.waiting_for == NEEDS_METHOD
        request = hire_pb2.RetryPaymentRequest(
            request_id=new_id(), hire_id=hire_id, payment_method_id=method_id
        )
        call = partial(journey.employer.call, journey.services.hiring.RetryPayment, request)
        clicks[request.request_id] = call
    await clicked_again(system, "RetryPayment", clicks)
    for hire_id, (journey, _) in hires.items():
        ended = await system.ended(journey, hire_id)
        assert (ended.state, await system.net_charged(ended)) == (HIRED, (1, TOTAL))
    await system.audited(*hires)


async def test_an_operators_refund_is_one_refund(system: System) -> None:
    refund = partial(system.sources.operator.call, system.services.operations.RefundHire)
    async with Instants(system) as instants:
        hires = await instants.hires_at(["activity.open_thread.before"] * len(WHEN))
        async with system.without("messaging", killed=True):
            clicks = {}
            for hire in hires:
                hire.stop.disarm()
                request = operations_pb2.RefundHireRequest(
                    request_id=new_id(), hire_id=hire.hire_id, reason="client_asked"
                )
                clicks[request.request_id] = partial(refund, request)
            answers = await clicked_again(system, "RefundHire", clicks)
            assert [each.hire.hire_id for each in answers] == [hire.hire_id for hire in hires]
            ends = [await system.ended(hire.journey, hire.hire_id) for hire in hires]
    for hire, ended in zip(hires, ends, strict=True):
        assert (ended.state, ended.end_reason) == (UNDONE, "HIRE_REFUNDED")
        assert await system.net_charged(ended) == (1, 0)
        assert [each["amount"] for each in await system.refunds(ended.charge_id)] == [TOTAL]
        await assert_free(hire.journey)
    await system.audited(*(hire.hire_id for hire in hires))


async def test_a_deadline_is_extended_to_the_moment_that_was_named(system: System) -> None:
    extend = partial(system.sources.operator.call, system.services.operations.ExtendHireDeadline)
    hires = await started(system, SECURE)
    clicks, deadlines = {}, {}
    for hire_id, (_, answer) in hires.items():
        later = Timestamp()
        later.FromDatetime(answer.hire.wait_deadline.ToDatetime() + timedelta(hours=24))
        request = operations_pb2.ExtendHireDeadlineRequest(
            request_id=new_id(), hire_id=hire_id, reason="client_asked", wait_deadline=later
        )
        clicks[request.request_id], deadlines[hire_id] = partial(extend, request), later
    answers = await clicked_again(system, "ExtendHireDeadline", clicks)
    assert [answer.hire.hire_id for answer in answers] == list(hires)
    for hire_id, (journey, answer) in hires.items():
        assert (await system.hire(journey, hire_id)).wait_deadline == deadlines[hire_id]
        await system.browser.authenticate(answer.client_secret)
    for hire_id, (journey, _) in hires.items():
        assert (await system.ended(journey, hire_id)).state == HIRED
        assert (await system.story(journey, hire_id)).count("deadline_extended") == 1
    await system.audited(*hires)
