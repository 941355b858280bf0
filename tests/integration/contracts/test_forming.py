"""Contracts are created once, amended while nothing is paid, and cancelled even before they are."""

import asyncio

import pytest

from hireflow.contracts.v1 import contract_pb2 as pb
from tests.integration.contracts.world import (
    Agreement,
    Stub,
    World,
    quote,
    reason,
    terms,
    unique,
)
from tests.refusals import refusal


async def test_a_contract_is_pending_with_the_milestone_and_the_quote_that_were_agreed(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    contract = (await hiring.CreateContract(agreement.create())).contract
    assert contract.state == pb.CONTRACT_STATE_PENDING
    (milestone,) = contract.milestones
    assert milestone.state == pb.MILESTONE_STATE_NOT_FUNDED
    assert (milestone.terms, milestone.quote) == (terms(45000), quote(45000))
    assert await world.events(agreement.contract_id) == ["contract.created", "milestone.created"]
    read = await hiring.GetContract(pb.GetContractRequest(contract_id=agreement.contract_id))
    assert read.contract == contract


async def test_fifty_equal_creations_at_once_make_one_contract_and_get_one_answer(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    request = agreement.create()
    answers = await asyncio.gather(*(hiring.CreateContract(request) for _ in range(50)))
    assert all(answer == answers[0] for answer in answers)
    assert await world.count("contract", hire_id=agreement.hire_id) == 1
    assert await world.events(agreement.contract_id) == ["contract.created", "milestone.created"]


async def test_the_same_contract_under_many_new_requests_at_once_is_still_one(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    answers = await asyncio.gather(*(hiring.CreateContract(agreement.create()) for _ in range(10)))
    assert all(answer == answers[0] for answer in answers)
    assert len(await world.events(agreement.contract_id)) == 2


async def test_a_request_id_with_another_body_is_refused(
    hiring: Stub, agreement: Agreement
) -> None:
    request = agreement.create()
    await hiring.CreateContract(request)
    request.milestone.name = "Another"
    assert await reason(hiring.CreateContract(request)) == (
        "INVALID_ARGUMENT",
        "REQUEST_ID_REUSED",
    )


async def test_a_contract_id_that_says_something_else_is_refused(
    hiring: Stub, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    other = agreement.create(milestone=terms(45000), trainer_id=unique("trainer"))
    assert await reason(hiring.CreateContract(other)) == ("FAILED_PRECONDITION", "CONTRACT_EXISTS")


async def test_of_two_contracts_of_one_hire_at_once_one_is_made_and_the_other_leaves_nothing(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    rival = Agreement.new(hire_id=agreement.hire_id)
    results = await asyncio.gather(
        hiring.CreateContract(agreement.create()),
        hiring.CreateContract(rival.create()),
        return_exceptions=True,
    )
    refused = [result for result in results if not isinstance(result, pb.CreateContractResponse)]
    assert len(refused) == 1
    assert await world.count("contract", hire_id=agreement.hire_id) == 1
    lost = [each for each in (agreement, rival) if not await world.events(each.contract_id)]
    assert len(lost) == 1
    assert await world.count("contract_claim", contract_id=lost[0].contract_id) == 0
    assert await world.count("milestone", contract_id=lost[0].contract_id) == 0
    assert await reason(hiring.CreateContract(lost[0].create())) == (
        "FAILED_PRECONDITION",
        "CONTRACT_EXISTS",
    )


async def test_a_hire_may_have_a_new_contract_once_its_first_is_cancelled(
    hiring: Stub, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.CancelContract(agreement.cancel())
    second = Agreement.new(hire_id=agreement.hire_id)
    created = await hiring.CreateContract(second.create())
    assert created.contract.state == pb.CONTRACT_STATE_PENDING


async def test_a_milestone_id_that_another_contract_has_is_refused(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    thief = Agreement.new(milestone_id=agreement.milestone_id)
    assert await reason(hiring.CreateContract(thief.create())) == (
        "FAILED_PRECONDITION",
        "CONTRACT_EXISTS",
    )
    assert await world.count("contract", contract_id=thief.contract_id) == 0


async def test_every_bad_field_is_named_at_once(hiring: Stub) -> None:
    request = pb.CreateContractRequest(contract_id="x" * 65, hire_id="h")
    request.milestone.amount.minor_units = 49
    request.milestone.due_date.month = 13
    request.quote.total_minor_units = 7
    error = await refusal(hiring.CreateContract(request))
    assert (error.code.name, error.reason) == ("INVALID_ARGUMENT", "INVALID_FIELDS")
    assert [each.field for each in error.violations] == [
        "request_id",
        "contract_id",
        "milestone_id",
        "organisation_id",
        "trainer_id",
        "job_id",
        "proposal_id",
        "milestone.due_date",
        "milestone.name",
        "milestone.amount.minor_units",
        "milestone.amount.currency_code",
        "quote.total_minor_units",
        "quote.amount_minor_units",
    ]


async def test_an_amendment_replaces_the_terms_and_the_same_again_changes_nothing(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    before = (await hiring.CreateContract(agreement.create())).contract
    after = (await hiring.AmendContract(agreement.amend(10000))).contract
    assert after.milestones[0].quote.total_minor_units == 11995
    assert after.etag != before.etag
    again = (await hiring.AmendContract(agreement.amend(10000))).contract
    assert again == after
    events = await world.events(agreement.contract_id)
    assert events == ["contract.created", "milestone.created", "contract.amended"]


async def test_a_contract_that_is_active_is_neither_amended_nor_cancelled(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.ActivateContract(agreement.activate())
    before = await world.events(agreement.contract_id)
    wrong = ("FAILED_PRECONDITION", "WRONG_STATE")
    assert await reason(hiring.AmendContract(agreement.amend(10000))) == wrong
    assert await reason(hiring.CancelContract(agreement.cancel())) == wrong
    assert await world.events(agreement.contract_id) == before


async def test_what_is_unknown_is_not_found_and_a_foreign_milestone_too(
    hiring: Stub, agreement: Agreement
) -> None:
    missing = ("NOT_FOUND", "NOT_FOUND")
    assert await reason(hiring.AmendContract(agreement.amend(10000))) == missing
    assert await reason(hiring.ActivateContract(agreement.activate())) == missing
    assert await reason(hiring.RecordRefundedCharge(agreement.refunded())) == missing
    await hiring.CreateContract(agreement.create())
    stranger = Agreement.new(contract_id=agreement.contract_id)
    assert await reason(hiring.AmendContract(stranger.amend(10000))) == missing
    assert await reason(hiring.ActivateContract(stranger.activate())) == missing
    assert await reason(hiring.RecordRefundedCharge(stranger.refunded())) == missing


async def test_cancelling_gives_up_the_milestone_and_is_told_once(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    request = agreement.cancel("PAYMENT_EXPIRED")
    answers = await asyncio.gather(*(hiring.CancelContract(request) for _ in range(5)))
    assert all(answer.cancelled for answer in answers)
    assert (await hiring.CancelContract(agreement.cancel())).cancelled
    read = await hiring.GetContract(pb.GetContractRequest(contract_id=agreement.contract_id))
    assert read.contract.state == pb.CONTRACT_STATE_CANCELLED
    assert read.contract.milestones[0].state == pb.MILESTONE_STATE_CANCELLED
    events = await world.events(agreement.contract_id)
    assert events[2:] == ["milestone.cancelled", "contract.cancelled"]


async def test_a_cancel_that_overtakes_the_creation_is_remembered(
    hiring: Stub, world: World, agreement: Agreement
) -> None:
    assert not (await hiring.CancelContract(agreement.cancel())).cancelled
    assert not (await hiring.CancelContract(agreement.cancel())).cancelled
    cancelled = ("FAILED_PRECONDITION", "CONTRACT_CANCELLED")
    assert await reason(hiring.CreateContract(agreement.create())) == cancelled
    assert await reason(hiring.AmendContract(agreement.amend(10000))) == cancelled
    assert await reason(hiring.ActivateContract(agreement.activate())) == cancelled
    assert await reason(hiring.RecordRefundedCharge(agreement.refunded())) == cancelled
    assert await world.events(agreement.contract_id) == []


@pytest.mark.parametrize("attempt", range(5))
async def test_a_creation_and_a_cancel_at_once_never_leave_a_live_contract(
    attempt: int, hiring: Stub, world: World, agreement: Agreement
) -> None:
    await asyncio.gather(
        hiring.CreateContract(agreement.create()),
        hiring.CancelContract(agreement.cancel()),
        return_exceptions=True,
    )
    live = await world.count("contract", contract_id=agreement.contract_id, state="PENDING")
    assert live == 0
    cancelled = ("FAILED_PRECONDITION", "CONTRACT_CANCELLED")
    assert await reason(hiring.CreateContract(agreement.create())) == cancelled
    events = await world.events(agreement.contract_id)
    assert events in ([], [*events[:3], "contract.cancelled"])


async def test_a_reason_that_is_no_name_never_reaches_an_event(
    hiring: Stub, agreement: Agreement
) -> None:
    error = await refusal(hiring.CancelContract(agreement.cancel("Ann changed her mind")))
    assert [each.field for each in error.violations] == ["reason"]
