"""Random calls, and a story that goes on meanwhile, against HiringService and a simple model."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hireflow.hiring.v1 import hire_pb2 as pb
from tests.integration.hiring.calls import CALLS, NOWHERE, PEOPLE, PROPOSALS, Call
from tests.integration.hiring.model import Model
from tests.integration.hiring.model_calls import Asked, Real
from tests.integration.hiring.world import World
from tests.seeds import told_seed

Run: TypeAlias = Callable[[Coroutine[Any, Any, None]], None]
STATES = ("RUNNING", "HIRED", "UNDONE")


async def _compare_hires(model: Model, real: Real) -> None:
    """Compare who reads what of each hire, its events, and each organisation's lists."""
    for hire, hire_id in zip(model.hires, real.hires, strict=True):
        own = PROPOSALS[hire.proposal]
        for name in real.callers:
            expected: object = hire.answer(payer=name in {"ann", "bob"})
            if name == "tom":
                expected = "CALLER_NOT_ALLOWED"
            elif PEOPLE.get(name, own) != own:
                expected = "NOT_FOUND"
            request = pb.GetHireRequest(hire_id=hire_id)
            asked = Asked(real.stub.GetHire, request, real.told, name)
            assert await real.send(asked) == expected
        assert await real.world.events(hire_id) == hire.events
    for name, organisation_id in real.organisations.items():
        mine = [each for each in model.hires if PROPOSALS[each.proposal] == name][::-1]
        for state in (*STATES, ""):
            for place in (*range(len(PROPOSALS)), None):
                narrowed = pb.ListHiresRequest(
                    organisation_id=organisation_id,
                    states=[pb.HireState.Value(f"HIRE_STATE_{state}")] if state else [],
                    proposal_id="" if place is None else real.proposals[place],
                )
                metadata = real.callers["operator"].metadata
                listed = (await real.stub.ListHires(narrowed, metadata=metadata)).hires
                some = [each for each in mine if state in {"", each.state}]
                shown = [each.seen() for each in some if place in {None, each.proposal}]
                assert [real.seen(each) for each in listed] == shown


async def _compare_methods(model: Model, real: Real) -> None:
    """Compare what each organisation has saved and by what it pays."""
    for name, payer in (("A", "ann"), ("B", "bob")):
        request = pb.ListPaymentMethodsRequest()
        metadata = real.callers[payer].metadata
        listed = (await real.stub.ListPaymentMethods(request, metadata=metadata)).payment_methods
        told = {
            real.methods[name].index(each.payment_method_id): each.is_default for each in listed
        }
        saved = [place for place, kept in enumerate(model.methods[name]) if kept]
        assert told == {place: model.defaults.get(name) == place for place in saved}


async def _compare(world: World, calls: list[Call]) -> None:
    model, real = Model(), Real(world)
    for call in calls:
        hire = model.newest(call.proposal)
        newest = real.hires[model.hires.index(hire)] if hire else ""
        if call.what in {"step", "tell", "save"}:
            step, offered = (hire.step, hire.offered) if hire else (0, 0)
            expected = model.apply(call)
            assert await real.happen(call, newest, step, offered) == expected, call
            continue
        earlier = model.earlier(call)
        if call.what == "repeat":
            if earlier is not None:
                asked = real.starts[earlier.number]
                assert await real.send(asked) == model.apply(call), (call, earlier)
            continue
        asked = real.ask(call, newest)
        expected = model.apply(call)
        real.starts[model.number] = asked
        assert await real.send(asked) == expected, call
        if call.again == "same":
            assert await real.send(asked) == expected, ("again", call)
        if call.again == "other" and call.what != "quote" and not isinstance(expected, str):
            other = "cancel" if call.what == "cancel" else "remove"
            reused = real.ask(replace(call, what=other, reason="other", method=NOWHERE), newest)
            reused.request.request_id = asked.request.request_id
            assert await real.send(reused) == "REQUEST_ID_REUSED", call
    await _compare_hires(model, real)
    await _compare_methods(model, real)


@pytest.fixture
async def run(world: World) -> Run:
    """Run a coroutine on the loop of the session, where the service runs too."""
    return asyncio.get_running_loop().run_until_complete


def test_the_service_does_what_a_simple_model_of_it_does(world: World, run: Run) -> None:
    with told_seed() as drawn:

        @seed(drawn)
        @settings(
            max_examples=4,
            deadline=None,
            database=None,
            # A failure names its call; to shrink it against a real service would take minutes.
            phases=(Phase.generate,),
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(calls=st.lists(CALLS, min_size=40, max_size=60))
        def compare(calls: list[Call]) -> None:
            run(_compare(world, calls))

        compare()
