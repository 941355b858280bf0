"""The check that every other test relies on can fail, and looks at every operation."""

import copy
import re
from typing import Any

import pytest
import stripe

from deploy.local.stripe_sandbox import distil
from deploy.local.stripe_sandbox.operations import OPERATIONS
from deploy.local.stripe_sandbox.parameters import EXPANDABLE
from deploy.local.stripe_sandbox.parameters import OPERATIONS as DECLARED
from tests.stripe_sandbox.conftest import every_event
from tests.stripe_sandbox.payments import a_paid_intent
from tests.stripe_sandbox.process import SandboxProcess
from tests.stripe_sandbox.schema import document, problem_of_answer, problem_of_event


@pytest.fixture
async def intent(client: stripe.StripeClient) -> dict[str, Any]:
    return (await a_paid_intent(client)).to_dict()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "funded"}, "status"),
        ({"amount": "50495"}, "amount"),
        ({"favourite_colour": "red"}, "favourite_colour"),
        ({"next_action": {"use_stripe_sdk": {}}}, "next_action"),
        ({"latest_charge": 7}, "latest_charge"),
        ({"livemode": None}, "livemode"),
    ],
)
async def test_an_answer_that_is_not_stripes_is_noticed(
    intent: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    path = f"/v1/payment_intents/{intent['id']}"
    assert problem_of_answer("GET", path, 200, intent) is None
    problem = problem_of_answer("GET", path, 200, intent | change)
    assert problem is not None
    assert words in problem


async def test_an_answer_without_a_required_field_is_noticed(intent: dict[str, Any]) -> None:
    del intent["created"]
    assert problem_of_answer("GET", "/v1/payment_intents/pi_1", 200, intent) is not None


def test_an_error_that_is_not_stripes_is_noticed() -> None:
    error = {"error": {"type": "invalid_request_error", "message": "m"}}
    assert problem_of_answer("POST", "/v1/refunds", 400, error) is None
    error["error"]["type"] = "my_error"
    assert problem_of_answer("POST", "/v1/refunds", 400, error) is not None
    assert problem_of_answer("GET", "/v1/no_such_thing", 200, {}) is not None


async def test_an_event_whose_object_is_not_stripes_is_noticed(
    intent: dict[str, Any], sandbox: SandboxProcess
) -> None:
    for event in await every_event(sandbox.base):
        assert problem_of_event(event) is None
        broken = copy.deepcopy(event)
        broken["data"]["object"]["livemode"] = "no"
        assert problem_of_event(broken) is not None


def test_the_sandboxs_parameters_are_distilled_from_the_document() -> None:
    found = distil.distil(document())
    assert (found["operations"], found["expandable"]) == (DECLARED, EXPANDABLE)


def test_every_operation_is_one_of_stripes() -> None:
    for operation in OPERATIONS:
        path = re.sub(r"\{\w+\}", "x", operation.path)
        error = {"error": {"type": "api_error"}}
        assert problem_of_answer(operation.method, path, 500, error) is None, operation.name
