"""The API's table: which method and path is which operation."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from deploy.local.stripe_sandbox import (
    accounts,
    balance,
    charges,
    customers,
    disputes,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    setup_intents,
    transfers,
    webhook_endpoints,
)
from deploy.local.stripe_sandbox.values import Json


@dataclass(frozen=True)
class Operation:
    """One operation: its name is what fault rules and the parameter table call it.

    `client`: a publishable key may call it. `refuses`: parameters that are Stripe's but that would
    change what happens in ways the sandbox does not have; to ignore them would be a lie.
    """

    name: str
    method: str
    path: str
    handle: Callable[..., Json]
    client: bool = False
    refuses: frozenset[str] = frozenset()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Match a request's path and give its ids."""
        return re.compile(re.sub(r"\{\w+\}", "([^/]+)", self.path) + "$")


_INTENT_GAPS = frozenset(
    {
        "amount_details",
        "application_fee_amount",
        "confirmation_token",
        "customer_account",
        "error_on_requires_action",
        "on_behalf_of",
        "payment_method_options",
        "transfer_data",
    }
)
_SETUP_GAPS = frozenset(
    {
        "attach_to_self",
        "confirmation_token",
        "customer_account",
        "flow_directions",
        "on_behalf_of",
        "payment_method_options",
        "single_use",
    }
)
_REFUND_GAPS = frozenset({"refund_application_fee", "reverse_transfer", "origin"})
_CUSTOMER = "/v1/customers"
_METHOD = "/v1/payment_methods"
_INTENT = "/v1/payment_intents"
_SETUP = "/v1/setup_intents"
_TRANSFER = "/v1/transfers"
_ENDPOINT = "/v1/webhook_endpoints"

OPERATIONS: tuple[Operation, ...] = (
    Operation("customers.create", "POST", _CUSTOMER, customers.create),
    Operation("customers.list", "GET", _CUSTOMER, customers.index),
    Operation("customers.retrieve", "GET", _CUSTOMER + "/{id}", customers.retrieve),
    Operation("customers.update", "POST", _CUSTOMER + "/{id}", customers.update),
    Operation("customers.delete", "DELETE", _CUSTOMER + "/{id}", customers.delete),
    Operation(
        "customers.payment_methods.list",
        "GET",
        _CUSTOMER + "/{id}/payment_methods",
        payment_methods.index_of_customer,
    ),
    Operation(
        "customers.payment_methods.retrieve",
        "GET",
        _CUSTOMER + "/{id}/payment_methods/{method}",
        payment_methods.retrieve_of_customer,
    ),
    Operation("payment_methods.create", "POST", _METHOD, payment_methods.create, client=True),
    Operation("payment_methods.list", "GET", _METHOD, payment_methods.index),
    Operation("payment_methods.retrieve", "GET", _METHOD + "/{id}", payment_methods.retrieve),
    Operation("payment_methods.update", "POST", _METHOD + "/{id}", payment_methods.update),
    Operation("payment_methods.attach", "POST", _METHOD + "/{id}/attach", payment_methods.attach),
    Operation("payment_methods.detach", "POST", _METHOD + "/{id}/detach", payment_methods.detach),
    Operation("setup_intents.create", "POST", _SETUP, setup_intents.create, refuses=_SETUP_GAPS),
    Operation("setup_intents.list", "GET", _SETUP, setup_intents.index),
    Operation("setup_intents.retrieve", "GET", _SETUP + "/{id}", setup_intents.retrieve, True),
    Operation("setup_intents.update", "POST", _SETUP + "/{id}", setup_intents.update),
    Operation(
        "setup_intents.confirm",
        "POST",
        _SETUP + "/{id}/confirm",
        setup_intents.confirm,
        True,
        _SETUP_GAPS,
    ),
    Operation("setup_intents.cancel", "POST", _SETUP + "/{id}/cancel", setup_intents.cancel),
    Operation(
        "payment_intents.create", "POST", _INTENT, payment_intents.create, refuses=_INTENT_GAPS
    ),
    Operation("payment_intents.list", "GET", _INTENT, payment_intents.index),
    Operation("payment_intents.retrieve", "GET", _INTENT + "/{id}", payment_intents.retrieve, True),
    Operation(
        "payment_intents.update",
        "POST",
        _INTENT + "/{id}",
        payment_intents.update,
        refuses=_INTENT_GAPS,
    ),
    Operation(
        "payment_intents.confirm",
        "POST",
        _INTENT + "/{id}/confirm",
        payment_intents.confirm,
        client=True,
        refuses=_INTENT_GAPS,
    ),
    Operation(
        "payment_intents.capture", "POST", _INTENT + "/{id}/capture", payment_intents.capture
    ),
    Operation("payment_intents.cancel", "POST", _INTENT + "/{id}/cancel", payment_intents.cancel),
    Operation("charges.list", "GET", "/v1/charges", charges.index),
    Operation("charges.retrieve", "GET", "/v1/charges/{id}", charges.retrieve),
    Operation("charges.update", "POST", "/v1/charges/{id}", charges.update),
    Operation("refunds.create", "POST", "/v1/refunds", refunds.create, refuses=_REFUND_GAPS),
    Operation("refunds.list", "GET", "/v1/refunds", refunds.index),
    Operation("refunds.retrieve", "GET", "/v1/refunds/{id}", refunds.retrieve),
    Operation("refunds.update", "POST", "/v1/refunds/{id}", refunds.update),
    Operation("refunds.cancel", "POST", "/v1/refunds/{id}/cancel", refunds.cancel),
    Operation("balance.retrieve", "GET", "/v1/balance", balance.retrieve),
    Operation("balance_transactions.list", "GET", "/v1/balance_transactions", balance.index),
    Operation(
        "balance_transactions.retrieve",
        "GET",
        "/v1/balance_transactions/{id}",
        balance.retrieve_transaction,
    ),
    Operation("accounts.create", "POST", "/v1/accounts", accounts.create),
    Operation("accounts.list", "GET", "/v1/accounts", accounts.index),
    Operation("accounts.retrieve", "GET", "/v1/accounts/{id}", accounts.retrieve),
    Operation("accounts.update", "POST", "/v1/accounts/{id}", accounts.update),
    Operation("account_links.create", "POST", "/v1/account_links", accounts.link),
    Operation("transfers.create", "POST", _TRANSFER, transfers.create),
    Operation("transfers.list", "GET", _TRANSFER, transfers.index),
    Operation("transfers.retrieve", "GET", _TRANSFER + "/{id}", transfers.retrieve),
    Operation("transfers.update", "POST", _TRANSFER + "/{id}", transfers.update),
    Operation(
        "transfers.reversals.create", "POST", _TRANSFER + "/{id}/reversals", transfers.reverse
    ),
    Operation(
        "transfers.reversals.list", "GET", _TRANSFER + "/{id}/reversals", transfers.reversals
    ),
    Operation(
        "transfers.reversals.retrieve",
        "GET",
        _TRANSFER + "/{id}/reversals/{reversal}",
        transfers.retrieve_reversal,
    ),
    Operation("payouts.create", "POST", "/v1/payouts", payouts.create),
    Operation("payouts.list", "GET", "/v1/payouts", payouts.index),
    Operation("payouts.retrieve", "GET", "/v1/payouts/{id}", payouts.retrieve),
    Operation("payouts.cancel", "POST", "/v1/payouts/{id}/cancel", payouts.cancel),
    Operation("disputes.list", "GET", "/v1/disputes", disputes.index),
    Operation("disputes.retrieve", "GET", "/v1/disputes/{id}", disputes.retrieve),
    Operation("disputes.update", "POST", "/v1/disputes/{id}", disputes.update),
    Operation("disputes.close", "POST", "/v1/disputes/{id}/close", disputes.close),
    Operation("events.list", "GET", "/v1/events", webhook_endpoints.index_events),
    Operation("events.retrieve", "GET", "/v1/events/{id}", webhook_endpoints.retrieve_event),
    Operation("webhook_endpoints.create", "POST", _ENDPOINT, webhook_endpoints.create),
    Operation("webhook_endpoints.list", "GET", _ENDPOINT, webhook_endpoints.index),
    Operation("webhook_endpoints.retrieve", "GET", _ENDPOINT + "/{id}", webhook_endpoints.retrieve),
    Operation("webhook_endpoints.update", "POST", _ENDPOINT + "/{id}", webhook_endpoints.update),
    Operation("webhook_endpoints.delete", "DELETE", _ENDPOINT + "/{id}", webhook_endpoints.delete),
)
_SEARCH = re.compile(r"/v1/\w+/search$")


def match(method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """Find the operation and the ids in the path; None for a path that the sandbox lacks."""
    if _SEARCH.match(path):
        return None
    for operation in OPERATIONS:
        found = operation.pattern.match(path) if operation.method == method else None
        if found is not None:
            return operation, found.groups()
    return None
