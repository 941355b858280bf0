"""What a process tells Prometheus, read as Prometheus reads it."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

# Scrapes go by plain HTTP, and loading the usual certificates costs as much as ten of them.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True)
class Scrape:
    """One answer of one process."""

    samples: Sequence[Sample]

    @property
    def names(self) -> set[str]:
        return {sample.name for sample in self.samples}

    def find(self, name: str, **labels: str) -> float | None:
        """The sum of the samples with these labels; None if there is none."""
        values = [
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(values) if values else None


async def scrape(address: str, name: str = "") -> Scrape:
    """Read a process' metrics, or only those whose lines have a name in them.

    Raises:
        ValueError: what it tells is not Prometheus' text format.

    """
    async with httpx.AsyncClient(verify=NO_CERTIFICATES, trust_env=False, timeout=30) as client:
        answer = await client.get(f"http://{address}/metrics")
    answer.raise_for_status()
    lines = (line for line in answer.text.splitlines(keepends=True) if name in line)
    return Scrape(
        [
            Sample(sample.name, dict(sample.labels), sample.value)
            for family in text_string_to_metric_families("".join(lines))
            for sample in family.samples
        ]
    )
