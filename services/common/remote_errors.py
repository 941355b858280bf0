"""The error that a call to a neighbour ended with, read for its caller.

It loads nothing of what serving needs, so that command lines start quickly.
"""

from dataclasses import dataclass

import grpc
import grpc.aio
from google.rpc import (
    error_details_pb2,
    status_pb2,
)

from services.common.errors import DOMAIN, Violation


@dataclass(frozen=True, slots=True)
class RemoteError:
    """What a neighbour's error says. `reason` is empty if it is none of Hireflow's."""

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: dict[str, str]
    violations: tuple[Violation, ...]


def error_of(error: grpc.aio.AioRpcError) -> RemoteError:
    """Read an error's rich details."""
    status = status_pb2.Status()
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            status.MergeFromString(value)
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(bad_request.DESCRIPTOR):
            detail.Unpack(bad_request)
    ours = info.domain == DOMAIN
    return RemoteError(
        code=error.code(),
        reason=info.reason if ours else "",
        message=error.details() or "",
        metadata=dict(info.metadata) if ours else {},
        violations=tuple(
            Violation(each.field, each.description) for each in bad_request.field_violations
        ),
    )
