import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.common.auth import (
    Kind,
    Principal,
    may_move_money,
    require_member,
    require_payer,
    require_reader,
    require_service,
    require_trainer,
)
from services.common.errors import Denied, HireflowError, NotFound, Unauthenticated, Unavailable
from services.common.settings import Settings
from services.common.tokens import ServiceIdentity, Signer, Verifier
from tests.common.conftest import make_key

CALLERS = {
    "member": Principal(Kind.EMPLOYER, "u-1", "org-1"),
    "payer": Principal(Kind.EMPLOYER, "u-2", "org-1", frozenset({"payer"})),
    "agent": Principal(Kind.AGENT, "a-1", "org-1", frozenset({"payer"})),
    "stranger": Principal(Kind.EMPLOYER, "u-3", "org-2", frozenset({"payer"})),
    "trainer": Principal(Kind.TRAINER, "t-1"),
    "operator": Principal(Kind.OPERATOR, "o-1"),
    "service": Principal(Kind.SERVICE, "service:worker"),
}
RULES: dict[Callable[[Principal], object], dict[str, type[HireflowError] | None]] = {
    lambda caller: require_member(caller, "org-1", "job", "j"): {
        **dict.fromkeys(("trainer", "operator", "service"), Denied),
        "stranger": NotFound,
    },
    lambda caller: require_reader(caller, "org-1", "job", "j"): {
        "trainer": Denied,
        "stranger": NotFound,
    },
    require_trainer: dict.fromkeys(CALLERS.keys() - {"trainer"}, Denied),
    require_service: dict.fromkeys(CALLERS.keys() - {"service"}, Denied),
    require_payer: dict.fromkeys(CALLERS.keys() - {"payer", "stranger"}, Denied),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", CALLERS)
def test_each_rule_lets_through_whom_it_names_and_no_other(
    rule: Callable[[Principal], object], name: str
) -> None:
    expected = RULES[rule].get(name)
    if expected is None:
        rule(CALLERS[name])
    else:
        with pytest.raises(expected):
            rule(CALLERS[name])


def test_an_agent_never_moves_money_whatever_roles_its_token_has() -> None:
    assert [name for name, caller in CALLERS.items() if may_move_money(caller)] == [
        "payer",
        "stranger",
    ]


def test_nothing_is_owned_by_an_empty_organisation() -> None:
    with pytest.raises(NotFound):
        require_member(Principal(Kind.EMPLOYER, "u", ""), "", "job", "j")


async def test_a_new_key_is_found_by_the_token_that_names_it(
    settings: Settings, tmp_path: Path
) -> None:
    old, new = make_key(tmp_path / "old.json"), make_key(tmp_path / "new.json")
    jwks = tmp_path / "jwks"
    jwks.write_text(old.with_suffix(".jwks").read_text())
    verifier = Verifier(settings.model_copy(update={"auth_keys": str(jwks)}))

    def token(key: Path) -> str:
        signer = Signer(key, settings.auth_issuer, settings.auth_audience)
        return signer.sign(CALLERS["payer"], timedelta(minutes=1), datetime.now(UTC))

    assert await verifier.verify(token(old)) == CALLERS["payer"]
    with pytest.raises(Unauthenticated):
        await verifier.verify(token(new))
    both = [json.loads(key.with_suffix(".jwks").read_text())["keys"][0] for key in (old, new)]
    jwks.write_text(json.dumps({"keys": both}))
    assert await verifier.verify(token(new)) == CALLERS["payer"]


async def test_without_keys_a_token_is_neither_believed_nor_called_wrong(
    settings: Settings, tmp_path: Path
) -> None:
    verifier = Verifier(settings.model_copy(update={"auth_keys": str(tmp_path / "none")}))
    identity = ServiceIdentity(settings, "worker", lambda: datetime.now(UTC))
    with pytest.raises(Unavailable):
        await verifier.verify(identity.token())
    with pytest.raises(Unavailable):
        await verifier.ping()


def test_a_service_token_is_renewed_before_it_expires(settings: Settings) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    identity = ServiceIdentity(settings, "worker", lambda: now)
    first = identity.token()
    now += timedelta(minutes=2)
    assert identity.token() == first
    now += timedelta(minutes=2)
    assert identity.token() != first
