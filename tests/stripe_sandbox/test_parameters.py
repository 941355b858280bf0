from typing import Any

import httpx
import pytest
import stripe

from tests.stripe_sandbox.client import SECRET_KEY
from tests.stripe_sandbox.payments import a_customer, an_intent, refused
from tests.stripe_sandbox.process import SandboxProcess

USD: Any = {"amount": 1000, "currency": "usd"}

REFUSED_INTENTS: list[tuple[dict[str, Any], str | None, str]] = [
    (USD | {"colour": "red"}, "parameter_unknown", "colour"),
    (USD | {"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
    (USD | {"shipping": {"hat": "x"}}, "parameter_unknown", "shipping[hat]"),
    ({"currency": "usd"}, "parameter_missing", "amount"),
    ({"amount": 1000}, "parameter_missing", "currency"),
    (
        USD | {"automatic_payment_methods": {"allow_redirects": "never"}},
        "parameter_missing",
        "automatic_payment_methods[enabled]",
    ),
    (USD | {"amount": "ten"}, "parameter_invalid_integer", "amount"),
    (USD | {"amount": 49}, "amount_too_small", "amount"),
    (USD | {"amount": 100_000_000}, "amount_too_large", "amount"),
    (USD | {"amount": -5}, "parameter_invalid_integer", "amount"),
    (USD | {"currency": "xxx"}, None, "currency"),
    (USD | {"capture_method": "later"}, None, "capture_method"),
    (USD | {"confirm": "perhaps"}, None, "confirm"),
    (USD | {"currency": ""}, "parameter_invalid_empty", "currency"),
    (USD | {"customer": "cus_nobody"}, "resource_missing", "customer"),
    (USD | {"payment_method": "pm_none"}, "resource_missing", "payment_method"),
    (USD | {"off_session": True}, None, "off_session"),
    (USD | {"transfer_data": {"destination": "acct_1"}}, None, "transfer_data"),
    (USD | {"metadata": {"k" * 41: "v"}}, None, f"metadata[{'k' * 41}]"),
    (USD | {"metadata": {"k": "v" * 501}}, None, "metadata[k]"),
    (USD | {"metadata": {f"k{n}": "v" for n in range(51)}}, None, "metadata"),
]


@pytest.mark.parametrize(("params", "code", "param"), REFUSED_INTENTS)
async def test_a_bad_parameter_is_refused_by_name(
    client: stripe.StripeClient, params: Any, code: str | None, param: str
) -> None:
    error = await refused(client.v1.payment_intents.create_async(params), code)
    assert error.param == param
    assert error.http_status == 400
    assert (await client.v1.payment_intents.list_async()).data == []


async def test_setup_intents_have_no_payment_method_types_either(
    client: stripe.StripeClient,
) -> None:
    params: Any = {"payment_method_types": ["card"]}
    await refused(client.v1.setup_intents.create_async(params), "parameter_unknown")


async def test_an_unknown_filter_is_refused(client: stripe.StripeClient) -> None:
    params: Any = {"colour": "red"}
    await refused(client.v1.charges.list_async(params), "parameter_unknown")


async def test_nested_forms_are_read_in_both_spellings_of_a_list(
    client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    customer = await a_customer(client)
    form = (
        "amount=1000&currency=USD&metadata[a%20key]=x%26y&expand[]=customer"
        f"&customer={customer}&automatic_payment_methods[enabled]=true"
    )
    async with httpx.AsyncClient(base_url=sandbox.base, trust_env=False) as http:
        answer = await http.post(
            "/v1/payment_intents",
            content=form,
            headers={
                "Authorization": f"Bearer {SECRET_KEY}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
    body = answer.json()
    assert (body["currency"], body["metadata"]) == ("usd", {"a key": "x&y"})
    assert body["customer"]["id"] == customer


async def test_an_object_that_does_not_exist_is_missing(client: stripe.StripeClient) -> None:
    error = await refused(client.v1.payment_intents.retrieve_async("pi_none"), "resource_missing")
    assert error.http_status == 404
    customer = await a_customer(client)
    await refused(client.v1.payment_intents.retrieve_async(customer), "resource_missing")


async def test_a_search_is_no_part_of_the_sandbox(client: stripe.StripeClient) -> None:
    error = await refused(client.v1.payment_intents.search_async({"query": "status:'succeeded'"}))
    assert error.http_status == 404


@pytest.mark.parametrize(
    "key", ["-", "sk_live_abc", "rk_live_abc", "pk_live_abc", "whatever", "sk_test"]
)
async def test_a_missing_unknown_or_live_key_is_refused(sandbox: SandboxProcess, key: str) -> None:
    async with httpx.AsyncClient(base_url=sandbox.base, trust_env=False) as http:
        answer = await http.get("/v1/balance", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "sk_live_abc" not in answer.text


async def test_another_host_name_does_not_reach_the_sandbox(sandbox: SandboxProcess) -> None:
    async with httpx.AsyncClient(base_url=sandbox.base, trust_env=False) as http:
        answer = await http.get("/_sandbox/health", headers={"Host": "evil.example"})
    assert answer.status_code == 400


async def test_metadata_is_merged_and_unset(client: stripe.StripeClient) -> None:
    intent = await an_intent(client, metadata={"a": "1", "b": "2"})
    update: Any = client.v1.payment_intents.update_async
    merged = await update(intent.id, {"metadata": {"a": "", "c": "3"}})
    assert merged.metadata.to_dict() == {"b": "2", "c": "3"}
    emptied = await update(intent.id, {"metadata": ""})
    assert emptied.metadata.to_dict() == {}
