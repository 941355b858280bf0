"""A process is held at a named instant, and only there."""

import asyncio
import os
from pathlib import Path

from services.common.stop_points import StopPoints
from tests.stops import armed


async def test_a_point_that_is_armed_for_the_key_holds_until_it_is_disarmed(tmp_path: Path) -> None:
    points = StopPoints()
    points.folder = tmp_path
    with armed(tmp_path, "Charge.after", "hire-1") as stop:
        reaching = asyncio.create_task(points.reach("Charge.after", "local:hire-1:reserve"))
        assert await stop.reached() == os.getpid()
        assert not reaching.done()
        stop.disarm()
        await asyncio.wait_for(reaching, 10)


async def test_another_key_and_another_point_go_on(tmp_path: Path) -> None:
    points = StopPoints()
    points.folder = tmp_path
    with armed(tmp_path, "Charge.after", "hire-1"):
        async with asyncio.timeout(10):
            await points.reach("Charge.after", "hire-2")
            await points.reach("Charge.before", "hire-1")


async def test_a_commit_is_told_apart_by_the_work_it_belongs_to(tmp_path: Path) -> None:
    points = StopPoints()
    points.folder = tmp_path
    with armed(tmp_path, "commit.after", "jobs during Fill.before") as stop:
        async with asyncio.timeout(10):
            await points.reach("commit.after", "jobs")
            await points.reach("Fill.before", "hire-1")
            await points.reach("commit.before", "jobs")
        reaching = asyncio.create_task(points.reach("commit.after", "jobs"))
        await stop.reached()
        stop.disarm()
        await asyncio.wait_for(reaching, 10)


async def test_a_process_without_a_folder_is_never_held() -> None:
    async with asyncio.timeout(10):
        await StopPoints().reach("Charge.after", "hire-1")


async def test_who_is_held_hears_no_cancel_and_goes_on_late(tmp_path: Path) -> None:
    points = StopPoints()
    points.folder = tmp_path
    with armed(tmp_path, "Charge.before", "hire-1") as stop:
        reaching = asyncio.create_task(points.reach("Charge.before", "hire-1"))
        await stop.reached()
        reaching.cancel()
        _, still_held = await asyncio.wait([reaching], timeout=0.2)
        assert still_held
        stop.disarm()
        async with asyncio.timeout(10):
            await reaching
