"""Stripe's error answers: the HTTP status, type, code and parameter that its documents promise."""

from deploy.local.stripe_sandbox.cards import Decline
from deploy.local.stripe_sandbox.values import Json, Value


class StripeError(Exception):
    """An answer other than 2xx.

    `commits` keeps what the handler wrote (a decline leaves a failed charge behind); `stored` says
    whether an idempotency key remembers the answer: everything that an endpoint answered once it
    had begun, but no refused validation, 401, 409 or 429.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        commits: bool = False,
        stored: bool = True,
        **details: Value,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.commits = commits
        self.stored = stored
        self.error: Json = {"message": message, "type": kind}
        if code:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param:
            self.error["param"] = param
        self.error |= details

    def body(self) -> Json:
        """Give the JSON body."""
        return {"error": self.error}


def invalid(message: str, *, code: str | None = None, param: str | None = None) -> StripeError:
    """Refuse a request before any of it is executed; no idempotency key remembers it."""
    return StripeError(400, "invalid_request_error", message, code=code, param=param, stored=False)


def refused(
    message: str, *, code: str | None = None, param: str | None = None, **details: Value
) -> StripeError:
    """Refuse what the state of things does not allow; keys remember it."""
    return StripeError(400, "invalid_request_error", message, code=code, param=param, **details)


def declined(decline: Decline, **details: Value) -> StripeError:
    """Answer 402 with the issuer's no; what the handler wrote about it stays."""
    if decline.decline_code:
        details["decline_code"] = decline.decline_code
    return StripeError(
        402, "card_error", decline.message, code=decline.code, commits=True, **details
    )


def missing(name: str) -> StripeError:
    """Refuse for a required parameter that is absent."""
    return invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)


def no_such(noun: str, identity: str, param: str = "id", status: int = 404) -> StripeError:
    """Refuse an unknown object: 404 when the path names it, 400 when a parameter does."""
    return StripeError(
        status,
        "invalid_request_error",
        f"No such {noun}: '{identity}'",
        code="resource_missing",
        param=param,
    )


def unauthorized(message: str) -> StripeError:
    """Refuse a request without a key, with an unknown kind of key, or with a live one."""
    return StripeError(401, "invalid_request_error", message, stored=False)


def forbidden(message: str, code: str) -> StripeError:
    """Refuse a key that may not do this."""
    return StripeError(403, "invalid_request_error", message, code=code, stored=False)


def unknown_url(method: str, path: str) -> StripeError:
    """Refuse a path that the API does not have."""
    message = (
        f"Unrecognized request URL ({method}: {path}). Please see "
        "https://stripe.com/docs or we can help at https://support.stripe.com/."
    )
    return StripeError(404, "invalid_request_error", message, stored=False)


def key_in_use(key: str) -> StripeError:
    """Refuse because a request with the same idempotency key is being executed."""
    message = (
        "There is currently another in-progress request using this Idempotent Key "
        f"(that probably means you submitted twice, and the other request is still going through): "
        f"{key}. Please try again later."
    )
    return StripeError(
        409, "idempotency_error", message, code="idempotency_key_in_use", stored=False
    )


def rate_limited() -> StripeError:
    """Refuse as one of too many requests."""
    message = "Request rate limit exceeded. Learn more at https://stripe.com/docs/rate-limits."
    return StripeError(429, "invalid_request_error", message, code="rate_limit", stored=False)


def server_error(*, stored: bool) -> StripeError:
    """Answer as if something had broken on Stripe's side."""
    message = "Sorry! There was an error while talking to one of our backends."
    return StripeError(500, "api_error", message, stored=stored)
