"""The development signing key and the tokens that it signs.

Production verifies tokens of an identity provider and refuses this issuer; here the data
directory plays the provider. Claims: `iss`, `aud`, `sub`, `kind`, `org` (employer and agent
only), `roles` (employer only), `iat`, `exp`, `jti`.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from deploy.local.data_dir import DataDir, read_json, write_private
from deploy.local.failure import StackFailure

ISSUER = "https://hireflow.local"
AUDIENCE = "hireflow"
EMPLOYER_ROLES = ("member", "payer")


class Kind(StrEnum):
    """Who a token speaks for."""

    EMPLOYER = "employer"
    AGENT = "agent"
    TRAINER = "trainer"
    OPERATOR = "operator"
    SERVICE = "service"


def private_key_file(data: DataDir) -> Path:
    """Where the private key is kept as a JWK, mode 0600."""
    return data.keys / "dev-private.json"


def public_keys_file(data: DataDir) -> Path:
    """Where the public key set (JWKS) is kept; services verify tokens against it."""
    return data.keys / "jwks.json"


def ensure_keys(data: DataDir) -> None:
    """Make the key pair at the first start; later starts keep it, so that tokens stay valid."""
    if not private_key_file(data).exists():
        write_private(private_key_file(data), json.dumps(_new_private_jwk()))
    public = {k: v for k, v in read_json(private_key_file(data)).items() if k != "d"}
    write_private(public_keys_file(data), json.dumps({"keys": [public]}))


def mint_token(
    data: DataDir,
    *,
    kind: Kind,
    subject: str,
    organisation: str | None,
    roles: Sequence[str],
    lifetime: timedelta,
    now: datetime,
    token_id: str,
) -> str:
    """Sign a bearer token for a person, an agent or a service.

    Raises:
        StackFailure: an employer or agent without organisation, another kind with one, roles for
            anyone but an employer, or a data directory that has no key yet.

    """
    import jwt  # noqa: PLC0415 - brings cryptography: late, so that `hireflow --help` is quick

    belongs = kind in {Kind.EMPLOYER, Kind.AGENT}
    if belongs and not organisation:
        raise StackFailure(f"A token of kind {kind} needs its organisation (--org).")
    if organisation and not belongs:
        raise StackFailure(f"A token of kind {kind} belongs to no organisation (--org).")
    if roles and kind is not Kind.EMPLOYER:
        raise StackFailure(f"A token of kind {kind} carries no roles (--role).")
    private = read_json(private_key_file(data))
    if not private:
        raise StackFailure(f"There is no signing key in {data.root}: run `hireflow up` first.")
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "kind": kind.value,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        "jti": token_id,
    }
    if organisation:
        claims["org"] = organisation
    if kind is Kind.EMPLOYER:
        claims["roles"] = list(roles or EMPLOYER_ROLES)
    key = jwt.PyJWK(private)
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": private["kid"]})


def _new_private_jwk() -> dict[str, str]:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - as above

    private = ed25519.Ed25519PrivateKey.generate()
    x = _base64url(private.public_key().public_bytes_raw())
    # RFC 7638: the thumbprint over the required members in this order names the key.
    thumbprint = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": x,
        "d": _base64url(private.private_bytes_raw()),
        "kid": _base64url(hashlib.sha256(thumbprint.encode()).digest()),
        "alg": "EdDSA",
        "use": "sig",
    }


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
