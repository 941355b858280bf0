"""Connected accounts: express and custom ones, onboarded by a test or by visiting their link."""

import base64
import json

from deploy.local.stripe_sandbox import lists
from deploy.local.stripe_sandbox.call import Call, merged_metadata, new_id
from deploy.local.stripe_sandbox.errors import invalid, missing
from deploy.local.stripe_sandbox.values import Json

LINK_SECONDS = 300
_DUE = ["business_profile.url", "external_account", "tos_acceptance.date", "tos_acceptance.ip"]


def create(call: Call) -> Json:
    """Create an account, not yet able to receive; a custom one with terms accepted is at once."""
    kind = call.param("type") or ("none" if call.param("controller") else None)
    if kind is None:
        raise missing("type")
    asked = call.param("capabilities") or {}
    wanted = [name for name, ask in asked.items() if ask and ask.get("requested")]
    if kind in ("custom", "none") and not wanted:
        message = "You must request at least one capability for this account."
        raise invalid(message, param="capabilities")
    body: Json = {
        "id": new_id("acct", 16),
        "object": "account",
        "business_profile": {"name": None, "product_description": None, "url": None},
        "business_type": call.param("business_type"),
        "capabilities": dict.fromkeys(wanted, "inactive"),
        "charges_enabled": False,
        "controller": {
            "fees": {"payer": "application"},
            "is_controller": True,
            "losses": {"payments": "application"},
            "requirement_collection": "application" if kind == "custom" else "stripe",
            "stripe_dashboard": {"type": "none" if kind == "custom" else "express"},
            "type": "application",
        },
        "country": call.param("country") or "US",
        "created": call.now,
        "default_currency": call.param("default_currency") or "usd",
        "details_submitted": False,
        "email": call.param("email"),
        "external_accounts": lists.listed([], "/v1/accounts/external_accounts"),
        "future_requirements": _requirements([]),
        "metadata": merged_metadata({}, call.params.get("metadata")),
        "payouts_enabled": False,
        "requirements": _requirements(_DUE),
        "settings": _settings(),
        "tos_acceptance": {},
        "type": kind,
    }
    body["external_accounts"]["url"] = f"/v1/accounts/{body['id']}/external_accounts"
    call.create(body)
    if kind == "custom" and (call.param("tos_acceptance") or {}).get("date"):
        onboard(call, body)
    return body


def retrieve(call: Call, identity: str) -> Json:
    """Read an account."""
    return call.find("account", identity)


def update(call: Call, identity: str) -> Json:
    """Change metadata, email or ask for capabilities."""
    body = call.find("account", identity)
    for name in ("email", "business_type", "default_currency"):
        if name in call.params:
            body[name] = call.param(name)
    state = "active" if body["details_submitted"] else "inactive"
    for name, ask in (call.param("capabilities") or {}).items():
        if ask and ask.get("requested"):
            body["capabilities"][name] = state
        else:
            body["capabilities"].pop(name, None)
    body["metadata"] = merged_metadata(body["metadata"], call.params.get("metadata"))
    call.save(body)
    call.emit("account.updated", body)
    return body


def index(call: Call) -> Json:
    """List accounts."""
    return lists.page(call, "account")


def link(call: Call) -> Json:
    """Make an onboarding link; in the sandbox, visiting it completes the onboarding."""
    body = call.find("account", call.params["account"], "account")
    for name in ("return_url", "refresh_url"):
        if not call.param(name):
            raise missing(name)
    goal = json.dumps([body["id"], call.param("return_url")]).encode()
    token = base64.urlsafe_b64encode(goal).decode()
    return {
        "object": "account_link",
        "created": call.now,
        "expires_at": call.now + LINK_SECONDS,
        "url": f"{call.base_url}/_sandbox/onboarding/{token}",
    }


def onboard(call: Call, body: Json) -> Json:
    """Complete an account's onboarding: what it asked for becomes active."""
    body |= {
        "capabilities": dict.fromkeys(body["capabilities"], "active"),
        "charges_enabled": True,
        "details_submitted": True,
        "payouts_enabled": True,
        "requirements": _requirements([]),
    }
    call.save(body)
    call.emit("account.updated", body)
    return body


def _requirements(due: list[str]) -> Json:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": "requirements.past_due" if due else None,
        "errors": [],
        "eventually_due": due,
        "past_due": due,
        "pending_verification": [],
    }


def _settings() -> Json:
    return {
        "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
        },
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "payments": {"statement_descriptor": None},
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 2, "interval": "manual"},
            "statement_descriptor": None,
        },
    }
