"""The ASGI application: Stripe's API under `/v1/`, the control API under `/_sandbox/`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Route

from deploy.local.stripe_sandbox.control import Control
from deploy.local.stripe_sandbox.engine import Engine
from deploy.local.stripe_sandbox.store import Store
from deploy.local.stripe_sandbox.webhooks import Dispatcher

METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]


def build(data: Path, host: str = "127.0.0.1") -> Starlette:
    """Build the application on its data file, which is made when it is not there.

    It answers only requests addressed to `host` or localhost.
    """
    store = Store(data)
    engine = Engine(store)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        dispatching = asyncio.create_task(Dispatcher(store, engine.bell).run())
        try:
            yield
        finally:
            dispatching.cancel()
            with suppress(asyncio.CancelledError):
                await dispatching
            store.close()

    return Starlette(
        routes=[
            *Control(engine).routes(),
            Route("/{path:path}", engine.answer, methods=METHODS),
        ],
        lifespan=lifespan,
        # A web page in the developer's browser must not reach it through a name of its own.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[host, "localhost"])],
    )
