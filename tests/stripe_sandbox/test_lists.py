import pytest
import stripe

from tests.stripe_sandbox.payments import a_customer, a_paid_intent, refused
from tests.stripe_sandbox.process import Control


async def named(client: stripe.StripeClient, *names: str) -> list[str]:
    """Customers of these names, their ids newest first."""
    made = [(await client.v1.customers.create_async({"name": name})).id for name in names]
    return made[::-1]


async def test_pages_follow_each_other_in_both_directions(client: stripe.StripeClient) -> None:
    ids = await named(client, "a", "b", "c", "d", "e")
    customers = client.v1.customers
    first = await customers.list_async({"limit": 2})
    assert ([found.id for found in first.data], first.has_more) == (ids[:2], True)
    second = await customers.list_async({"limit": 2, "starting_after": ids[1]})
    assert [found.id for found in second.data] == ids[2:4]
    last = await customers.list_async({"limit": 2, "starting_after": ids[3]})
    assert ([found.id for found in last.data], last.has_more) == (ids[4:], False)
    back = await customers.list_async({"limit": 2, "ending_before": ids[4]})
    assert ([found.id for found in back.data], back.has_more) == (ids[2:4], True)
    all_of_them = [found.id async for found in first.auto_paging_iter()]
    assert all_of_them == ids


async def test_a_page_has_ten_unless_told_and_a_hundred_at_most(
    client: stripe.StripeClient,
) -> None:
    await named(client, *(str(number) for number in range(11)))
    customers = client.v1.customers
    assert len((await customers.list_async()).data) == 10
    for limit in (0, 101):
        assert (await refused(customers.list_async({"limit": limit}))).param == "limit"
    await refused(customers.list_async({"starting_after": "cus_none"}), "resource_missing")
    await refused(
        customers.list_async({"starting_after": "a", "ending_before": "b"}),
        "parameters_exclusive",
    )


async def test_lists_are_cut_by_time(client: stripe.StripeClient, control: Control) -> None:
    (old,) = await named(client, "old")
    await control.post("/clock", advance_seconds=1000)
    (new,) = await named(client, "new")
    created = (await client.v1.customers.retrieve_async(new)).created
    list_async = client.v1.customers.list_async
    assert [c.id for c in (await list_async({"created": {"gte": created}})).data] == [new]
    assert [c.id for c in (await list_async({"created": {"lt": created}})).data] == [old]
    assert [c.id for c in (await list_async({"created": created})).data] == [new]


async def test_customers_are_found_by_email(client: stripe.StripeClient) -> None:
    customer = await a_customer(client)
    await named(client, "other")
    found = await client.v1.customers.list_async({"email": "employer@example.com"})
    assert [each.id for each in found.data] == [customer]


async def test_answers_and_lists_expand_what_they_are_asked_to(
    client: stripe.StripeClient,
) -> None:
    paid = await a_paid_intent(client)
    found = await client.v1.payment_intents.list_async(
        {
            "customer": str(paid.customer),
            "expand": ["data.latest_charge.balance_transaction", "data.customer"],
        }
    )
    (intent,) = found.data
    assert isinstance(intent.customer, stripe.Customer)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert isinstance(intent.latest_charge.balance_transaction, stripe.BalanceTransaction)
    assert intent.latest_charge.balance_transaction.source == intent.latest_charge.id


@pytest.mark.parametrize("path", ["amount", "data.customer", "latest_charge.amount", "a.b.c.d.e"])
async def test_what_is_not_expandable_is_refused(client: stripe.StripeClient, path: str) -> None:
    paid = await a_paid_intent(client)
    error = await refused(client.v1.payment_intents.retrieve_async(paid.id, {"expand": [path]}))
    assert error.param == "expand"


async def test_a_create_that_expands_nonsense_has_created_nothing(
    client: stripe.StripeClient,
) -> None:
    await refused(client.v1.customers.create_async({"name": "A", "expand": ["name"]}))
    assert (await client.v1.customers.list_async()).data == []
    assert (await client.v1.events.list_async()).data == []


async def test_events_are_listed_by_type(client: stripe.StripeClient) -> None:
    await a_paid_intent(client)
    events = client.v1.events
    found = await events.list_async({"types": ["customer.created", "charge.succeeded"]})
    assert [event.type for event in found.data] == ["charge.succeeded", "customer.created"]
    one = await events.retrieve_async(found.data[0].id)
    assert one.type == "charge.succeeded"
    assert one.data.object["status"] == "succeeded"
