"""`python -m deploy.local.stripe_sandbox --listen 127.0.0.1:12111 --data stripe.sqlite`."""

import ipaddress
import logging
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from deploy.local.stripe_sandbox.app import build
from deploy.local.stripe_sandbox.connections import CuttableProtocol

GRACE_SECONDS = 1
# Long: a connection that is closed just as a request arrives is a fault that no test asked for.
KEEP_ALIVE_SECONDS = 300


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    try:
        loopback = host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        message = f"{listen}: the sandbox listens on a loopback address only, as 127.0.0.1:12111"
        raise typer.BadParameter(message)
    if not port.isdigit() or int(port) > 65535:
        message = f"{listen}: the port is missing, as in 127.0.0.1:12111"
        raise typer.BadParameter(message)
    return host, int(port)


def serve(
    listen: Annotated[str, typer.Option(help="Loopback address and port, e.g. 127.0.0.1:12111.")],
    data: Annotated[
        Path, typer.Option(help="SQLite file with all state; made when it does not exist.")
    ],
    log_level: Annotated[str, typer.Option(help="critical, error, warning, info or debug.")] = (
        "warning"
    ),
) -> None:
    """Run a Stripe sandbox on this machine.

    It speaks Stripe's API under /v1/ to any sk_test_ key (live keys are refused), delivers signed
    webhooks, and lets tests steer clock, faults, 3-D Secure, disputes and more under /_sandbox/.
    It is ready once GET /_sandbox/health answers 200. All state is in the data file and survives
    a kill -9.
    """
    host, port = _address(listen)
    data.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=log_level.upper())
    uvicorn.run(
        build(data, host),
        host=host,
        port=port,
        http=CuttableProtocol,
        ws="none",
        access_log=False,
        log_level=log_level.lower(),
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


if __name__ == "__main__":
    typer.run(serve)
