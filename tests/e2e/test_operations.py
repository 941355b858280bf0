"""What operators do to hires of the whole system: by the API, and by `hireflow ops`."""

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc

from deploy.local.journey import Journey, new_id
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2, operations_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_pb2
from services.common.remote_errors import error_of
from tests.e2e.conftest import Hire, System
from tests.e2e.test_hire import (
    HIRED,
    SECURE,
    UNDONE,
    VISA,
    assert_undone_and_free,
    review_state,
    start,
)
from tests.refusals import reason
from tests.waiting import until

OPENING = ["requested", "reserved", "contract_created", "payment_paid", "contract_activated"]


async def hireflow_ops(system: System, *words: str) -> dict[str, Any]:
    """Run `hireflow ops … --json` as its own program, as an operator would."""
    command = [sys.executable, "-m", "deploy.local.cli", "ops", *words, "--json"]
    process = await asyncio.create_subprocess_exec(
        *command,
        f"--data-dir={system.stack.data.root}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complained.decode()
    told: dict[str, Any] = json.loads(said)
    return told


@asynccontextmanager
async def opening_its_thread(system: System, journey: Journey) -> AsyncIterator[Hire]:
    """A paid hire whose thread cannot be opened; its start is answered once it has ended."""
    async with asyncio.TaskGroup() as asking, system.without("messaging", killed=True):
        asking.create_task(start(journey))
        hire_id = await journey.live_hire()
        stage = hire_pb2.HIRE_STAGE_CONTRACT_ACTIVATION
        yield await system.until(journey, hire_id, lambda now: now.stage == stage)


async def contract_of(system: System, hire: Hire) -> contract_pb2.Contract:
    request = contract_pb2.GetContractRequest(contract_id=hire.contract_id)
    contracts = system.services.contracts
    return (await system.caller("operator").call(contracts.GetContract, request)).contract


async def balances(system: System, hire: Hire) -> dict[str, int]:
    request = contract_pb2.ListLedgerEntriesRequest(contract_id=hire.contract_id)
    ledger = await system.caller("operator").call(
        system.services.contracts.ListLedgerEntries, request
    )
    sums: dict[str, int] = defaultdict(int)
    for entry in ledger.entries:
        for posting in entry.postings:
            sums[contract_pb2.LedgerAccount.Name(posting.account)] += posting.amount_minor_units
    return {account.removeprefix("LEDGER_ACCOUNT_"): sum_ for account, sum_ in sums.items() if sum_}


async def test_a_hire_whose_thread_cannot_be_opened_is_hired_without_it(system: System) -> None:
    journey = await system.proposed(VISA)
    async with opening_its_thread(system, journey) as hire:
        skipped = await hireflow_ops(system, "skip-thread", hire.hire_id, "--reason=messaging_down")
        assert skipped["hire"]["hire_id"] == hire.hire_id
        ended = await system.ended(journey, hire.hire_id)
    assert (ended.state, ended.thread_id) == (HIRED, "")
    assert await system.net_charged(ended) == (1, 50495)
    story = await hireflow_ops(system, "show", hire.hire_id)
    assert [each["what"] for each in story["entries"]] == [*OPENING, "thread_skipped", "hired"]
    told = story["entries"][5]
    assert (told["actor"]["kind"], told["reason"]) == ("ACTOR_KIND_OPERATOR", "messaging_down")
    assert told["event_type"] == "hireflow.hiring.v1.hire.stage_changed"


async def test_a_paid_hire_is_refunded_in_full_and_its_proposal_is_hired_anew(
    system: System,
) -> None:
    journey = await system.proposed(VISA)
    operator = system.caller("operator")
    async with opening_its_thread(system, journey) as hire:
        request = operations_pb2.RefundHireRequest(
            request_id=new_id(), hire_id=hire.hire_id, reason="client_asked"
        )
        answers = await asyncio.gather(
            *(operator.call(system.services.operations.RefundHire, request) for _ in range(3))
        )
        assert {answer.hire.hire_id for answer in answers} == {hire.hire_id}
        ended = await system.ended(journey, hire.hire_id)
    assert (ended.state, ended.end_reason) == (UNDONE, "HIRE_REFUNDED")
    assert await system.net_charged(ended) == (1, 0)
    refunds = (await system.sandbox.get("/v1/refunds", params={"charge": ended.charge_id})).json()
    assert [each["amount"] for each in refunds["data"]] == [50495]
    contract = await contract_of(system, ended)
    assert contract.state == contract_pb2.CONTRACT_STATE_ENDED
    assert [each.state for each in contract.milestones] == [contract_pb2.MILESTONE_STATE_REFUNDED]
    assert await balances(system, ended) == {"CHARGED": 50495, "REFUNDED": -50495}
    await assert_undone_and_free(system, journey, ended)
    job = await journey.employer.call(
        system.services.jobs.GetJob, job_pb2.GetJobRequest(job_id=journey.job.job_id)
    )
    assert (job.job.positions_filled, job.job.positions_reserved) == (0, 0)
    late = operations_pb2.RefundHireRequest(
        request_id=new_id(), hire_id=hire.hire_id, reason="client_asked"
    )
    again = operator.call(system.services.operations.RefundHire, late)
    assert await reason(again) == "WRONG_STATE"
    anew = (await start(journey)).hire
    second = await system.ended(journey, anew.hire_id)
    assert second.state == HIRED
    assert second.contract_id != ended.contract_id
    assert await system.net_charged(second) == (2, 50495)


async def late_tries(system: System, hire: Hire) -> list[str]:
    """Send what tries of the last steps would send that were held up all the while."""
    service, charge = system.caller("service", "service:worker"), contract_pb2.Charge()
    charge.charge_id, charge.payment_intent_id = hire.charge_id, hire.payment_intent_id
    charge.amount.minor_units, charge.amount.currency_code = 50495, "USD"
    # The funding is named by the intent's metadata, as it was when the try was sent.
    intent = (await system.sandbox.get(f"/v1/payment_intents/{hire.payment_intent_id}")).json()
    charge.funding_id = intent["metadata"]["funding_id"]
    activate = contract_pb2.ActivateContractRequest(
        request_id=new_id(),
        contract_id=hire.contract_id,
        milestone_id=hire.milestone_id,
        charge=charge,
    )
    mark = proposal_pb2.MarkHiredRequest(
        request_id=new_id(),
        proposal_id=hire.proposal_id,
        hire_id=hire.hire_id,
        contract_id=hire.contract_id,
    )
    fill = job_pb2.FillPositionRequest(
        request_id=new_id(),
        job_id=hire.job_id,
        hire_id=hire.hire_id,
        contract_id=hire.contract_id,
    )
    services = system.services
    return [
        await outcome(service.call(services.contracts.ActivateContract, activate)),
        await outcome(service.call(services.proposals.MarkHired, mark)),
        await outcome(service.call(services.jobs.FillPosition, fill)),
    ]


async def outcome(call: Awaitable[object]) -> str:
    """The reason of a call that may succeed; empty if it does."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error_of(error).reason
    return ""


async def test_a_refund_overtakes_an_activation_that_is_held_up_in_contracts(
    system: System,
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    operator, hire_id = system.caller("operator"), started.hire.hire_id
    await system.stack.pause("contracts")
    try:
        await system.browser.authenticate(started.client_secret)
        await system.until(journey, hire_id, lambda hire: bool(hire.charge_id))
        request = operations_pb2.RefundHireRequest(
            request_id=new_id(), hire_id=hire_id, reason="client_asked"
        )
        await operator.call(system.services.operations.RefundHire, request)
        undoing = hire_pb2.HIRE_STAGE_UNDOING
        await system.until(journey, hire_id, lambda hire: hire.stage == undoing)
    finally:
        await system.stack.resume("contracts")
    ended = await system.ended(journey, hire_id)
    assert (ended.state, ended.end_reason) == (UNDONE, "HIRE_REFUNDED")
    assert await system.net_charged(ended) == (1, 0)
    contract = await contract_of(system, ended)
    # Whichever of the two contracts answered first: all is given back, and nothing comes after.
    activation = {
        contract_pb2.CONTRACT_STATE_CANCELLED: "CHARGE_RECORDED",
        contract_pb2.CONTRACT_STATE_ENDED: "",
    }[contract.state]
    late = await late_tries(system, ended)
    assert late == [activation, "RESERVATION_RELEASED", "RESERVATION_RELEASED"]
    assert await contract_of(system, ended) == contract
    assert await balances(system, ended) == {"CHARGED": 50495, "REFUNDED": -50495}
    await assert_undone_and_free(system, journey, ended)


async def test_a_refund_gives_a_proposal_back_that_is_marked_hired_already(
    system: System,
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    hire_id = started.hire.hire_id
    await system.stack.pause("jobs")
    try:
        await system.browser.authenticate(started.client_secret)

        async def marked() -> bool:
            return await review_state(journey) == ("REVIEW_STATE_HIRED", "")

        await until(marked)
        request = operations_pb2.RefundHireRequest(
            request_id=new_id(), hire_id=hire_id, reason="client_asked"
        )
        operations = system.services.operations
        await system.caller("operator").call(operations.RefundHire, request)
        undoing = hire_pb2.HIRE_STAGE_UNDOING
        await system.until(journey, hire_id, lambda hire: hire.stage == undoing)
    finally:
        await system.stack.resume("jobs")
    ended = await system.ended(journey, hire_id)
    assert (ended.state, ended.end_reason) == (UNDONE, "HIRE_REFUNDED")
    assert await balances(system, ended) == {"CHARGED": 50495, "REFUNDED": -50495}
    await assert_undone_and_free(system, journey, ended)
    job = await journey.employer.call(
        system.services.jobs.GetJob, job_pb2.GetJobRequest(job_id=journey.job.job_id)
    )
    assert (job.job.positions_filled, job.job.positions_reserved) == (0, 0)


async def test_an_unpaid_hire_is_listed_as_the_clients_and_given_longer_to_pay(
    system: System,
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    hire_id = started.hire.hire_id

    async def listed() -> dict[str, Any]:
        stuck = await hireflow_ops(system, "stuck", "--on=client")
        (mine,) = [each for each in stuck["hires"] if each["hire"]["hire_id"] == hire_id]
        return dict(mine)

    before = await listed()
    assert before["waits_on"] == "HIRE_WAITS_ON_CLIENT"
    assert before["next_action"] == "HIRE_NEXT_ACTION_UNDO_AT_DEADLINE"
    await hireflow_ops(system, "extend", hire_id, "--hours=24", "--reason=client_asked")
    after = await listed()
    moved = datetime.fromisoformat(after["next_action_time"]) - datetime.fromisoformat(
        before["next_action_time"]
    )
    assert moved == timedelta(hours=24)
    assert after["since"] == before["since"]
    too_far = operations_pb2.ExtendHireDeadlineRequest(
        request_id=new_id(), hire_id=hire_id, reason="client_asked"
    )
    too_far.wait_deadline.FromDatetime(datetime.now(UTC) + timedelta(days=60))
    call = system.caller("operator").call(system.services.operations.ExtendHireDeadline, too_far)
    assert await reason(call) == "DEADLINE_OUT_OF_BOUNDS"
    await system.browser.authenticate(started.client_secret)
    assert (await system.ended(journey, hire_id)).state == HIRED
