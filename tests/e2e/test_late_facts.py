"""What Stripe tells when a hire is over: it moves the ledger, and no other hire."""

import asyncio
from typing import Any

import pytest

from deploy.local.journey import Journey
from hireflow.contracts.v1 import contract_pb2
from tests.e2e.conftest import Hire, System
from tests.e2e.test_hire import HIRED, NEEDS_CLIENT, SECURE, UNDONE, VISA, cancel, start
from tests.waiting import until


async def control(system: System, path: str, **body: Any) -> dict[str, Any]:
    answer = await system.sandbox.post(f"/_sandbox{path}", json=body)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def booked(system: System, hire: Hire) -> list[str]:
    """The kinds of the entries of a hire's ledger; all of it is proved first."""
    operator = system.caller("operator")
    contracts = system.services.contracts
    verify = contract_pb2.VerifyLedgerRequest(contract_id=hire.contract_id)
    assert not (await operator.call(contracts.VerifyLedger, verify)).findings
    request = contract_pb2.ListLedgerEntriesRequest(contract_id=hire.contract_id)
    entries = (await operator.call(contracts.ListLedgerEntries, request)).entries
    return [entry.kind for entry in entries]


async def milestone_state(system: System, hire: Hire) -> str:
    request = contract_pb2.GetContractRequest(contract_id=hire.contract_id)
    found = await system.caller("operator").call(system.services.contracts.GetContract, request)
    state = contract_pb2.MilestoneState.Name(found.contract.milestones[0].state)
    return state.removeprefix("MILESTONE_STATE_")


async def hired(system: System) -> tuple[Journey, Hire]:
    journey = await system.proposed(VISA)
    return journey, await system.ended(journey, (await start(journey)).hire.hire_id)


async def refunded(system: System, journey: Journey) -> tuple[Hire, str]:
    """A hire whose first intent was cancelled by other terms and whose second was refunded.

    Answers with it and with its cancelled intent.
    """
    parked = await start(journey)
    canceled = parked.hire.payment_intent_id
    card = await journey.save_card(system.browser, VISA)
    await system.fault(kind="commit_then_hang", operation="payment_intents.confirm")
    other = await journey.start_request(60000, card)
    starting = asyncio.create_task(journey.start(other))
    hold = await system.hold_reached("payment_intents.confirm")
    await cancel(journey, parked.hire.hire_id)
    await system.release(hold)
    await starting
    hire = await system.ended(journey, parked.hire.hire_id)
    assert (hire.state, await system.net_charged(hire)) == (UNDONE, (1, 0))
    return hire, canceled


async def test_a_former_hires_late_events_move_its_ledger_and_not_the_hire_that_waits(
    system: System,
) -> None:
    journey = await system.proposed(SECURE)
    first, canceled = await refunded(system, journey)
    assert await booked(system, first) == ["funding", "refund"]
    await journey.save_card(system.browser, SECURE)
    second = (await start(journey)).hire
    assert (second.waiting_for, second.workflow_id) == (NEEDS_CLIENT, first.workflow_id)

    told = {"type": "payment_intent.canceled", "object": canceled}
    event = (await system.sandbox.get("/_sandbox/wait/event", params=told)).json()["events"][0]
    await control(system, f"/events/{event['id']}/resend")
    await control(system, "/clock", advance_seconds=3600)
    refunds = (await system.sandbox.get("/v1/refunds", params={"charge": first.charge_id})).json()
    await control(system, f"/refunds/{refunds['data'][0]['id']}/fail")

    async def taken_back() -> bool:
        return await booked(system, first) == ["funding", "refund", "refund_failed"]

    await until(taken_back)
    assert (await system.hire(journey, second.hire_id)).etag == second.etag
    ended = await system.hire(journey, first.hire_id)
    assert ended == first
    assert await system.net_charged(first) == (1, 66995)  # owed to the employer again


@pytest.mark.parametrize(
    ("outcome", "state", "entries"),
    [
        ("won", "ACTIVE_FUNDED", ["funding", "chargeback", "chargeback_reversed"]),
        ("lost", "REFUNDED", ["funding", "chargeback"]),
    ],
)
async def test_a_dispute_is_booked_when_it_opens_and_when_it_is_decided(
    system: System, outcome: str, state: str, entries: list[str]
) -> None:
    journey, hire = await hired(system)
    dispute = await control(system, f"/charges/{hire.charge_id}/dispute")

    async def disputed() -> bool:
        return await milestone_state(system, hire) == "DISPUTED"

    await until(disputed)
    assert await booked(system, hire) == ["funding", "chargeback"]
    await control(system, f"/disputes/{dispute['id']}/close", outcome=outcome)

    async def decided() -> bool:
        return await milestone_state(system, hire) == state

    await until(decided)
    assert await booked(system, hire) == entries
    assert (await system.hire(journey, hire.hire_id)).state == HIRED


async def test_every_ledger_of_a_healthy_system_is_proved(system: System) -> None:
    await hired(system)
    operator = system.caller("operator")
    request = contract_pb2.VerifyLedgerRequest(page_size=2)
    seen = 0
    while True:
        page = await operator.call(system.services.contracts.VerifyLedger, request)
        assert not page.findings
        seen += page.contracts
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert seen >= 1
