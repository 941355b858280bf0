"""How each kind of server is asked whether it serves yet. Every probe raises NotReady if not."""

from collections.abc import Awaitable, Callable

from deploy.local.failure import NotReady

_PATIENCE = 2.0

Probe = Callable[[], Awaitable[None]]


def nats_serves(url: str) -> Probe:
    """Wait for JetStream to answer: the port opens before the streams are recovered."""

    async def probe() -> None:
        import nats  # noqa: PLC0415 - imported late: only a starting stack needs it
        from nats.errors import Error  # noqa: PLC0415
        from nats.js.errors import Error as StreamError  # noqa: PLC0415

        async def quietly(_: Exception) -> None:
            """Keep the client from logging what NotReady says already."""

        try:
            client = await nats.connect(
                url,
                allow_reconnect=False,
                connect_timeout=1,
                reconnect_time_wait=0,
                error_cb=quietly,
            )
        except (OSError, Error, TimeoutError) as error:
            raise NotReady(f"no connection ({error})") from error
        try:
            await client.jetstream(timeout=0.3).account_info()
        except (Error, StreamError, TimeoutError) as error:
            raise NotReady(f"JetStream does not answer ({error})") from error
        finally:
            await client.close()

    return probe


def grpc_serves(address: str) -> Probe:
    """Wait for the standard health service to say SERVING for the whole server."""

    async def probe() -> None:
        from grpc_health.v1 import health_pb2  # noqa: PLC0415 - imported late, as above

        answer = await _call(
            address,
            "/grpc.health.v1.Health/Check",
            health_pb2.HealthCheckRequest().SerializeToString(),
        )
        status = health_pb2.HealthCheckResponse.FromString(answer).status
        if status != health_pb2.HealthCheckResponse.SERVING:
            name = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
            raise NotReady(f"its health is {name}")

    return probe


def temporal_serves(address: str) -> Probe:
    """Wait for the front end to know the namespace `default`; it serves a moment before."""
    # The request's only field, written by hand: the SDK would cost 0.3 s of imports here.
    request = b"\x0a\x07default"

    async def probe() -> None:
        await _call(
            address, "/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace", request
        )

    return probe


def http_serves(url: str) -> Probe:
    """Wait for the address to answer 200."""

    async def probe() -> None:
        import ssl  # noqa: PLC0415 - imported late, as above

        import httpx  # noqa: PLC0415

        # Of plain HTTP no certificate is asked: loading the usual ones costs as much as ten probes.
        none = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx.AsyncClient(verify=none, trust_env=False, timeout=_PATIENCE) as client:
            try:
                answer = await client.get(url)
            except httpx.HTTPError as error:
                raise NotReady(f"no answer ({error})") from error
        if answer.status_code != httpx.codes.OK:
            raise NotReady(f"it answers {answer.status_code}")

    return probe


async def _call(address: str, method: str, request: bytes) -> bytes:
    import grpc  # noqa: PLC0415 - imported late, as above

    options = (
        # A channel per question, sharing nothing: a shared one waits longer after each refusal.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
    )
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
        try:
            return await call(request, timeout=_PATIENCE)
        except grpc.aio.AioRpcError as error:
            raise NotReady(f"{error.code().name}: {error.details()}") from error
