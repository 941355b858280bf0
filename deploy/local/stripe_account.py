"""The account of this stack at the Stripe sandbox: its API key and its one webhook endpoint."""

from deploy.local.data_dir import DataDir
from deploy.local.failure import StackFailure
from deploy.local.ports import HOST


def api_key(data: DataDir) -> str:
    """Give the account's secret test key, made at the first start."""
    return f"sk_test_{data.secret('stripe_account')}"


def webhook_secret(data: DataDir) -> str | None:
    """Give the webhook's signing secret; None before the endpoint exists."""
    return data.known_secrets().get("stripe_webhook_secret")


async def ensure_webhook(data: DataDir, stripe_port: int, webhook_port: int) -> None:
    """Have the sandbox deliver the events that are routed somewhere to this stack's webhook.

    The first start creates the endpoint and keeps its secret, which Stripe tells only then; later
    starts move it to the address of now. The idempotency key makes a start that was killed before
    it kept the secret get the same endpoint again.

    Raises:
        StackFailure: the sandbox refuses.

    """
    import httpx  # noqa: PLC0415 - imported late: only a starting stack needs it

    from workflows.hiring.domain import SUBSCRIBED  # noqa: PLC0415 - as above

    url = f"http://{HOST}:{webhook_port}/stripe/webhook"
    wanted = {"url": url, "enabled_events[]": SUBSCRIBED}
    known = data.known_secrets().get("stripe_webhook_id")
    async with httpx.AsyncClient(
        base_url=f"http://{HOST}:{stripe_port}",
        headers={"Authorization": f"Bearer {api_key(data)}"},
        trust_env=False,
        timeout=10,
    ) as client:
        if known is not None:
            moved = await client.post(f"/v1/webhook_endpoints/{known}", data=wanted)
            if moved.status_code == httpx.codes.OK:
                return
            if moved.status_code != httpx.codes.NOT_FOUND:
                raise StackFailure(f"The Stripe sandbox refused to move the webhook: {moved.text}")
        created = await client.post(
            "/v1/webhook_endpoints",
            data=wanted,
            headers={"Idempotency-Key": f"local-webhook:{url}"},
        )
    if created.status_code != httpx.codes.OK:
        raise StackFailure(f"The Stripe sandbox refused the webhook: {created.text}")
    endpoint = created.json()
    data.keep_secrets(stripe_webhook_id=endpoint["id"], stripe_webhook_secret=endpoint["secret"])
