"""Hires held at named instants, and processes killed right there."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Self

import grpc
import psutil
from temporalio.client import WorkflowExecutionStatus

from deploy.local.journey import Journey
from hireflow.hiring.v1 import hire_pb2
from tests.e2e.conftest import Hire, System
from tests.e2e.scenarios.acts import RUNNING, SECURE, VISA, cancel, hires_of, start
from tests.refusals import refusal
from tests.stops import Stop

AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
FIRST = "activity.reserve.before"
LAST = ("activity.complete_hire.after", "activity.release.after")
ACTIVITIES = (
    "reserve",
    "create_contract",
    "take_payment",
    "activate_contract",
    "open_thread",
    "complete_hire",
)
STEPS_BACK = (
    "settle_payment",
    "refund_payment",
    "record_refunded_charge",
    "cancel_contract",
    "release",
)
INSTANTS = [f"activity.{name}.{when}" for name in ACTIVITIES for when in ("before", "after")]
UNDOING = [f"activity.{name}.{when}" for name in STEPS_BACK for when in ("before", "after")]


@dataclass(frozen=True)
class Held:
    """A hire whose story stands still at an instant."""

    journey: Journey
    hire_id: str
    stop: Stop


class Instants:
    """Brings hires to their instants and holds them there until the block ends."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._armed = ExitStack()
        self._asked: list[asyncio.Task[hire_pb2.StartHireResponse]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._armed.close()
        for told in await asyncio.gather(*self._asked, return_exceptions=True):
            if isinstance(told, grpc.aio.AioRpcError) and told.code() in AWAY:
                continue  # a process was away meanwhile
            if isinstance(told, BaseException):
                raise told

    async def hires_at(self, points: Sequence[str]) -> list[Held]:
        """One hire at each of the points, all at once."""
        return await asyncio.gather(*(self.hire_at(point) for point in points))

    async def hire_at(self, point: str, card: str = VISA) -> Held:
        """A hire that is asked for and has come to the point."""
        journey = await self._system.proposed(card)
        first = self.arm(FIRST, journey.proposal_id)
        self._asked.append(asyncio.create_task(start(journey)))
        await first.reached()
        [hire] = await hires_of(journey)
        if point == FIRST:
            return Held(journey, hire.hire_id, first)
        stop = self.arm(point, hire.hire_id)
        first.disarm()
        await stop.reached()
        return Held(journey, hire.hire_id, stop)

    async def undoings_at(self, points: Sequence[str]) -> list[Held]:
        """One undoing at each of the points, all at once."""
        return await asyncio.gather(*(self.undoing_at(point) for point in points))

    async def undoing_at(self, point: str) -> Held:
        """A hire whose cancel was accepted and whose undoing has come to the point.

        The payment had succeeded already, except where it is the settling that is held.
        """
        if point.startswith("activity.settle_payment"):
            journey = await self._system.proposed(SECURE)
            hire_id = (await start(journey)).hire.hire_id
            stop = self.arm(point, hire_id)
            await cancel(journey, hire_id)
        else:
            held = await self.hire_at("activity.take_payment.after")
            journey, hire_id = held.journey, held.hire_id
            stop = self.arm(point, hire_id)
            await cancel(journey, hire_id)
            held.stop.disarm()
        await stop.reached()
        return Held(journey, hire_id, stop)

    async def at_commits(
        self, held: Sequence[Held], processes: Sequence[str], when: str
    ) -> list[Held]:
        """Lead hires that stand before a piece of work to its first commit, before or after it."""
        commits = [
            self.arm(f"commit.{when}", f"{process} during {each.stop.armed.name.partition('@')[0]}")
            for each, process in zip(held, processes, strict=True)
        ]
        for each in held:
            each.stop.disarm()
        await asyncio.gather(*(commit.reached() for commit in commits))
        return [replace(each, stop=commit) for each, commit in zip(held, commits, strict=True)]

    async def _is_not_final(self, held: Held) -> None:
        hire = await self._system.hire(held.journey, held.hire_id)
        run = self._system.sources.temporal.get_workflow_handle(hire.workflow_id)
        assert (await run.describe()).status is WorkflowExecutionStatus.RUNNING
        # The last step writes the end; the workflow has yet to learn of it.
        assert hire.state == RUNNING or held.stop.armed.name.startswith(LAST)

    def arm(self, point: str, part_of_key: str) -> Stop:
        """Hold whoever comes there until the block ends."""
        return self._armed.enter_context(self._system.stop_at(point, part_of_key))

    async def kill(self, victim: str, held: Sequence[Held], *, holds: bool) -> None:
        """Kill a process with -9 while the hires stand still; `holds` if it is where they stand."""
        pid = self._system.stack.process(victim).pid
        assert pid is not None
        for each in held:
            if holds:
                assert await each.stop.reached() == pid
            await self._is_not_final(each)
        await self._system.stack.kill(victim)
        assert not psutil.pid_exists(pid)


async def killed_while(
    system: System, point: str, part_of_key: str, ask: Callable[[], Awaitable[Any]]
) -> None:
    """Kill the hiring API with -9 at an instant of a call, tell the caller so, and start it."""
    with system.stop_at(point, part_of_key) as stop:
        asking = asyncio.ensure_future(ask())
        pid = await stop.reached()
        assert pid == system.stack.process("hiring").pid
        assert not asking.done()
        await system.stack.kill("hiring")
        assert not psutil.pid_exists(pid)
        assert (await refusal(asking)).code in AWAY
    await system.stack.start("hiring")


async def ended(
    system: System, held: Sequence[Held], state: hire_pb2.HireState.ValueType
) -> list[Hire]:
    """All hires in the one state, and everything of them as the checker wants it."""
    hires = await asyncio.gather(*(system.ended(each.journey, each.hire_id) for each in held))
    assert [hire.state for hire in hires] == [state] * len(hires)
    await system.audited(*(each.hire_id for each in held))
    return list(hires)
