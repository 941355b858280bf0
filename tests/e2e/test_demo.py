"""`hireflow demo` from end to end, as somebody types it."""

import asyncio
import json
import sys

from deploy.local.demo import WAY_EVENTS
from deploy.local.proof import EXPECTED_EVENTS


async def test_the_demo_walks_from_publishing_to_done_hiring_and_proves_it() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local.cli", "demo", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(110):
        out, story = await process.communicate()
    assert process.returncode == 0, story.decode()
    told = json.loads(out)
    assert told["findings"] == []
    assert {
        "hiring: the hire ended HIRED",
        "jobs: the job is HIRING_DONE",
        "events: every consumer is through, nothing given up or held",
    } <= set(told["held"])
    states = (told["stage"], told["contract_state"], told["milestone_state"], told["charges"])
    assert states == ("HIRED", "ACTIVE", "ACTIVE_FUNDED", 1)
    assert EXPECTED_EVENTS | set(WAY_EVENTS) <= set(told["events"])
    assert "milestone 450.00 + fees = 504.95 USD" in story.decode()
