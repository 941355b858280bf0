"""Running things at a given concurrency, timing each, and what the processes spent meanwhile."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

import psutil


@dataclass(frozen=True)
class Timed:
    """What a batch took: seconds of each, seconds of all, and CPU seconds by process."""

    each: Sequence[float]
    seconds: float
    cpu: Mapping[str, float]

    @property
    def rate(self) -> float:
        """How many per second."""
        return len(self.each) / self.seconds

    @property
    def p50(self) -> float:
        """The median, in milliseconds."""
        return median(self.each) * 1000

    @property
    def p99(self) -> float:
        """The 99th percentile, in milliseconds."""
        return quantiles(self.each, n=100, method="inclusive")[98] * 1000


async def timed(
    works: Sequence[Callable[[], Awaitable[None]]], in_flight: int, pids: Mapping[str, int]
) -> Timed:
    """Run every work once, at most so many at a time; `pids` are the processes to account."""
    each: list[float] = []
    waiting = iter(works)
    before = cpu_of(pids)
    began = perf_counter()

    async def worker() -> None:
        for work in waiting:
            started = perf_counter()
            await work()
            each.append(perf_counter() - started)

    await asyncio.gather(*(worker() for _ in range(in_flight)))
    seconds = perf_counter() - began
    after = cpu_of(pids)
    return Timed(each, seconds, {name: after[name] - before[name] for name in pids})


def cpu_of(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds of processes and their children so far."""
    return {name: _sum_over(pid, _cpu_seconds) for name, pid in pids.items()}


def memory_of(pids: Mapping[str, int]) -> dict[str, float]:
    """Megabytes that processes and their children have for themselves (proportional set size)."""
    return {name: _sum_over(pid, _megabytes) for name, pid in pids.items()}


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    own = times.user + times.system
    # A database's sessions end, and their parent knows what they spent; who measures has other
    # processes for children, which are accounted under their own names.
    of_ended = times.children_user + times.children_system
    return own if process.pid == os.getpid() else own + of_ended


def _megabytes(process: psutil.Process) -> float:
    return process.memory_full_info().pss / 1e6


def _sum_over(pid: int, read: Callable[[psutil.Process], float]) -> float:
    total = 0.0
    for process in _family(pid):
        with suppress(psutil.NoSuchProcess):  # a database's backend may end meanwhile
            total += read(process)
    return total


def _family(pid: int) -> list[psutil.Process]:
    leader = psutil.Process(pid)
    family = [leader]
    if pid != os.getpid():
        with suppress(psutil.NoSuchProcess):
            family += leader.children(recursive=True)
    return family
