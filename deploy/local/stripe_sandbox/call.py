"""One request being executed: what a handler may read, write and announce."""

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.local.stripe_sandbox import events
from deploy.local.stripe_sandbox.errors import no_such
from deploy.local.stripe_sandbox.faults import WebhookFaults
from deploy.local.stripe_sandbox.store import Store
from deploy.local.stripe_sandbox.values import Json, Value

PLATFORM = "acct_1SandboxPlatform"
_ALPHABET = string.ascii_letters + string.digits
_NOUNS = {"payment_method": "PaymentMethod", "account": "account"}


def new_id(prefix: str, length: int = 24) -> str:
    """Make an id in Stripe's shape, as `pi_` and letters and digits."""
    noise = secrets.token_bytes(length)
    return f"{prefix}_{''.join(_ALPHABET[byte % len(_ALPHABET)] for byte in noise)}"


@dataclass
class Call:
    """A request inside its transaction; the control API makes one too when it acts on objects."""

    store: Store
    faults: WebhookFaults
    account: str = PLATFORM
    params: Json = field(default_factory=dict)
    request_id: str | None = None
    idempotency_key: str | None = None
    publishable: bool = False
    base_url: str = ""
    path: str = ""
    later: list[Callable[[], None]] = field(default_factory=list)

    @property
    def now(self) -> int:
        """The sandbox's time in Unix seconds."""
        return self.store.now()

    def param(self, name: str, default: Value = None) -> Value:
        """Read a checked parameter; an empty string, Stripe's way to unset, reads as None."""
        value = self.params.get(name, default)
        return None if value == "" else value

    def create(self, body: Json, **hidden: Value) -> Json:
        """Add an object of this request's account."""
        self.store.insert(self.account, body, hidden)
        return body

    def find(self, kind: str, identity: str, param: str | None = None) -> Json:
        """Read an object; raises 404 `resource_missing`, or 400 when a parameter named it."""
        found = self.store.get(identity, kind, self.account)
        if found is None:
            noun = _NOUNS.get(kind, kind)
            raise no_such(noun, identity, param or "id", 400 if param else 404)
        return found

    def save(self, body: Json) -> Json:
        """Write an object back."""
        self.store.save(body)
        return body

    def emit(self, kind: str, body: Json, previous: Json | None = None) -> None:
        """Announce what has become of an object, in the same transaction."""
        request = {"id": self.request_id, "idempotency_key": self.idempotency_key}
        events.record(
            self.store,
            self.faults,
            events.Fact(kind, body, previous, request, self.account, self.account != PLATFORM),
            new_id("evt"),
        )

    def after_answer(self, action: Callable[[], None]) -> None:
        """Do this in the same transaction, once the answer has been taken down."""
        self.later.append(action)


def merged_metadata(present: Json, given: Value) -> Json:
    """Merge metadata as Stripe does: an empty value removes its key, an empty whole all of them."""
    if given is None:
        return present
    if given == "":
        return {}
    together = present | given
    return {key: value for key, value in together.items() if value != ""}
