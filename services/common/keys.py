"""Keys that tokens are signed and verified with."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# Asymmetric only: a verifier holds nothing that could sign.
ALGORITHMS = ("EdDSA", "ES256", "RS256")


class SigningKey:
    """A private key and the name that its public half has in the JWKS."""

    def __init__(self, key: Any, algorithm: str, key_id: str) -> None:  # noqa: ANN401 - one of three kinds, known to PyJWT
        self._key = key
        self._algorithm = algorithm
        self.key_id = key_id

    @classmethod
    def read(cls, path: Path) -> "SigningKey":
        """Read a private key from a JWK or PEM file.

        A PEM has no key id: its public key's thumbprint (RFC 7638) is taken, as in `thumbprint`.

        Raises:
            OSError: there is no such file.
            ValueError: the file holds no private key of a kind in `ALGORITHMS`, or others than its
                owner may read it.

        """
        if path.stat().st_mode & 0o077:
            raise ValueError(f"{path} can be read by others than its owner: chmod 600 it")
        text = path.read_text()
        if not text.lstrip().startswith("{"):
            return cls._of_pem(text)
        fields = json.loads(text)
        if "d" not in fields:
            raise ValueError(f"{path} holds no private key")
        key = jwt.PyJWK(fields)
        if key.algorithm_name not in ALGORITHMS:
            raise ValueError(f"{path} is a key for {key.algorithm_name}, not one of {ALGORITHMS}")
        return cls(key.key, key.algorithm_name, key.key_id or thumbprint(fields))

    @classmethod
    def _of_pem(cls, text: str) -> "SigningKey":
        key = load_pem_private_key(text.encode(), password=None)
        kinds = {
            Ed25519PrivateKey: "EdDSA",
            EllipticCurvePrivateKey: "ES256",
            RSAPrivateKey: "RS256",
        }
        for kind, algorithm in kinds.items():
            if isinstance(key, kind):
                public = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
                return cls(key, algorithm, thumbprint(public))
        raise ValueError("the PEM file holds no key of a kind that we sign with")

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign claims as a JWT whose header names the key."""
        headers = {"kid": self.key_id}
        return jwt.encode(claims, self._key, algorithm=self._algorithm, headers=headers)


def thumbprint(jwk: dict[str, Any]) -> str:
    """Name a JWK by its content (RFC 7638): the same for the private and the public half."""
    names = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
    needed = {name: jwk[name] for name in names[jwk["kty"]]}
    canonical = json.dumps(needed, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
