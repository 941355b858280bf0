"""Hires whose workflow was terminated: swept and undone, or shown to an operator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import TimeoutType
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from deploy.local.journey import Journey, new_id
from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2, operations_pb2
from tests.e2e.conftest import Hire, System
from tests.e2e.test_hire import (
    HIRED,
    NEEDS_CLIENT,
    SECURE,
    UNDONE,
    VISA,
    assert_undone_and_free,
    start,
)
from tests.e2e.test_late_facts import booked
from tests.waiting import until
from workflows.hire.contract import clean_up_workflow_id
from workflows.hire.sweep import ensure_schedule


@pytest.fixture(scope="session")
async def temporal(system: System) -> Client:
    return await Client.connect(
        system.stack.addresses.temporal_address, data_converter=pydantic_data_converter
    )


@asynccontextmanager
async def sweeping(client: Client) -> AsyncIterator[None]:
    """A sweep each second meanwhile, which is more often than any test waits for one."""
    await ensure_schedule(client, timedelta(seconds=1))
    try:
        yield
    finally:
        await ensure_schedule(client, timedelta(days=1))


async def terminate(client: Client, hire: Hire) -> None:
    await client.get_workflow_handle(hire.workflow_id).terminate("a test ends it")


async def contract_state(system: System, contract_id: str) -> str:
    request = contract_pb2.GetContractRequest(contract_id=contract_id)
    operator = system.caller("operator")
    found = await operator.call(system.services.contracts.GetContract, request)
    return contract_pb2.ContractState.Name(found.contract.state)


async def swept(system: System, client: Client, journey: Journey, hire_id: str) -> Hire:
    """The hire as a sweep had it ended."""
    async with sweeping(client):
        return await system.ended(journey, hire_id)


async def assert_swept(system: System, journey: Journey, hire: Hire) -> None:
    """Undone, cancelled, free, not charged."""
    hire_id = hire.hire_id
    assert (hire.state, hire.end_reason) == (UNDONE, "HIRE_TERMINATED")
    await assert_undone_and_free(system, journey, hire)
    charges, _ = await system.net_charged(hire)
    assert await booked(system, hire) == ["funding", "refund"] * charges
    assert await contract_state(system, hire.contract_id) == "CONTRACT_STATE_CANCELLED"
    steps = [told.step async for told in journey.watch(hire_id)]
    assert [step.number for step in steps] == sorted({step.number for step in steps})
    assert [step.what for step in steps][-2:] == ["contract_cancelled", "undone"]
    await system.audited(hire_id)


async def assert_hired_anew(system: System, journey: Journey, former: Hire) -> None:
    """The proposal of a hire that was undone can be hired, by a hire of its own."""
    await journey.save_card(system.browser, VISA)
    hire = await system.ended(journey, (await start(journey)).hire.hire_id)
    assert hire.state == HIRED
    assert hire.hire_id != former.hire_id
    await system.audited(former.hire_id, hire.hire_id)


async def test_a_hire_terminated_while_it_waits_for_the_client_is_undone(
    system: System, temporal: Client
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    assert started.hire.waiting_for == NEEDS_CLIENT
    await terminate(temporal, started.hire)
    hire = await swept(system, temporal, journey, started.hire.hire_id)
    await assert_swept(system, journey, hire)
    await assert_hired_anew(system, journey, hire)


async def test_a_client_who_pays_after_the_terminate_is_refunded(
    system: System, temporal: Client
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    await terminate(temporal, started.hire)
    await system.browser.authenticate(started.client_secret)
    assert await system.net_charged(started.hire) == (1, 50495)
    hire = await swept(system, temporal, journey, started.hire.hire_id)
    assert await system.net_charged(hire) == (1, 0)
    await assert_swept(system, journey, hire)


async def test_a_charge_whose_answer_never_came_is_found_and_refunded(
    system: System, temporal: Client
) -> None:
    journey = await system.proposed(VISA)
    await system.fault(kind="commit_then_hang", operation="payment_intents.confirm")
    starting = asyncio.create_task(start(journey))
    hold = await system.hold_reached("payment_intents.confirm")
    hire = await system.hire(journey, await journey.live_hire())
    await terminate(temporal, hire)
    hire = await swept(system, temporal, journey, hire.hire_id)
    assert await system.net_charged(hire) == (1, 0)
    await system.release(hold)  # what the dead run learns now counts no more
    await starting
    await assert_swept(system, journey, hire)


async def test_a_hire_terminated_between_payment_and_activation_is_refunded(
    system: System, temporal: Client
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    with system.stop_at("activity.activate_contract.before", started.hire.hire_id) as stop:
        await system.browser.authenticate(started.client_secret)
        paid = await system.until(journey, started.hire.hire_id, lambda hire: bool(hire.charge_id))
        assert paid.state == hire_pb2.HIRE_STATE_RUNNING
        await stop.reached()
        await terminate(temporal, started.hire)
        hire = await swept(system, temporal, journey, started.hire.hire_id)
        assert await system.net_charged(paid) == (1, 0)
    # The activation that the dead run had asked for comes too late now.
    await assert_swept(system, journey, hire)
    await assert_hired_anew(system, journey, hire)


async def opening_its_thread(system: System, journey: Journey, client_secret: str) -> Hire:
    """The hire whose contract is active, once it is paid."""
    await system.browser.authenticate(client_secret)
    active = hire_pb2.HIRE_STAGE_CONTRACT_ACTIVATION
    hire_id = await journey.live_hire()
    return await system.until(journey, hire_id, lambda hire: hire.stage == active)


async def test_a_hire_terminated_after_the_activation_goes_forward_to_its_end(
    system: System, temporal: Client
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    async with system.without("messaging", killed=True):
        hire = await opening_its_thread(system, journey, started.client_secret)
        await terminate(temporal, hire)
    ended = await swept(system, temporal, journey, hire.hire_id)
    assert ended.state == HIRED
    assert await system.net_charged(ended) == (1, 50495)
    assert (await system.story(journey, hire.hire_id))[-2:] == ["thread_opened", "hired"]
    await system.audited(hire.hire_id)


async def test_a_refund_in_full_is_carried_through_when_its_hire_is_terminated(
    system: System, temporal: Client
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    operator = system.sources.operator
    async with system.without("messaging", killed=True):
        hire = await opening_its_thread(system, journey, started.client_secret)
        with system.stop_at("activity.refund_payment.before", hire.hire_id) as refunding:
            order = operations_pb2.RefundHireRequest(
                request_id=new_id(), hire_id=hire.hire_id, reason="client_asked"
            )
            await operator.call(system.services.operations.RefundHire, order)
            await refunding.reached()
            await system.stack.kill("worker")
            await terminate(temporal, hire)
        await system.stack.start("worker")
    ended = await swept(system, temporal, journey, hire.hire_id)
    assert (ended.state, ended.end_reason) == (UNDONE, "HIRE_TERMINATED")
    assert [each["amount"] for each in await system.refunds(ended.charge_id)] == [50495]
    assert await contract_state(system, ended.contract_id) == "CONTRACT_STATE_ENDED"
    await assert_undone_and_free(system, journey, ended)
    await system.audited(hire.hire_id)


async def book_another_refund(system: System, hire: Hire) -> None:
    """Tell contracts, behind everybody's back, of a refund of the hire's charge that never was."""
    [intent] = await system.intents(hire)
    service = system.caller("service", "service:test")
    charge = contract_pb2.Charge(
        charge_id=intent["latest_charge"],
        payment_intent_id=intent["id"],
        funding_id=intent["metadata"]["funding_id"],
        amount=money_pb2.Money(minor_units=intent["amount"], currency_code="USD"),
    )
    request = contract_pb2.RecordRefundedChargeRequest(
        request_id=new_id(),
        contract_id=hire.contract_id,
        milestone_id=hire.milestone_id,
        charge=charge,
        refund_id="re_unknown",
    )
    await service.call(system.services.contracts.RecordRefundedCharge, request)


async def test_an_operator_has_a_blocked_clean_up_tried_again(
    system: System, temporal: Client
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    hire_id = started.hire.hire_id
    await terminate(temporal, started.hire)
    await system.browser.authenticate(started.client_secret)
    await book_another_refund(system, started.hire)
    async with sweeping(temporal):
        blocked = await system.until(journey, hire_id, lambda hire: bool(hire.blocked_reason))
    assert blocked.blocked_reason == "CHARGE_RECORDED"
    assert blocked.waiting_for == hire_pb2.HIRE_WAITING_FOR_OPERATOR
    operator = system.sources.operator
    retry = operations_pb2.RetryHireStepRequest(
        request_id=new_id(), hire_id=hire_id, reason="looked_at_it"
    )
    await operator.call(system.services.operations.RetryHireStep, retry)
    story = operations_pb2.GetHireTimelineRequest(hire_id=hire_id)

    async def ordered_and_refused_again() -> bool:
        told = await operator.call(system.services.operations.GetHireTimeline, story)
        return [entry.what for entry in told.entries][-2:] == ["retry_ordered", "blocked"]

    await until(ordered_and_refused_again)


async def test_a_clean_up_that_is_terminated_itself_is_swept_again(
    system: System, temporal: Client
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    await system.fault(kind="hold_before", operation="payment_intents.cancel")
    await terminate(temporal, started.hire)
    async with sweeping(temporal):
        hold = await system.hold_reached("payment_intents.cancel")
    clean_up = temporal.get_workflow_handle(clean_up_workflow_id(started.hire.hire_id))
    await clean_up.terminate("a test ends this one as well")
    await system.release(hold)
    hire = await swept(system, temporal, journey, started.hire.hire_id)
    await assert_swept(system, journey, hire)


async def test_a_worker_killed_after_the_sweeps_refund_committed_refunds_once(
    system: System, temporal: Client
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    await terminate(temporal, started.hire)
    await system.browser.authenticate(started.client_secret)
    await system.fault(kind="commit_then_hang", operation="refunds.create")
    async with sweeping(temporal):
        hold = await system.hold_reached("refunds.create")
    await system.stack.kill("worker")
    assert system.stack.process("worker").pid is None
    assert (await system.hire(journey, started.hire.hire_id)).state == hire_pb2.HIRE_STATE_RUNNING
    await system.release(hold)
    await system.stack.start("worker")

    hire = await system.ended(journey, started.hire.hire_id)
    clean_up = temporal.get_workflow_handle(clean_up_workflow_id(hire.hire_id))
    failures = [
        event.activity_task_started_event_attributes.last_failure
        for event in (await clean_up.fetch_history()).events
    ]
    timeouts = [
        each.timeout_failure_info for each in failures if each.HasField("timeout_failure_info")
    ]
    assert [each.timeout_type for each in timeouts] == [TimeoutType.TIMEOUT_TYPE_HEARTBEAT]
    assert await system.net_charged(hire) == (1, 0)
    listed = await system.sandbox.get("/v1/refunds", params={"charge": hire.charge_id})
    assert len(listed.json()["data"]) == 1
    await assert_swept(system, journey, hire)
