from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.payments import (
    a_customer,
    a_paid_intent,
    a_saved_method,
    an_intent,
    declined,
    refused,
    types_of,
)
from tests.stripe_sandbox.process import Control


async def waiting(
    client: stripe.StripeClient, card: str = "pm_card_authenticationRequired"
) -> stripe.PaymentIntent:
    """An intent that waits for its cardholder."""
    intent = await a_paid_intent(client, card)
    assert intent.status == "requires_action"
    return intent


@pytest.mark.parametrize(
    "token", ["pm_card_authenticationRequired", "pm_card_threeDSecure2Required"]
)
async def test_a_card_that_asks_for_authentication_is_paid_after_it(
    client: stripe.StripeClient, control: Control, token: str
) -> None:
    intent = await waiting(client, token)
    assert intent.next_action is not None
    assert intent.next_action.type == "use_stripe_sdk"
    assert intent.latest_charge is None
    await control.post(f"/payment_intents/{intent.id}/authenticate", outcome="success")
    paid = await client.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.next_action) == ("succeeded", None)
    assert isinstance(paid.latest_charge, stripe.Charge)
    details = paid.latest_charge.payment_method_details
    assert details is not None
    assert details.card is not None
    assert details.card.three_d_secure is not None
    assert details.card.three_d_secure.result == "authenticated"
    assert (await types_of(client, intent.id))[1:] == [
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    ]


async def test_a_return_address_makes_the_next_action_a_redirect(
    client: stripe.StripeClient, control: Control
) -> None:
    intent = await a_paid_intent(
        client, "pm_card_threeDSecure2Required", return_url="https://example.com/back"
    )
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    assert intent.next_action.redirect_to_url.return_url == "https://example.com/back"
    page = await control.http.get(str(intent.next_action.redirect_to_url.url))
    assert intent.id in page.text


async def test_a_note_leaves_the_authentication_alone_and_a_new_amount_asks_anew(
    client: stripe.StripeClient,
) -> None:
    intent = await waiting(client)
    noted = await client.v1.payment_intents.update_async(intent.id, {"metadata": {"a": "1"}})
    assert noted.status == "requires_action"
    changed = await client.v1.payment_intents.update_async(intent.id, {"amount": 999})
    assert (changed.status, changed.next_action) == ("requires_confirmation", None)


async def test_failed_authentication_leaves_the_intent_open_for_another_method(
    client: stripe.StripeClient, control: Control
) -> None:
    intent = await waiting(client)
    await control.post(f"/payment_intents/{intent.id}/authenticate", outcome="fail")
    failed = await client.v1.payment_intents.retrieve_async(intent.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    assert failed.latest_charge is None
    paid = await client.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": "pm_card_visa"}
    )
    assert paid.status == "succeeded"


async def test_another_method_takes_over_while_the_first_waits(
    client: stripe.StripeClient, control: Control
) -> None:
    intent = await waiting(client)
    method = await client.v1.payment_methods.attach_async(
        "pm_card_visa", {"customer": str(intent.customer)}
    )
    paid = await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": method.id})
    assert paid.status == "succeeded"
    late = await control.http.post(
        f"/payment_intents/{intent.id}/authenticate", json={"outcome": "success"}
    )
    assert late.status_code == 409
    charges = await client.v1.charges.list_async({"payment_intent": intent.id})
    assert len(charges.data) == 1


async def test_authentication_in_one_tab_refuses_the_other_method_in_another(
    client: stripe.StripeClient, control: Control
) -> None:
    intent = await waiting(client)
    await control.post(f"/payment_intents/{intent.id}/authenticate", outcome="success")
    await refused(
        client.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"}),
        "payment_intent_unexpected_state",
    )


async def test_a_card_may_be_declined_after_its_authentication(
    client: stripe.StripeClient, control: Control
) -> None:
    intent = await waiting(client, "pm_card_threeDSecureRequiredChargeDeclined")
    await control.post(f"/payment_intents/{intent.id}/authenticate", outcome="success")
    failed = await client.v1.payment_intents.retrieve_async(intent.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.decline_code == "generic_decline"


async def test_off_session_a_card_that_asks_is_declined(client: stripe.StripeClient) -> None:
    error = await declined(
        a_paid_intent(client, "pm_card_authenticationRequired", off_session=True)
    )
    assert error.code == "authentication_required"


async def test_a_card_set_up_once_pays_off_session(
    client: stripe.StripeClient, control: Control
) -> None:
    token = "pm_card_authenticationRequiredOnSetup"
    await declined(a_paid_intent(client, token, off_session=True))
    customer = await a_customer(client)
    setup = await client.v1.setup_intents.create_async(
        {
            "customer": customer,
            "payment_method": token,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    assert setup.status == "requires_action"
    await control.post(f"/setup_intents/{setup.id}/authenticate", outcome="success")
    done = await client.v1.setup_intents.retrieve_async(setup.id)
    assert done.status == "succeeded"
    assert isinstance(done.payment_method, str)
    method = await client.v1.payment_methods.retrieve_async(done.payment_method)
    assert method.customer == customer
    paid = await an_intent(
        client, customer=customer, payment_method=method.id, confirm=True, off_session=True
    )
    assert paid.status == "succeeded"
    asked = await an_intent(client, customer=customer, payment_method=method.id, confirm=True)
    assert asked.status == "requires_action"


async def test_a_setup_intent_fails_and_is_tried_again(
    client: stripe.StripeClient, control: Control
) -> None:
    customer = await a_customer(client)
    setup = await client.v1.setup_intents.create_async(
        {
            "customer": customer,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    assert setup.status == "requires_payment_method"
    setups = client.v1.setup_intents
    await refused(setups.confirm_async(setup.id), "setup_intent_unexpected_state")
    await declined(
        setups.confirm_async(setup.id, {"payment_method": "pm_card_visa_chargeDeclined"})
    )
    await setups.confirm_async(setup.id, {"payment_method": "pm_card_threeDSecure2Required"})
    await control.post(f"/setup_intents/{setup.id}/authenticate", outcome="fail")
    failed = await setups.retrieve_async(setup.id)
    assert failed.last_setup_error is not None
    assert failed.last_setup_error.code == "setup_intent_authentication_failure"
    done = await setups.confirm_async(setup.id, {"payment_method": "pm_card_visa"})
    assert done.status == "succeeded"
    await refused(setups.cancel_async(setup.id), "setup_intent_unexpected_state")
    assert await types_of(client, setup.id) == [
        "setup_intent.created",
        "setup_intent.setup_failed",
        "setup_intent.requires_action",
        "setup_intent.setup_failed",
        "setup_intent.succeeded",
    ]


async def test_an_open_setup_intent_can_be_canceled(client: stripe.StripeClient) -> None:
    setup = await client.v1.setup_intents.create_async({"usage": "on_session"})
    canceled = await client.v1.setup_intents.cancel_async(
        setup.id, {"cancellation_reason": "duplicate"}
    )
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "duplicate")
    listed = await client.v1.setup_intents.list_async({"limit": 1})
    assert [found.id for found in listed.data] == [setup.id]


async def test_a_browser_confirms_with_the_client_secret(
    client: stripe.StripeClient, browser: stripe.StripeClient
) -> None:
    customer, method = await a_saved_method(client, "pm_card_visa")
    intent = await an_intent(client, customer=customer, metadata={"secret": "business"})
    shown: Any = {"client_secret": intent.client_secret}
    confirmed = await browser.v1.payment_intents.confirm_async(
        intent.id, shown | {"payment_method": method}
    )
    assert confirmed.status == "succeeded"
    assert "metadata" not in confirmed.to_dict()


async def test_a_browser_gets_nowhere_without_the_secret(
    client: stripe.StripeClient, browser: stripe.StripeClient
) -> None:
    intent = await an_intent(client)
    await refused(
        browser.v1.payment_intents.confirm_async(intent.id), "payment_intent_invalid_parameter"
    )
    wrong: Any = {"client_secret": f"{intent.id}_secret_wrong"}
    await refused(
        browser.v1.payment_intents.retrieve_async(intent.id, wrong),
        "payment_intent_invalid_parameter",
    )
    with pytest.raises(stripe.PermissionError) as caught:
        await browser.v1.payment_intents.list_async()
    assert caught.value.error is not None
    assert caught.value.error.code == "secret_key_required"


async def test_a_declined_browser_learns_nothing_of_the_business(
    client: stripe.StripeClient, browser: stripe.StripeClient
) -> None:
    intent = await an_intent(client, metadata={"secret": "business"})
    params: Any = {
        "client_secret": intent.client_secret,
        "payment_method": "pm_card_visa_chargeDeclined",
    }
    with pytest.raises(stripe.PermissionError):
        await browser.v1.payment_methods.list_async()
    error = await declined(browser.v1.payment_intents.confirm_async(intent.id, params))
    assert error.error is not None
    assert error.error.payment_intent is not None
    assert "metadata" not in error.error.payment_intent.to_dict()
