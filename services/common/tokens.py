"""Bearer tokens: verified on the way in, signed for our own identity on the way out."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
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
_LONGEST_TOKEN = 8192
_SERVICE_TOKEN_LIFETIME = timedelta(minutes=5)
_log = get_logger(__name__)


class Verifier:
    """Verifies bearer tokens against a JWKS of public keys, by file or URL.

    The keys are read again every five minutes, by `ping`, which readiness calls. A token of an
    unknown key waits for them to be read anew, so that a new key is known as soon as it is used;
    all such tokens wait for one reading, and readings begin `auth_keys_pause` apart at least: a
    made-up key id must not make us hammer the identity provider. Tokens of known keys never wait.
    """

    def __init__(self, settings: Settings) -> None:
        self._source = settings.auth_keys
        self._pause = settings.auth_keys_pause
        self._issuer = settings.auth_issuer
        self._audience = settings.auth_audience
        self._keys: dict[str, jwt.PyJWK] = {}
        # Whether the last reading succeeded: else nobody knows that a key is unknown.
        self._known = False
        self._begun = float("-inf")
        self._reading: asyncio.Task[None] | None = None

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
        """Read the keys if they are missing or old; those that are known serve meanwhile.

        Raises:
            Unavailable: they cannot be read and none are known.

        """
        if not self._keys:
            await asyncio.shield(self._read())
        elif time.monotonic() - self._begun > _REFRESH:
            _ = self._read()
        if not self._keys:
            raise _unavailable()

    async def _key(self, key_id: str) -> jwt.PyJWK:
        came = time.monotonic()
        while key_id not in self._keys and self._begun <= came:
            # A caller who gives up must not take the reading from the others.
            await asyncio.shield(self._read())
        if key_id in self._keys:
            return self._keys[key_id]
        if not self._known:
            raise _unavailable()
        raise jwt.InvalidKeyError("unknown key")

    def _read(self) -> "asyncio.Task[None]":
        """Give the reading that is under way, or begin one."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_soon(), name="read keys")
        return self._reading

    async def _read_soon(self) -> None:
        await asyncio.sleep(self._begun + self._pause - time.monotonic())
        self._begun, self._known = time.monotonic(), False
        try:
            keys = _usable(json.loads(await self._fetch())["keys"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("keys not read", source=self._source, error=repr(error))
            return
        if not keys:
            _log.warning("keys not read", source=self._source, error="there is no usable key")
            return
        if keys.keys() != self._keys.keys():
            _log.info("keys read", source=self._source, keys=sorted(keys))
        self._keys, self._known = keys, True

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

    @property
    def key_id(self) -> str:
        """The name that the key has in the JWKS."""
        return self._key.key_id

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
    """The process' own identity towards other services.

    The key file may be replaced while the process runs: the next token is signed with the new key.
    One that cannot be read leaves the key that was read before.
    """

    def __init__(self, settings: Settings, process: str, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._signer: Signer | None = None
        self._version: _Version | None = None
        self._token = ""
        self._renew_at: datetime | None = None
        self.principal = Principal(Kind.SERVICE, f"service:{process}")
        if path := settings.auth_signing_key_file:
            self._version = _version(path)
            self._signer = Signer(path, settings.auth_issuer, settings.auth_audience)

    def token(self) -> str:
        """Give a token that is good for two minutes at least; made anew when it must be.

        Raises:
            Unavailable: this process was given no signing key.

        """
        self._follow_key_file()
        if self._signer is None:
            message = "HIREFLOW_AUTH_SIGNING_KEY_FILE is not set, so no other service can be called"
            raise Unavailable("DEPENDENCY_UNAVAILABLE", message)
        now = self._clock()
        if self._renew_at is None or now >= self._renew_at:
            self._token = self._signer.sign(self.principal, _SERVICE_TOKEN_LIFETIME, now)
            self._renew_at = now + _SERVICE_TOKEN_LIFETIME - timedelta(minutes=2)
        return self._token

    def _follow_key_file(self) -> None:
        settings = self._settings
        path = settings.auth_signing_key_file
        if path is None or (version := _version(path)) == self._version:
            return
        self._version = version
        try:
            self._signer = Signer(path, settings.auth_issuer, settings.auth_audience)
        except (OSError, ValueError, jwt.PyJWTError) as error:
            # The error may repeat the key.
            _log.error("signing key not read, the former stays", error=type(error).__name__)
        else:
            self._renew_at = None
            _log.info("signing key read", key=self._signer.key_id)


_Version = tuple[int, int, int]


def _version(path: Path) -> _Version | None:
    try:
        found = path.stat()
    except OSError:
        # Being replaced; or gone, and then the former key stays.
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _usable(keys: Sequence[dict[str, Any]]) -> dict[str, jwt.PyJWK]:
    """Take the keys that we can verify with; a provider may publish others beside them."""
    usable: dict[str, jwt.PyJWK] = {}
    for each in keys:
        try:
            key = jwt.PyJWK(each)
        except jwt.PyJWTError:
            continue
        if key.algorithm_name in ALGORITHMS and key.key_id and each.get("use", "sig") == "sig":
            usable[key.key_id] = key
    return usable


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
