"""Does to a stack what the plan says, and in the end makes all of it well again."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from deploy.local.chaos.lines import Line
from deploy.local.chaos.plan import FaultKind, PlannedFault
from deploy.local.failure import StackFailure
from deploy.local.process import State
from deploy.local.stack import PROCESSES, Stack

_CONTROL_SECONDS = 60.0
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Inflicted:
    """A fault that happened, from when to when."""

    planned: PlannedFault
    began: datetime
    ended: datetime
    outcome: str

    def __str__(self) -> str:
        """Tell it in a line."""
        return f"{self.began:%H:%M:%S.%f}"[:-3] + f" {self.planned}{self.outcome}"


class Faults:
    """Inflicts faults; `tell` hears of each when it begins.

    Attributes:
        inflicted: what happened, in the order in which it was over.
        failures: processes that ended untold or did not come back.

    """

    def __init__(
        self,
        stack: Stack,
        lines: Mapping[str, Line],
        sandbox: httpx.AsyncClient,
        tell: Callable[[PlannedFault], None],
    ) -> None:
        self.inflicted: list[Inflicted] = []
        self.failures: list[str] = []
        self._stack = stack
        self._lines = lines
        self._sandbox = sandbox
        self._tell = tell
        # A process is killed or paused by one fault at a time; the next waits for its turn.
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def inflict(self, planned: Sequence[PlannedFault], began: float) -> None:
        """Inflict every fault at its time, counted from the monotonic time `began`."""
        async with asyncio.TaskGroup() as all_of_them:
            for fault in planned:
                all_of_them.create_task(self._inflict_in_time(fault, began))

    async def end(self) -> None:
        """Have every process run and no fault left; whoever ended untold is noted and started.

        Raises:
            StackFailure: a process does not come up.

        """
        for name in PROCESSES:
            process = self._stack.process(name)
            if process.state is State.PAUSED:
                await self._stack.resume(name)
            elif process.pid is None:
                self.failures.append(f"{name} did not run any more, state {process.state}")
                await self._stack.start(name)
        for verb, path in (
            ("DELETE", "/_sandbox/faults"),
            ("DELETE", "/_sandbox/webhooks/faults"),
            ("POST", "/_sandbox/holds/release"),
            ("POST", "/_sandbox/webhooks/release"),
        ):
            await self._control(verb, path)

    async def _inflict_in_time(self, fault: PlannedFault, began: float) -> None:
        await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
        acts = {
            FaultKind.KILL: self._kill,
            FaultKind.PAUSE: self._pause,
            FaultKind.CUT: self._cut,
            FaultKind.STRIPE: self._misbehave,
            FaultKind.WEBHOOK: self._lose_webhooks,
        }
        mortal = fault.kind in {FaultKind.KILL, FaultKind.PAUSE}
        async with self._turns[fault.target if mortal else f"fault {fault.number}"]:
            start = datetime.now(UTC)
            self._tell(fault)
            try:
                outcome = await acts[fault.kind](fault)
            except StackFailure as failure:
                outcome = ", and it did not come back"
                self.failures.append(f"{fault}: {failure}")
            self.inflicted.append(Inflicted(fault, start, datetime.now(UTC), outcome))

    async def _kill(self, fault: PlannedFault) -> str:
        victim = self._stack.process(fault.target).pid
        await self._stack.kill(fault.target)
        if self._stack.process(fault.target).pid is not None:
            raise StackFailure(f"process {victim} of {fault.target} outlived SIGKILL.")
        await asyncio.sleep(fault.seconds)
        await self._stack.start(fault.target)
        return f", process {victim}"

    async def _pause(self, fault: PlannedFault) -> str:
        await self._stack.pause(fault.target)
        await asyncio.sleep(fault.seconds)
        await self._stack.resume(fault.target)
        return ""

    async def _cut(self, fault: PlannedFault) -> str:
        return f", {self._lines[fault.target].cut()} connections"

    async def _misbehave(self, fault: PlannedFault) -> str:
        await self._control("POST", "/_sandbox/faults", fault.rule)
        if fault.target == "commit_then_hang":
            await asyncio.sleep(fault.seconds)
            await self._control("POST", "/_sandbox/holds/release")
        return ""

    async def _lose_webhooks(self, fault: PlannedFault) -> str:
        await self._control("POST", "/_sandbox/webhooks/faults", fault.rule)
        if fault.target == "hold":
            await asyncio.sleep(fault.seconds)
            await self._control("POST", "/_sandbox/webhooks/release")
        return ""

    async def _control(
        self, verb: str, path: str, body: Mapping[str, object] | None = None
    ) -> None:
        """Tell the sandbox something, again while it is down."""
        deadline = time.monotonic() + _CONTROL_SECONDS
        while True:
            try:
                answer = await self._sandbox.request(verb, path, json=body)
            except httpx.HTTPError as error:
                if time.monotonic() > deadline:
                    raise StackFailure(f"The Stripe sandbox does not answer: {error!r}.") from error
                await asyncio.sleep(_PAUSE_SECONDS)  # until it is back
            else:
                answer.raise_for_status()
                return
