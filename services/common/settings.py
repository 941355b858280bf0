"""What a process is told by its environment, read once at its start."""

from enum import StrEnum
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_ISSUER = "https://hireflow.local"
_DAY = 86_400.0
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Environment(StrEnum):
    """Where the process runs."""

    LOCAL = "local"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """The settings that every process shares; each is the variable `HIREFLOW_<NAME>`.

    Durations are seconds, addresses `host:port`. A process with more to know subclasses this.

    Raises:
        ValidationError: a variable is missing or unsafe for production; it names all of them.

    """

    model_config = SettingsConfigDict(env_prefix="HIREFLOW_", frozen=True, extra="ignore")

    env: Environment = Environment.LOCAL
    database_url: SecretStr
    # Of a cluster, the servers' URLs with commas between them.
    nats_url: SecretStr
    listen: str = "127.0.0.1:0"

    jobs_address: str = ""
    proposals_address: str = ""
    contracts_address: str = ""
    messaging_address: str = ""
    hiring_address: str = ""

    auth_issuer: str = DEVELOPMENT_ISSUER
    auth_audience: str = "hireflow"
    auth_keys: str
    # Readings of the keys begin so far apart at least, whatever key ids callers make up.
    auth_keys_pause: float = Field(default=2.0, gt=0)
    auth_signing_key_file: Path | None = None

    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_authority_file: Path | None = None
    tls_by_mesh: bool = False

    otlp_endpoint: str = ""
    # Where Prometheus reads metrics, over HTTP: port 0 is a free one, empty is nowhere.
    metrics_listen: str = "127.0.0.1:0"
    metrics_interval: float = Field(default=5.0, gt=0)
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    # A folder of `services.common.stop_points`, for tests that kill.
    stop_points: Path | None = None

    # Of the streams, for whoever makes them first; of three servers each event is kept on three.
    nats_replicas: int = Field(default=1, ge=1, le=5)
    nats_duplicate_window: float = Field(default=120.0, gt=0)
    # After so long another process gets the events that one took and did not acknowledge.
    nats_ack_wait: float = Field(default=30.0, ge=1)
    # The stream gives signs of life so far apart; a consumer that missed three binds anew.
    nats_heartbeat: float = Field(default=1.0, gt=0)

    # After so long what was lost is tried for again, and health asks every dependency so often.
    retry_pause: float = Field(default=1.0, gt=0)
    check_interval: float = Field(default=1.0, gt=0)

    # How long what is done with is kept, 0 is for ever; see docs/operations.md before changing it.
    stream_retention: float = Field(default=90 * _DAY, ge=0)
    outbox_retention: float = Field(default=0, ge=0)
    request_retention: float = Field(default=90 * _DAY, ge=0)
    prune_interval: float = Field(default=600.0, gt=0)

    call_deadline: float = Field(default=10.0, gt=0)
    stream_deadline: float = Field(default=3600.0, gt=0)
    # Long enough for a load balancer to see NOT_SERVING before the port closes.
    shutdown_notice: float = Field(default=0.3, ge=0)
    shutdown_grace: float = Field(default=10.0, ge=0)
    # Where files that come with messages are kept, before a hire there alone: hosts with commas
    # between. Nobody can have a public address under the default, so unset means no such files.
    file_hosts: str = "files.hireflow.local"
    # Shorter than any caller's deadline, so that a caller who gave up does not meet his own
    # transaction committing later.
    statement_timeout: float = Field(default=4.0, gt=0)

    @property
    def nats_servers(self) -> list[str]:
        """The URL of each server of NATS."""
        return self.nats_url.get_secret_value().split(",")

    @property
    def file_stores(self) -> frozenset[str]:
        """The host of each file store, in lower case."""
        return frozenset(self.file_hosts.lower().split(","))

    @property
    def tls(self) -> tuple[Path, Path, Path] | None:
        """Certificate, key and authority files when this process itself speaks mutual TLS."""
        files = (self.tls_certificate_file, self.tls_key_file, self.tls_authority_file)
        certificate, key, authority = files
        if certificate and key and authority:
            return certificate, key, authority
        return None

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        problems = [*self._key_file_problems(), *self._production_problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _key_file_problems(self) -> list[str]:
        path = self.auth_signing_key_file
        if path is None:
            return []
        if not path.is_file():
            return [f"HIREFLOW_AUTH_SIGNING_KEY_FILE names {path}, which is not a file"]
        if path.stat().st_mode & 0o077:
            return [f"{path} can be read by others than its owner: chmod 600 it"]
        return []

    def _production_problems(self) -> list[str]:
        if self.env is not Environment.PRODUCTION:
            return []
        problems = []
        if self.auth_issuer == DEVELOPMENT_ISSUER:
            problems.append("HIREFLOW_AUTH_ISSUER is the development issuer")
        keys = urlsplit(self.auth_keys)
        if keys.scheme == "http" and keys.hostname not in _LOOPBACK:
            problems.append("HIREFLOW_AUTH_KEYS must be https or a file")
        open_servers = [url for url in self.nats_servers if urlsplit(url).scheme != "tls"]
        if open_servers and not self.tls_by_mesh:
            problems.append("HIREFLOW_NATS_URL must be tls:// unless HIREFLOW_TLS_BY_MESH")
        if self.tls is None and not self.tls_by_mesh:
            problems.append("HIREFLOW_TLS_*_FILE are needed unless HIREFLOW_TLS_BY_MESH")
        if self.stop_points is not None:
            problems.append("HIREFLOW_STOP_POINTS holds processes: it is for tests")
        return problems
