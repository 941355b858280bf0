"""A request from its first byte to its answer: key, faults, idempotency, one transaction."""

import asyncio
import base64
import binascii
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from deploy.local.stripe_sandbox import answers, expansion, form, operations, parameters
from deploy.local.stripe_sandbox.answers import Answer, Use
from deploy.local.stripe_sandbox.bell import Bell
from deploy.local.stripe_sandbox.call import PLATFORM, Call, new_id
from deploy.local.stripe_sandbox.connections import drop
from deploy.local.stripe_sandbox.errors import (
    StripeError,
    forbidden,
    invalid,
    key_in_use,
    rate_limited,
    server_error,
    unauthorized,
    unknown_url,
)
from deploy.local.stripe_sandbox.events import API_VERSION
from deploy.local.stripe_sandbox.faults import (
    Holds,
    Matched,
    RequestFault,
    RequestFaults,
    WebhookFaults,
)
from deploy.local.stripe_sandbox.operations import Operation
from deploy.local.stripe_sandbox.store import Store
from deploy.local.stripe_sandbox.values import Value


class Engine:
    """What all requests share: the store, the faults, the idempotency keys under way."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.bell = Bell()
        self.holds = Holds(self.bell)
        self.faults = RequestFaults()
        self.webhook_faults = WebhookFaults()
        self._in_flight: set[tuple[str, str]] = set()

    async def answer(self, request: Request) -> Response:
        """Answer a request to `/v1/`."""
        request_id = new_id("req", 14)
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key:
            headers["Idempotency-Key"] = key
        try:
            found = await self._serve(request, request_id, key)
        except StripeError as error:
            found = Answer(error.status, json.dumps(error.body()), request_id)
        except asyncio.CancelledError:
            # Only the server's end cancels a request: its client sees the connection break.
            drop(request)
            return Response(status_code=503)
        if found.request_id != request_id:
            headers |= {"Idempotent-Replayed": "true", "Original-Request": found.request_id}
        return Response(found.text, found.status, headers, "application/json")

    def call(self, **facts: Value) -> Call:
        """Make a call of the sandbox's own, as the control API needs it."""
        return Call(self.store, self.webhook_faults, **facts)

    async def _serve(self, request: Request, request_id: str, key: str | None) -> Answer:
        publishable = _authorise(request)
        path = request.url.path
        matched = operations.match(request.method, path)
        if matched is None:
            raise unknown_url(request.method, path)
        operation, ids = matched
        if publishable and not operation.client:
            message = (
                "This API call cannot be made with a publishable API key. Please use a secret API "
                "key. You can find a list of your API keys at https://dashboard.stripe.com/apikeys."
            )
            raise forbidden(message, "secret_key_required")
        text = "&".join(
            filter(None, (request.url.query, (await request.body()).decode(errors="replace")))
        )
        call = self.call(
            account=self._account(request),
            params=form.decode(text),
            request_id=request_id,
            idempotency_key=key,
            publishable=publishable,
            base_url=str(request.base_url).rstrip("/"),
            path=path,
        )
        claim = (call.account, key or request_id)
        if claim in self._in_flight:
            raise key_in_use(claim[1])
        self._in_flight.add(claim)
        try:
            rule = self.faults.take(self._matched(operation, call, ids))
            found = await self._once(call, operation, ids, rule)
        finally:
            # The answer is remembered by now: who asks again gets it, though it is still withheld.
            self._in_flight.discard(claim)
        await self._withhold(request, rule, operation, call)
        return found

    async def _once(
        self, call: Call, operation: Operation, ids: tuple[str, ...], rule: RequestFault | None
    ) -> Answer:
        """Replay what the key was answered before, or execute."""
        kind = rule.kind if rule else None
        if kind in _REFUSALS:
            raise _REFUSALS[kind](call.idempotency_key or "")
        use = None
        if key := call.idempotency_key:
            use = Use(call.account, key, call.path, answers.fingerprint(call.params))
            known = answers.recall(self.store, use)
            if known is not None:
                return known
        call.params = parameters.check(operation.name, call.params)
        if gaps := operation.refuses & call.params.keys():
            name = min(gaps)
            message = f"{name} is a parameter of Stripe's that this sandbox does not act on."
            raise invalid(message, param=name)
        if kind == "hold_before":
            await self.holds.wait("before", operation.name, call.path, call.idempotency_key)
        elif kind == "delay_seconds" and rule:
            await asyncio.sleep(rule.seconds)
        if kind == "500_stored":
            return self._break(call, use)
        return self._execute(call, operation, ids, use, broken=kind == "commit_then_500")

    def _break(self, call: Call, use: Use | None) -> Answer:
        """Execute nothing, and have the key remember that."""
        found = Answer(500, json.dumps(server_error(stored=True).body()), call.request_id or "")
        if use is not None:
            with self.store.transaction():
                answers.remember(self.store, use, found)
        return found

    def _execute(
        self,
        call: Call,
        operation: Operation,
        ids: tuple[str, ...],
        use: Use | None,
        *,
        broken: bool,
    ) -> Answer:
        """Run the operation: its changes, events and remembered answer in one transaction."""
        with self.store.transaction():
            status, body, stored = self._run(call, operation, ids)
            if broken:
                status, body, stored = 500, json.dumps(server_error(stored=True).body()), True
            found = Answer(status, body, call.request_id or "")
            for action in call.later:
                action()
            if use is not None and stored:
                answers.remember(self.store, use, found)
        self.bell.ring()
        return found

    def _run(self, call: Call, operation: Operation, ids: tuple[str, ...]) -> tuple[int, str, bool]:
        """Give status, body and whether a key remembers it; refused, nothing stays written."""
        try:
            with self.store.attempt():
                try:
                    body = operation.handle(call, *ids)
                    return 200, json.dumps(expansion.expand(call, body)), True
                except StripeError as error:
                    if not error.commits:
                        raise
                    return error.status, json.dumps(error.body()), error.stored
        except StripeError as error:
            call.later.clear()
            return error.status, json.dumps(error.body()), error.stored

    async def _withhold(
        self, request: Request, rule: RequestFault | None, operation: Operation, call: Call
    ) -> None:
        if rule is None:
            return
        if rule.kind == "commit_then_hang":
            await self.holds.wait("after", operation.name, call.path, call.idempotency_key)
        elif rule.kind == "drop_connection_after_commit":
            drop(request)

    def _account(self, request: Request) -> str:
        account = request.headers.get("stripe-account")
        if account is None or account == PLATFORM:
            return PLATFORM
        if self.store.get(account, "account") is None:
            message = (
                f"The provided key does not have access to account '{account}' (or that account "
                "does not exist). Application access may have been revoked."
            )
            raise forbidden(message, "account_invalid")
        return account

    def _matched(self, operation: Operation, call: Call, ids: tuple[str, ...]) -> Matched:
        def metadata() -> dict[str, str]:
            present = (self.store.get(ids[0]) or {}).get("metadata") if ids else None
            given = call.params.get("metadata")
            return (present or {}) | (given if isinstance(given, dict) else {})

        named = tuple(value for value in call.params.values() if isinstance(value, str))
        return Matched(operation.name, operation.method, call.path, ids + named, metadata)


_REFUSALS: dict[str | None, Any] = {
    "429": lambda _: rate_limited(),
    "409": key_in_use,
    "500_before": lambda _: server_error(stored=False),
}


def _authorise(request: Request) -> bool:
    """Check the key; True when it is a publishable one."""
    key = _key(request)
    if not key:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
        raise unauthorized(message)
    if key.startswith(("sk_live_", "rk_live_", "pk_live_")):
        message = "Live keys are refused here: this is a sandbox and no place for a real secret."
        raise unauthorized(message)
    if not key.startswith(("sk_test_", "rk_test_", "pk_test_")):
        raise unauthorized(f"Invalid API Key provided: {key[:4]}{'*' * 8}")
    return key.startswith("pk_test_")


def _key(request: Request) -> str:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
