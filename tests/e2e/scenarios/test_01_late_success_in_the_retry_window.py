"""Card A succeeds late, while the employer pays again with card B."""

import asyncio

import httpx
import pytest

from deploy.local.journey import Journey
from tests.e2e.conftest import Hire, System
from tests.e2e.scenarios.acts import HIRED, NEEDS_CLIENT, SECURE, TOTAL, VISA, retry, start


class Window:
    """A hire whose card A waits for 3-D Secure, and a good card B beside it."""

    def __init__(self, system: System, journey: Journey, hire: Hire, secret: str, b: str) -> None:
        self.system = system
        self.journey = journey
        self.hire = hire
        self.secret = secret
        self.card_b = b

    @classmethod
    async def open(cls, system: System) -> "Window":
        journey = await system.proposed()
        card_b = await journey.save_card(system.browser, VISA)
        await journey.save_card(system.browser, SECURE)
        started = await start(journey)
        assert started.hire.waiting_for == NEEDS_CLIENT
        return cls(system, journey, started.hire, started.client_secret, card_b)

    async def pay_with_b(self) -> Hire:
        return await retry(self.journey, self.hire.hire_id, self.card_b)

    async def finish_a(self) -> None:
        await self.system.browser.authenticate(self.secret)


async def a_then_b(window: Window) -> tuple[Hire, bool]:
    await window.finish_a()
    return await window.pay_with_b(), False


async def a_while_b_is_on_its_way(window: Window) -> tuple[Hire, bool]:
    intent = window.hire.payment_intent_id
    await window.system.fault(
        kind="hold_before", operation="payment_intents.confirm", object=intent
    )
    paying = asyncio.create_task(window.pay_with_b())
    hold = await window.system.hold_reached("payment_intents.confirm")
    await window.finish_a()
    await window.system.release(hold)
    return await paying, False


async def b_then_a(window: Window) -> tuple[Hire, bool]:
    paid = await window.pay_with_b()
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        await window.finish_a()
    return paid, True


async def test_a_late_success_and_a_retry_are_one_charge_and_the_retry_answers_paid(
    system: System,
) -> None:
    """1. Late success in the retry window.

    Card A needs 3-D Secure; the employer finishes it in one tab while another sends
    RetryPayment(B); A's webhook late → one charge, B's call answers "paid", HIRED.

    In every order: A before B's call, while B's confirm is on its way, after B was charged.
    """
    windows = await asyncio.gather(*(Window.open(system) for _ in range(3)))
    async with system.late_webhooks():
        # One after the other: the holds of the sandbox are found by their operation.
        answers = [
            await order(window)
            for order, window in zip(
                (a_then_b, a_while_b_is_on_its_way, b_then_a), windows, strict=True
            )
        ]
    for window, (answered, by_b) in zip(windows, answers, strict=True):
        hire = await system.ended(window.journey, window.hire.hire_id)
        [charge] = await system.charges(hire)
        assert answered.charge_id == hire.charge_id == charge["id"]
        assert (hire.state, charge["amount"]) == (HIRED, TOTAL)
        assert (charge["payment_method"] == window.card_b) is by_b
    await system.audited(*(window.hire.hire_id for window in windows))
