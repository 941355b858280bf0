import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from deploy.local.data_dir import DataDir
from deploy.local.failure import StackFailure
from deploy.local.keys import AUDIENCE, ISSUER, ensure_keys, private_key_file, public_keys_file
from deploy.local.stack import mint_token


@pytest.fixture
def data(folder: Path) -> DataDir:
    directory = DataDir.at(folder / "data")
    ensure_keys(directory)
    return directory


def verify(data: DataDir, token: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_json(public_keys_file(data).read_text())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER
    )
    return claims


def test_a_token_verifies_against_the_public_keys_and_carries_its_claims(data: DataDir) -> None:
    claims = verify(data, mint_token(data, "employer", sub="ada", org="org-1"))

    assert claims["sub"] == "ada"
    assert claims["kind"] == "employer"
    assert claims["org"] == "org-1"
    assert claims["roles"] == ["member", "payer"]
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["jti"]


def test_roles_and_lifetime_are_as_asked(data: DataDir) -> None:
    token = mint_token(data, "employer", org="o", roles=["member"], ttl=timedelta(seconds=60))

    claims = verify(data, token)
    assert claims["roles"] == ["member"]
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize("kind", ["trainer", "operator", "service"])
def test_others_than_employers_and_agents_belong_to_no_organisation(
    data: DataDir, kind: str
) -> None:
    claims = verify(data, mint_token(data, kind))
    assert "org" not in claims
    assert "roles" not in claims

    with pytest.raises(StackFailure, match="belongs to no organisation"):
        mint_token(data, kind, org="o")


@pytest.mark.parametrize("kind", ["employer", "agent"])
def test_employers_and_agents_need_their_organisation(data: DataDir, kind: str) -> None:
    with pytest.raises(StackFailure, match="needs its organisation"):
        mint_token(data, kind)


def test_the_public_keys_hold_nothing_private(data: DataDir) -> None:
    (key,) = json.loads(public_keys_file(data).read_text())["keys"]
    assert "d" not in key
    assert key["kid"] == json.loads(private_key_file(data).read_text())["kid"]


def test_a_second_start_keeps_the_key(data: DataDir) -> None:
    token = mint_token(data, "trainer")
    ensure_keys(data)
    assert verify(data, token)["kind"] == "trainer"


def test_without_a_key_the_user_is_told_what_to_do(folder: Path) -> None:
    with pytest.raises(StackFailure, match="run `hireflow up` first"):
        mint_token(DataDir(folder), "trainer")
