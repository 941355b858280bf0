"""Hireflow's own processes: migrations, the four services, the hiring API and the worker."""

import os
from collections.abc import Callable, Mapping

from deploy.local import keys, postgres, stripe_account
from deploy.local.data_dir import DataDir
from deploy.local.forking import PythonProgram
from deploy.local.ports import HOST
from deploy.local.process import ProcessSpec
from deploy.local.readiness import grpc_serves

SERVICES = ("jobs", "proposals", "contracts", "messaging")
MIGRATIONS = ("migrate-services", "migrate-workflows")
LOADED = (
    *(f"services.{name}.wiring" for name in SERVICES),
    "services.registry",
    "workflows.worker",
    "deploy.local.stripe_sandbox.app",
    # What these load late, and nearly each process needs.
    "alembic.command",
    "httpcore",
    "opentelemetry.instrumentation.grpc._aio_client",
    "opentelemetry.instrumentation.grpc._aio_server",
    "uvloop",
)
"""What a fork server loads, so that these processes, and the Stripe sandbox, start at once."""
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_INHERITED_SETTINGS = ("HIREFLOW_OTLP_ENDPOINT", "HIREFLOW_LOG_FORMAT", "HIREFLOW_LOG_LEVEL")


def inherited_environment() -> dict[str, str]:
    """Give what every child takes over from the supervisor: little, and never a secret."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


class Applications:
    """Describes Hireflow's processes for one data directory and one set of ports."""

    def __init__(
        self,
        data: DataDir,
        ports: Mapping[str, int],
        overrides: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._data = data
        self._ports = ports
        self._overrides = overrides

    def specify(self) -> list[ProcessSpec]:
        """Describe all of them; each is told what it needs and no more."""
        return [
            self._migration("migrate-services", "services"),
            self._migration("migrate-workflows", "workflows"),
            *(self._service(name) for name in SERVICES),
            self._workflows(
                "hiring",
                self._hiring_environment,
                {"webhook": f"http://{self._address('webhook')}/stripe/webhook"},
            ),
            self._workflows("worker", self._worker_environment, {}),
        ]

    def environment(self, name: str) -> dict[str, str]:
        """Give the whole environment of one of these processes, as it would start now."""
        spec = next(spec for spec in self.specify() if spec.name == name)
        return dict(spec.environment())

    def _migration(self, name: str, program: str) -> ProcessSpec:
        return ProcessSpec(
            name=name,
            command=PythonProgram(program, ("migrate",)),
            environment=lambda: self._complete(name, self._stores()),
            needs=frozenset({"postgres"}),
            one_shot=True,
        )

    def _service(self, name: str) -> ProcessSpec:
        address = self._address(name)
        return ProcessSpec(
            name=name,
            command=PythonProgram("services", (name,)),
            environment=lambda: self._complete(
                name, self._stores() | self._callers(), **self._listens(name)
            ),
            needs=frozenset({"postgres", "nats", "migrate-services"}),
            addresses={"grpc": address, **self._metrics(name)},
            ready=grpc_serves(address),
        )

    def _workflows(
        self,
        name: str,
        environment: Callable[[], Mapping[str, str]],
        addresses: Mapping[str, str],
    ) -> ProcessSpec:
        address = self._address(name)
        return ProcessSpec(
            name=name,
            command=PythonProgram("workflows", (name,)),
            environment=lambda: self._complete(name, environment(), **self._listens(name)),
            needs=frozenset({"postgres", "nats", "temporal", "stripe", "migrate-workflows"}),
            addresses={"grpc": address, **addresses, **self._metrics(name)},
            ready=grpc_serves(address),
        )

    def _hiring_environment(self) -> dict[str, str]:
        own = {"WEBHOOK_LISTEN": self._address("webhook")}
        secret = stripe_account.webhook_secret(self._data)
        # Without a sandbox in this stack there is no endpoint and hence no secret.
        return (
            self._worker_environment() | own | ({"STRIPE_WEBHOOK_SECRET": secret} if secret else {})
        )

    def _worker_environment(self) -> dict[str, str]:
        return (
            self._stores()
            | self._callers()
            | {
                "TEMPORAL_ADDRESS": self._address("temporal"),
                "TEMPORAL_NAMESPACE": "default",
                "STRIPE_API_KEY": stripe_account.api_key(self._data),
                "STRIPE_API_BASE": f"http://{self._address('stripe')}",
            }
        )

    def _listens(self, name: str) -> dict[str, str]:
        return {
            "LISTEN": self._address(name),
            "METRICS_LISTEN": self._address(f"{name}_metrics"),
        }

    def _metrics(self, name: str) -> dict[str, str]:
        return {"metrics": f"http://{self._address(f'{name}_metrics')}/metrics"}

    def _stores(self) -> dict[str, str]:
        return {
            "ENV": "local",
            "DATABASE_URL": postgres.url(self._data, self._ports["postgres"]),
            "NATS_URL": f"nats://{self._address('nats')}",
            "AUTH_ISSUER": keys.ISSUER,
            "AUTH_AUDIENCE": keys.AUDIENCE,
            "AUTH_KEYS": str(keys.public_keys_file(self._data)),
        }

    def _callers(self) -> dict[str, str]:
        peers = (*SERVICES, "hiring")
        return {f"{name.upper()}_ADDRESS": self._address(name) for name in peers} | {
            "AUTH_SIGNING_KEY_FILE": str(keys.private_key_file(self._data))
        }

    def _complete(self, name: str, settings: Mapping[str, str], **more: str) -> dict[str, str]:
        prefixed = {f"HIREFLOW_{key}": value for key, value in {**settings, **more}.items()}
        passed_on = {key: os.environ[key] for key in _INHERITED_SETTINGS if key in os.environ}
        return inherited_environment() | passed_on | prefixed | dict(self._overrides.get(name, {}))

    def _address(self, name: str) -> str:
        return f"{HOST}:{self._ports[name]}"
