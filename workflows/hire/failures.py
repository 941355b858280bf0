"""What a failure tells Temporal: try again, or never."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError

from services.common.errors import Conflict, HireflowError, Unavailable
from workflows.payments.gateway import Rejected, Unknown


@contextmanager
def told() -> Iterator[None]:
    """Translate what the provider or our own rows answer; a final refusal keeps its reason."""
    try:
        yield
    except Rejected as error:
        raise ApplicationError(
            f"{error.code}: {error}", type="PAYMENT_REJECTED", non_retryable=True
        ) from error
    except Unknown as error:
        raise ApplicationError(f"not known yet: {error}", type="PAYMENT_UNKNOWN") from error
    except HireflowError as error:
        final = not isinstance(error, (Unavailable, Conflict))
        raise ApplicationError(error.message, type=error.reason, non_retryable=final) from error
