"""Hires held at named instants, and processes killed right there."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Self

import grpc
import psutil
from temporalio.client import WorkflowExecutionStatus

from deploy.local.journey import Journey
from hireflow.hiring.v1 import hire_pb2
from tests.e2e.conftest import Hire, System
from tests.e2e.scenarios.acts import RUNNING, SECURE, VISA, cancel, hires_of, start
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
POSITIONS = 50
"""No test hires as many."""
INSTANTS = [f"activity.{name}.{when}" for name in ACTIVITIES for when in ("before", "after")]
UNDOING = [f"activity.{name}.{when}" for name in STEPS_BACK for when in ("before", "after")]


@dataclass(frozen=True)
class Held:
    """A hire whose story stands still at an instant."""

    journey: Journey
    hire_id: str
    stop: Stop


class Instants:
    """Brings hires to their instants and holds them there until the block ends.

    All hires with one card are of one job, unless each has a job of its own: those of one job
    cannot stand in transactions that lock it.
    """

    def __init__(self, system: System, *, own_jobs: bool = False) -> None:
        self._system = system
        self._own_jobs = own_jobs
        self._first: dict[str, asyncio.Task[Journey]] = {}
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
        journey = await self._proposed(card)
        first = self.arm(FIRST, journey.proposal_id)
        self._asked.append(asyncio.create_task(start(journey)))
        await first.reached()
        [hire] = await hires_of(journey)
        if point == FIRST:
            return Held(journey, hire.hire_id, first)
        return await self.on_to(point, Held(journey, hire.hire_id, first))

    async def _proposed(self, card: str) -> Journey:
        if self._own_jobs:
            return await self._system.proposed(card)
        if card not in self._first:
            making = self._system.proposed(card, positions=POSITIONS)
            self._first[card] = asyncio.create_task(making)
            return await self._first[card]
        return await self._system.proposed_beside(await self._first[card])

    async def on_to(self, point: str, held: Held) -> Held:
        """Lead a hire from where it stands to a later point."""
        stop = self.arm(point, held.hire_id)
        held.stop.disarm()
        await stop.reached()
        return replace(held, stop=stop)

    async def all_on_to(self, points: Sequence[str], held: Sequence[Held]) -> list[Held]:
        """Lead each hire to a later point of its own, all at once."""
        return await asyncio.gather(*map(self.on_to, points, held))

    async def undoings_at(self, points: Sequence[str]) -> list[Held]:
        """One undoing at each of the points, all at once."""
        return await asyncio.gather(*(self.undoing_at(point) for point in points))

    async def undoing_at(self, point: str) -> Held:
        """A hire whose cancel was accepted and whose undoing has come to the point.

        The payment had succeeded already, except where it is the settling that is held.
        """
        if point.startswith("activity.settle_payment"):
            journey = await self._proposed(SECURE)
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
        self, held: Sequence[Held], works: Sequence[tuple[str, str]], when: str
    ) -> list[Held]:
        """Lead each hire to the first commit of a process in its work, before or after it."""
        commits = [
            self.arm(f"commit.{when}", f"{process} during {work}{_of(work, each)}")
            for (process, work), each in zip(works, held, strict=True)
        ]
        for each in held:
            each.stop.disarm()
        await asyncio.gather(*(commit.reached() for commit in commits))
        return [replace(each, stop=commit) for each, commit in zip(held, commits, strict=True)]

    async def stand(self, held: Sequence[Held]) -> None:
        """Wait until each hire stands where it is held, also if a kill made it come there anew."""
        await asyncio.gather(*(each.stop.reached() for each in held))

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
        """Kill a process with -9 while the hires stand still; `holds` if it is where they stand.

        Then they stand nowhere, until the next try of what they did comes to the same instant.
        """
        pid = self._system.stack.process(victim).pid
        assert pid is not None
        for each in held:
            if holds:
                assert await each.stop.reached() == pid
            await self._is_not_final(each)
        await self._system.stack.kill(victim)
        assert not psutil.pid_exists(pid)
        if holds:
            for each in held:
                each.stop.forget()


def _of(work: str, held: Held) -> str:
    """How the request of a hire's call begins: others repeat their calls of the same kind."""
    return "" if work.startswith("activity.") else f' request_id: "local:{held.hire_id}:'


async def ended(
    system: System, held: Sequence[Held], state: hire_pb2.HireState.ValueType
) -> list[Hire]:
    """All hires in the one state, and everything of them as the checker wants it."""
    # One after the other: while the slowest is waited for, nobody looks at the others.
    hires = [await system.ended(each.journey, each.hire_id) for each in held]
    assert [hire.state for hire in hires] == [state] * len(hires)
    await system.audited(*(each.hire_id for each in held))
    return hires
