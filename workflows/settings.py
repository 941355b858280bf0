"""What the hiring API and the worker are told by the environment, read once at their start."""

from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from services.common.runtime import Resources
from services.common.settings import Environment, Settings
from workflows.hire.contract import HirePolicy

STRIPE_HOST = "api.stripe.com"
_LIVE_KEYS = ("sk_live_", "rk_live_")
_TEST_KEYS = ("sk_test_", "rk_test_")


class HiringSettings(Settings):
    """The settings of every process, and those of the hire; each is `HIREFLOW_<NAME>`.

    Durations are seconds; the deadlines concern hires that start from now on.

    Attributes:
        stripe_api_base: where the Stripe sandbox answers; None is Stripe itself.
        stripe_webhook_secret: signs what Stripe tells the webhook; the worker needs none.
        payment_deadline: how long an unpaid hire waits before it is undone.
        longest_payment_deadline: how far an operator may move it, from when the wait began.
        saved_method_window: how long after StartHire a saved method may still be charged.
        stage_deadline: how long a step before the payment is tried.
        payment_polls: when the payment is read where no webhook comes; the last repeats.
        sweep_interval: how often hires are looked for whose workflow was terminated or lost.
        sweep_grace: how long such a workflow must be over before its hire is undone; longer than
            a step that it left behind may still go on.
        answer_wait: how long StartHire and RetryPayment wait for something to tell.
        build_id: names the worker's build: a hire that began on one ends on it.
        promote_build: whether a starting worker makes its build the current one.

    """

    temporal_address: str
    temporal_namespace: str = "default"
    stripe_api_key: SecretStr
    stripe_api_base: str | None = None
    stripe_webhook_secret: SecretStr = SecretStr("")
    webhook_listen: str = "127.0.0.1:0"

    payment_deadline: float = Field(default=72 * 3600.0, gt=0)
    longest_payment_deadline: float = Field(default=30 * 24 * 3600.0, gt=0)
    saved_method_window: float = Field(default=15 * 60.0, gt=0)
    stage_deadline: float = Field(default=10 * 60.0, gt=0)
    payment_polls: tuple[float, ...] = Field(default=(30.0, 120.0, 600.0, 3600.0), min_length=1)
    answer_wait: float = Field(default=8.0, ge=0)
    sweep_interval: float = Field(default=300.0, gt=0)
    sweep_grace: float = Field(default=120.0, ge=0)

    build_id: str = "development"
    promote_build: bool = True

    @property
    def hire_policy(self) -> HirePolicy:
        """The deadlines that a hire is given when it starts."""
        return HirePolicy(
            payment_deadline=timedelta(seconds=self.payment_deadline),
            longest_payment_deadline=timedelta(seconds=self.longest_payment_deadline),
            saved_method_window=timedelta(seconds=self.saved_method_window),
            stage_deadline=timedelta(seconds=self.stage_deadline),
            polls=tuple(timedelta(seconds=pause) for pause in self.payment_polls),
        )

    def _production_problems(self) -> list[str]:
        key = self.stripe_api_key.get_secret_value()
        if self.env is not Environment.PRODUCTION:
            live = key.startswith(_LIVE_KEYS)
            return ["HIREFLOW_STRIPE_API_KEY charges real cards: it is for production"] * live
        problems = super()._production_problems()
        if key.startswith(_TEST_KEYS):
            problems.append("HIREFLOW_STRIPE_API_KEY is a test key")
        base = urlsplit(self.stripe_api_base or f"https://{STRIPE_HOST}")
        if (base.scheme, base.hostname) != ("https", STRIPE_HOST):
            problems.append("HIREFLOW_STRIPE_API_BASE is not Stripe's: the sandbox moves no money")
        return problems


def settings_of(resources: Resources) -> HiringSettings:
    """Give the settings of a process that was started with ours.

    Raises:
        TypeError: it was started with other settings.

    """
    if not isinstance(resources.settings, HiringSettings):
        raise TypeError("the hire's parts need HiringSettings")
    return resources.settings
