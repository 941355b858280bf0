"""How a test asks for the error that a call must end with."""

from collections.abc import Awaitable

import grpc.aio
import pytest

from services.common.remote_errors import RemoteError, error_of


async def refusal(call: Awaitable[object]) -> RemoteError:
    """The error that a call must end with."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return error_of(raised.value)


async def reason(call: Awaitable[object]) -> str:
    """The reason of the error that a call must end with."""
    return (await refusal(call)).reason
