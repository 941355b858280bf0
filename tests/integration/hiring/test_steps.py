import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.common.errors import Conflict, NotFound, Refused
from tests.integration.hiring.world import World, funding_draft, new_id
from workflows.hiring.domain import (
    FundingChange,
    FundingState,
    HireChanges,
    HireState,
    RefundDraft,
    Stage,
    WaitingFor,
)
from workflows.hiring.use_cases import fundings
from workflows.hiring.use_cases.steps import terms_of


async def test_twenty_equal_steps_at_once_count_once(world: World, organisation_id: str) -> None:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    contract_id = new_id("contract")
    written = await asyncio.gather(
        *(
            world.step(
                hire.hire_id,
                2,
                Stage.CONTRACT_CREATION,
                changes=HireChanges(contract_id=contract_id),
            )
            for _ in range(20)
        )
    )
    assert sorted(written) == [False] * 19 + [True]
    assert await world.events(hire.hire_id) == ["started", "stage_changed"]
    told = (await world.get(payer, hire.hire_id)).hire
    assert told.contract_id == contract_id


async def test_a_step_that_was_overtaken_changes_nothing(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    assert await world.step(hire.hire_id, 5, Stage.UNDOING)
    late = HireChanges(contract_id=new_id("contract"))
    assert not await world.step(hire.hire_id, 3, Stage.CONTRACT_CREATION, changes=late)
    assert (await world.get(payer, hire.hire_id)).hire.contract_id == ""


async def test_a_hire_that_ended_takes_no_step_and_tells_no_event(
    world: World, organisation_id: str
) -> None:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    await world.undo(hire.hire_id, 2, "STAGE_TIMED_OUT")
    with pytest.raises(Refused, match="WRONG_STATE"):
        await world.step(hire.hire_id, 3, Stage.FUNDING)
    assert await world.events(hire.hire_id) == ["started", "failed"]


async def test_a_hire_tells_its_whole_story_in_events(world: World, organisation_id: str) -> None:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    await world.step(hire.hire_id, 2, Stage.PROPOSAL_REVIEW, what="reserved")
    draft = await world.fund(hire, 3)
    await world.pay(draft, 4)
    blocked = HireChanges(blocked_reason="NOT_FOUND")
    await world.step(hire.hire_id, 5, Stage.CONTRACT_ACTIVATION, changes=blocked)
    assert (await world.get(payer, hire.hire_id)).hire.blocked_reason == "NOT_FOUND"
    await world.step(hire.hire_id, 6, Stage.CONTRACT_ACTIVATION, what="contract_activated")
    hired = HireChanges(state=HireState.HIRED)
    await world.step(hire.hire_id, 7, Stage.ENDED, what="hired", changes=hired)
    assert await world.events(hire.hire_id) == [
        "started",
        "stage_changed",
        "stage_changed",
        "stage_changed",
        "blocked",
        "stage_changed",
        "completed",
    ]


async def test_the_texts_of_a_revision_are_read_from_the_hires_rows(
    world: World, organisation_id: str
) -> None:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    terms = await terms_of(world.hiring, hire.hire_id, 1)
    assert (terms.name, terms.scope, terms.totals.total) == ("First batch", "Rate *cats*", 50_495)


async def test_a_funding_is_frozen_once_and_its_milestone_has_one_live_funding(
    world: World, organisation_id: str
) -> None:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    draft = funding_draft(hire)
    frozen = await asyncio.gather(
        *(fundings.freeze_funding(world.hiring, draft) for _ in range(10))
    )
    assert len(set(frozen)) == 1
    other = replace(draft, funding_id=new_id("funding"))
    with pytest.raises(Conflict):
        await fundings.freeze_funding(world.hiring, other)


async def test_closing_a_funding_may_overtake_freezing_it(
    world: World, organisation_id: str
) -> None:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    draft = funding_draft(hire)
    closed = await fundings.close_unsent_funding(world.hiring, draft)
    assert closed.state is FundingState.CANCELED
    with pytest.raises(Refused, match="PAYMENT_NOT_EXPECTED"):
        await fundings.freeze_funding(world.hiring, draft)
    with pytest.raises(Refused, match="PAYMENT_NOT_EXPECTED"):
        await fundings.note_create_sent(world.hiring, draft.funding_id, datetime.now(UTC))


async def test_a_funding_that_was_sent_is_left_to_the_provider(
    world: World, organisation_id: str
) -> None:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    draft = funding_draft(hire)
    await fundings.freeze_funding(world.hiring, draft)
    first = await fundings.note_create_sent(world.hiring, draft.funding_id, datetime.now(UTC))
    again = await fundings.note_create_sent(world.hiring, draft.funding_id, datetime.now(UTC))
    assert first == again
    left = await fundings.close_unsent_funding(world.hiring, draft)
    assert (left.state, left.create_sent_at) == (FundingState.OPEN, first)
    intent_id = new_id("pi")
    for _ in range(2):
        await fundings.save_intent(world.hiring, draft.funding_id, intent_id)
    with pytest.raises(Refused):
        await fundings.save_intent(world.hiring, draft.funding_id, new_id("pi"))


async def test_a_funding_is_refunded_once_whoever_asks(world: World, organisation_id: str) -> None:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    draft = await world.fund(hire, 2)
    await world.pay(draft, 3)
    charge_id = f"ch_{draft.funding_id}"
    planned = await asyncio.gather(
        *(
            fundings.plan_refund(
                world.hiring, RefundDraft(new_id("re"), draft.funding_id, charge_id, draft.amount)
            )
            for _ in range(5)
        )
    )
    assert len(set(planned)) == 1
    refund_id, provider_id = planned[0].refund_id, new_id("re")
    await fundings.note_refund_sent(world.hiring, refund_id, datetime.now(UTC))
    for _ in range(2):
        await fundings.save_refund(world.hiring, refund_id, provider_id)
    with pytest.raises(Refused):
        await fundings.save_refund(world.hiring, refund_id, new_id("re"))


async def test_a_paid_funding_is_answered_to_whoever_freezes_it_again(
    world: World, organisation_id: str
) -> None:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    draft = await world.fund(hire, 2)
    await world.pay(draft, 3)
    assert (await fundings.freeze_funding(world.hiring, draft)).state is FundingState.PAID


async def test_a_rolled_back_step_leaves_neither_step_nor_event(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    unknown = FundingChange(new_id("funding"), FundingState.PAID)
    with pytest.raises(NotFound):
        await world.step(hire.hire_id, 2, Stage.FUNDING, funding=unknown)
    assert await world.events(hire.hire_id) == ["started"]
    assert (await world.get(payer, hire.hire_id)).hire.etag == hire.etag
    assert await world.step(
        hire.hire_id, 2, Stage.FUNDING, waiting_for=WaitingFor.BANK, what="payment_processing"
    )
