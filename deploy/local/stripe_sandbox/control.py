"""The control API under `/_sandbox/`: what tests may do that no client of Stripe can.

The package's own docstring lists every verb with its body and answer.
"""

import base64
import binascii
import fnmatch
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from deploy.local.stripe_sandbox import events
from deploy.local.stripe_sandbox.control_bodies import Advance, Balance, Resend
from deploy.local.stripe_sandbox.control_objects import ACTIONS, onboard
from deploy.local.stripe_sandbox.control_pages import authentication_page
from deploy.local.stripe_sandbox.engine import Engine
from deploy.local.stripe_sandbox.errors import StripeError
from deploy.local.stripe_sandbox.faults import RequestFault, WebhookFault

LONGEST_WAIT_SECONDS = 120.0
M = TypeVar("M", bound=BaseModel)
Verb = Callable[[Request], Awaitable[Response]]


async def body_of(request: Request, model: type[M]) -> M:
    """Read a JSON body (an empty one is `{}`); raises `ValidationError` for a bad one."""
    return model.model_validate_json(await request.body() or b"{}")


def guarded(verb: Verb) -> Verb:
    """Turn a bad body into 422 and an object's refusal into Stripe's own error."""

    async def answer(request: Request) -> Response:
        try:
            return await verb(request)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            return JSONResponse({"error": problems}, 422)
        except StripeError as error:
            return JSONResponse(error.body(), error.status)

    return answer


class Control:
    """The verbs, over one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._store = engine.store

    def routes(self) -> list[Route]:
        """Give the routes of all verbs."""
        table: list[tuple[str, str, Verb]] = [
            ("GET", "/health", self.health),
            ("POST", "/clock", self.advance),
            ("GET", "/faults", self.list_faults),
            ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("GET", "/holds", self.list_holds),
            ("POST", "/holds/release", self.release_all),
            ("POST", "/holds/{id:int}/release", self.release),
            ("POST", "/webhooks/faults", self.add_webhook_fault),
            ("DELETE", "/webhooks/faults", self.clear_webhook_faults),
            ("POST", "/webhooks/hold", self.hold_webhooks),
            ("POST", "/webhooks/release", self.release_webhooks),
            ("GET", "/deliveries", self.deliveries),
            ("POST", "/events/{id}/resend", self.resend),
            ("POST", "/balance", self.balance),
            ("POST", "/reset", self.reset),
            ("GET", "/wait/hold", self.wait_for_hold),
            ("GET", "/wait/event", self.wait_for_event),
            ("GET", "/wait/delivery", self.wait_for_delivery),
            ("GET", "/onboarding/{token}", self.onboarding),
            ("GET", "/{noun}/{id}/authenticate", authentication_page),
            ("POST", "/{noun}/{id}/{verb}", self.act),
        ]
        return [
            Route(f"/_sandbox{path}", guarded(verb), methods=[method])
            for method, path, verb in table
        ]

    async def health(self, _: Request) -> Response:
        """Say that the sandbox answers, and its time."""
        return JSONResponse({"status": "ok", "now": self._store.now()})

    async def advance(self, request: Request) -> Response:
        """Move the sandbox's clock forward."""
        moved = await body_of(request, Advance)
        with self._store.transaction():
            offset = int(self._store.setting("clock_offset", "0")) + moved.advance_seconds
            self._store.set_setting("clock_offset", str(offset))
        return JSONResponse({"now": self._store.now(), "offset_seconds": offset})

    async def list_faults(self, _: Request) -> Response:
        """List the rules that are left, for requests and for webhooks."""
        return JSONResponse(
            {
                "requests": [rule.model_dump() for rule in self._engine.faults.rules],
                "webhooks": [rule.model_dump() for rule in self._engine.webhook_faults.rules],
            }
        )

    async def add_fault(self, request: Request) -> Response:
        """Append a rule for requests."""
        rule = self._engine.faults.add(await body_of(request, RequestFault))
        return JSONResponse(rule.model_dump())

    async def clear_faults(self, _: Request) -> Response:
        """Drop the rules for requests; what is held stays held."""
        self._engine.faults.rules.clear()
        return JSONResponse({"requests": []})

    async def list_holds(self, _: Request) -> Response:
        """List the requests held now."""
        return JSONResponse({"holds": self._holds()})

    async def release(self, request: Request) -> Response:
        """Let one held request go."""
        released = self._engine.holds.release(request.path_params["id"])
        return JSONResponse({"released": int(released)}, 200 if released else 404)

    async def release_all(self, _: Request) -> Response:
        """Let every held request go."""
        return JSONResponse({"released": self._engine.holds.release_all()})

    async def add_webhook_fault(self, request: Request) -> Response:
        """Append a rule for webhooks."""
        rule = await body_of(request, WebhookFault)
        self._engine.webhook_faults.rules.append(rule)
        return JSONResponse(rule.model_dump())

    async def clear_webhook_faults(self, _: Request) -> Response:
        """Drop the rules for webhooks."""
        self._engine.webhook_faults.rules.clear()
        return JSONResponse({"webhooks": []})

    async def hold_webhooks(self, _: Request) -> Response:
        """Send no webhook from now on; survives a restart."""
        with self._store.transaction():
            self._store.set_setting("webhooks_held", "yes")
        return JSONResponse({"held": True})

    async def release_webhooks(self, _: Request) -> Response:
        """Send what was held, all of it or by a rule, and what was reordered."""
        with self._store.transaction():
            self._store.set_setting("webhooks_held", "")
            self._store.run(
                "UPDATE delivery SET state = 'pending' WHERE state IN ('held', 'reordered')"
            )
        self._engine.bell.ring()
        return JSONResponse({"held": False})

    async def deliveries(self, request: Request) -> Response:
        """List deliveries, oldest first."""
        return JSONResponse({"deliveries": self._deliveries(request)})

    async def resend(self, request: Request) -> Response:
        """Deliver an event once more, to one endpoint or to all that were to receive it."""
        event = request.path_params["id"]
        asked = await body_of(request, Resend)
        if self._store.get(event, "event") is None:
            return JSONResponse({"error": f"no event {event}"}, 404)
        rows = self._store.run("SELECT DISTINCT endpoint FROM delivery WHERE event = ?", event)
        targets = [asked.endpoint] if asked.endpoint else [row["endpoint"] for row in rows]
        with self._store.transaction():
            for endpoint in targets:
                events.deliver(self._store, event, endpoint)
        self._engine.bell.ring()
        return JSONResponse({"queued": len(targets)})

    async def balance(self, request: Request) -> Response:
        """Empty the platform's balance for transfers and payouts, or fill it again."""
        asked = await body_of(request, Balance)
        with self._store.transaction():
            self._store.set_setting("balance_emptied", "yes" if asked.empty else "")
        return JSONResponse({"empty": asked.empty})

    async def reset(self, _: Request) -> Response:
        """Forget everything: objects, answers, deliveries, clock, rules; let held requests go."""
        self._engine.holds.release_all()
        self._engine.faults.rules.clear()
        self._engine.webhook_faults.rules.clear()
        self._store.reset()
        return JSONResponse({"status": "ok", "now": self._store.now()})

    async def wait_for_hold(self, request: Request) -> Response:
        """Answer as soon as a request of this operation is held; 408 if none comes in time."""
        wanted = request.query_params.get("operation", "*")

        def look() -> list[dict[str, Any]] | None:
            return [h for h in self._holds() if fnmatch.fnmatchcase(h["operation"], wanted)] or None

        return await self._wait(request, look, "holds")

    async def wait_for_event(self, request: Request) -> Response:
        """Answer as soon as an event of this type and object exists; 408 if none comes in time."""
        kind, identity = request.query_params.get("type"), request.query_params.get("object")

        def look() -> list[dict[str, Any]] | None:
            fields = {"type": kind, "data.object.id": identity}
            return self._store.select("event", **{k: v for k, v in fields.items() if v}) or None

        return await self._wait(request, look, "events")

    async def wait_for_delivery(self, request: Request) -> Response:
        """Answer as soon as a delivery with these fields exists; 408 if none comes in time."""
        return await self._wait(request, lambda: self._deliveries(request) or None, "deliveries")

    async def onboarding(self, request: Request) -> Response:
        """Complete a connected account's onboarding, as its owner does by following the link."""
        try:
            goal = json.loads(base64.urlsafe_b64decode(request.path_params["token"]))
        except (binascii.Error, ValueError):
            return JSONResponse({"error": "not an onboarding link of this sandbox"}, 404)
        with self._store.transaction():
            onboard(self._engine.call(), goal[0], {})
        self._engine.bell.ring()
        return RedirectResponse(goal[1])

    async def act(self, request: Request) -> Response:
        """Do something to an object: see `control_objects.ACTIONS`."""
        name = f"{request.path_params['noun']}.{request.path_params['verb']}"
        if name not in ACTIONS:
            return JSONResponse({"error": f"no such verb: {name}"}, 404)
        model, action = ACTIONS[name]
        asked = (await body_of(request, model)).model_dump()
        call = self._engine.call()
        with self._store.transaction():
            found = action(call, request.path_params["id"], asked)
            answer = JSONResponse(found)
            for later in call.later:
                later()
        self._engine.bell.ring()
        return answer

    async def _wait(
        self, request: Request, look: Callable[[], list[dict[str, Any]] | None], name: str
    ) -> Response:
        try:
            timeout = min(float(request.query_params.get("timeout", "10")), LONGEST_WAIT_SECONDS)
        except ValueError:
            return JSONResponse({"error": "timeout must be a number of seconds"}, 422)
        found = await self._engine.bell.until(look, timeout)
        return JSONResponse({name: found or []}, 200 if found else 408)

    def _holds(self) -> list[dict[str, Any]]:
        return [hold.shown() for hold in self._engine.holds.waiting.values()]

    def _deliveries(self, request: Request) -> list[dict[str, Any]]:
        rows = self._store.run(
            "SELECT delivery.*, json_extract(object.body, '$.type') AS type,"
            " json_extract(object.body, '$.data.object.id') AS object"
            " FROM delivery LEFT JOIN object ON object.id = delivery.event ORDER BY delivery.number"
        )
        given = request.query_params
        wanted = {
            name: given[name]
            for name in ("event", "endpoint", "state", "type", "object")
            if name in given
        }
        return [dict(row) for row in rows if wanted.items() <= dict(row).items()]
