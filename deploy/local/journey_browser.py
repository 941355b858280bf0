"""What the employer's browser does at Stripe, past our services."""

import httpx

from deploy.local.journey_calls import CALL_SECONDS


class Browser:
    """What Stripe.js sends from the employer's browser: a publishable key and client secrets."""

    def __init__(self, stripe_base: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=stripe_base,
            headers={"Authorization": "Bearer pk_test_hireflow"},
            timeout=CALL_SECONDS,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def confirm_setup(self, setup_id: str, client_secret: str, card: str) -> str:
        """Confirm a setup intent with a card, at the bank too if asked; answer with the method."""
        answer = await self._http.post(
            f"/v1/setup_intents/{setup_id}/confirm",
            data={"client_secret": client_secret, "payment_method": card},
        )
        confirmed = answer.raise_for_status().json()
        if confirmed["status"] == "requires_action":
            window = f"/_sandbox/setup_intents/{setup_id}/authenticate"
            (await self._http.post(window, json={"outcome": "success"})).raise_for_status()
        return str(confirmed["payment_method"])

    async def confirm_payment(self, client_secret: str, card: str | None = None) -> str:
        """Confirm a payment intent, with a card entered now if given; answer with its status."""
        intent_id = client_secret.split("_secret_", maxsplit=1)[0]
        data = {"client_secret": client_secret, **({"payment_method": card} if card else {})}
        answer = await self._http.post(f"/v1/payment_intents/{intent_id}/confirm", data=data)
        return str(answer.json().get("status", answer.status_code))

    async def authenticate(self, client_secret: str, outcome: str = "success") -> None:
        """Finish 3-D Secure in the bank's window."""
        intent_id = client_secret.split("_secret_", maxsplit=1)[0]
        answer = await self._http.post(
            f"/_sandbox/payment_intents/{intent_id}/authenticate", json={"outcome": outcome}
        )
        answer.raise_for_status()
