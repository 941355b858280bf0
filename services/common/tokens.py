"""Bearer tokens: verified on the way in, signed for our own identity on the way out."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt

from services.common.auth import Kind, Principal
from services.common.errors import Unauthenticated, Unavailable
from services.common.keys import ALGORITHMS, SigningKey
from services.common.settings import Settings
from services.common.telemetry import get_logger

_LEEWAY = 5.0
_REFRESH = 300.0
_SOONEST_REFRESH = 5.0
_LONGEST_TOKEN = 8192
_SERVICE_TOKEN_LIFETIME = timedelta(minutes=5)
_log = get_logger(__name__)


class Verifier:
    """Verifies bearer tokens against a JWKS of public keys, by file or URL.

    The keys are read again every five minutes, and when a token names an unknown key, but at most
    every five seconds: a made-up key id must not make us hammer the identity provider.
    """

    def __init__(self, settings: Settings) -> None:
        self._source = settings.auth_keys
        self._issuer = settings.auth_issuer
        self._audience = settings.auth_audience
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def verify(self, token: str) -> Principal:
        """Give the caller that a token proves.

        Raises:
            Unauthenticated: the token is malformed, expired, for another audience or issuer, or
                signed by no key of ours; which of these is logged, not told.
            Unavailable: the keys cannot be read.

        """
        try:
            if len(token) > _LONGEST_TOKEN:
                raise jwt.InvalidTokenError("too long")
            key = await self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims = jwt.decode(
                token,
                key,
                # The key's own algorithm: a token never chooses how it is verified.
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY,
                options={"require": ["iss", "aud", "sub", "exp", "iat"]},
            )
            return _principal(claims)
        except (jwt.PyJWTError, ValueError) as error:
            _log.info("token refused", why=type(error).__name__)
            message = "the bearer token does not verify: get a new one"
            raise Unauthenticated("TOKEN_INVALID", message) from error

    async def ping(self) -> None:
        """Read the keys if they are missing or old.

        Raises:
            Unavailable: they cannot be read and none are known.

        """
        await self._refresh(_REFRESH if self._keys else _SOONEST_REFRESH)
        if not self._keys:
            raise _unavailable()

    async def _key(self, key_id: str) -> jwt.PyJWK:
        await self._refresh(_REFRESH)
        if key_id not in self._keys:
            await self._refresh(_SOONEST_REFRESH)
        if not self._keys:
            raise _unavailable()
        if key_id not in self._keys:
            raise jwt.InvalidKeyError("unknown key")
        return self._keys[key_id]

    async def _refresh(self, oldest: float) -> None:
        async with self._reading:
            if time.monotonic() - self._read_at < oldest:
                return
            self._read_at = time.monotonic()
            try:
                keys = json.loads(await self._fetch())["keys"]
                usable = [jwt.PyJWK(each) for each in keys]
            except (OSError, ValueError, KeyError, jwt.PyJWTError) as error:
                _log.warning("keys not read", source=self._source, error=repr(error))
                return
            self._keys = {
                str(key.key_id): key for key in usable if key.algorithm_name in ALGORITHMS
            }

    async def _fetch(self) -> str:
        if not urlsplit(self._source).scheme.startswith("http"):
            return await asyncio.to_thread(Path(self._source).read_text)
        import httpx  # noqa: PLC0415 - few processes read keys from an address

        try:
            async with httpx.AsyncClient(timeout=3.0) as client:
                return (await client.get(self._source)).raise_for_status().text
        except httpx.HTTPError as error:
            raise OSError(repr(error)) from error


class Signer:
    """Signs tokens with a private key: for service identities, and for development's tokens."""

    def __init__(self, key_file: Path, issuer: str, audience: str) -> None:
        self._key = SigningKey.read(key_file)
        self._issuer = issuer
        self._audience = audience

    def sign(self, principal: Principal, lifetime: timedelta, now: datetime) -> str:
        """Give a token that proves `principal` from `now` on for `lifetime`."""
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": principal.id,
            "kind": principal.kind.value,
            "iat": now,
            "exp": now + lifetime,
        }
        if principal.organisation_id is not None:
            claims["org"] = principal.organisation_id
        if principal.roles:
            claims["roles"] = sorted(principal.roles)
        return self._key.sign(claims)


class ServiceIdentity:
    """The process' own identity towards other services."""

    def __init__(self, settings: Settings, process: str, clock: Callable[[], datetime]) -> None:
        path, issuer, audience = (
            settings.auth_signing_key_file,
            settings.auth_issuer,
            settings.auth_audience,
        )
        self._signer = Signer(path, issuer, audience) if path else None
        self._clock = clock
        self._token = ""
        self._renew_at: datetime | None = None
        self.principal = Principal(Kind.SERVICE, f"service:{process}")

    def token(self) -> str:
        """Give a token that is good for two minutes at least; made anew when it must be.

        Raises:
            Unavailable: this process was given no signing key.

        """
        if self._signer is None:
            message = "HIREFLOW_AUTH_SIGNING_KEY_FILE is not set, so no other service can be called"
            raise Unavailable("DEPENDENCY_UNAVAILABLE", message)
        now = self._clock()
        if self._renew_at is None or now >= self._renew_at:
            self._token = self._signer.sign(self.principal, _SERVICE_TOKEN_LIFETIME, now)
            self._renew_at = now + _SERVICE_TOKEN_LIFETIME - timedelta(minutes=2)
        return self._token


def _principal(claims: dict[str, Any]) -> Principal:
    kind = Kind(claims.get("kind", ""))
    organisation = claims.get("org")
    roles = claims.get("roles", [])
    needs_organisation = kind in {Kind.EMPLOYER, Kind.AGENT}
    if not claims["sub"] or not isinstance(roles, list):
        raise ValueError("subject or roles")
    if needs_organisation and not (isinstance(organisation, str) and organisation):
        raise ValueError("organisation")
    return Principal(
        kind=kind,
        id=str(claims["sub"]),
        organisation_id=organisation if needs_organisation else None,
        roles=frozenset(map(str, roles)),
    )


def _unavailable() -> Unavailable:
    message = "the keys that tokens are verified with cannot be read: try again later"
    return Unavailable("DEPENDENCY_UNAVAILABLE", message, metadata={"dependency": "auth_keys"})
