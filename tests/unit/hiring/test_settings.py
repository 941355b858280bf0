from typing import Any

import pytest
from pydantic import ValidationError

from workflows.settings import HiringSettings

LOCAL: dict[str, Any] = {
    "database_url": "postgresql+asyncpg://127.0.0.1/hireflow",
    "nats_url": "tls://nats:4222",
    "auth_keys": "https://identity.example/keys",
    "auth_issuer": "https://identity.example",
    "tls_by_mesh": True,
    "temporal_address": "127.0.0.1:7233",
    "stripe_api_key": "sk_test_1",
    "stripe_api_base": "http://127.0.0.1:12111",
}


def made(**changes: Any) -> HiringSettings:
    return HiringSettings.model_validate({**LOCAL, **changes})


def test_production_refuses_the_sandbox_and_test_keys() -> None:
    with pytest.raises(ValidationError) as refused:
        made(env="production")
    assert "STRIPE_API_KEY is a test key" in str(refused.value)
    assert "STRIPE_API_BASE is not Stripe's" in str(refused.value)


def test_production_takes_a_live_key_for_stripe_itself() -> None:
    settings = made(env="production", stripe_api_key="sk_live_1", stripe_api_base=None)
    assert settings.hire_policy.payment_deadline.total_seconds() == 72 * 3600


def test_a_live_key_is_refused_outside_of_production() -> None:
    with pytest.raises(ValidationError, match="charges real cards"):
        made(stripe_api_key="sk_live_1")


def test_secrets_do_not_show() -> None:
    assert "sk_test_1" not in repr(made())
