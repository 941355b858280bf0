"""The saved histories, one per path of the story, replayed against the story as it is now.

A hire ends on the build it began on, so a story that no longer replays them is no error by itself:
it must go out under a new build id, and this test is how one notices. Then save them anew:
`pytest tests/workflows/test_story.py tests/workflows/test_operators.py --save-histories`.
"""

import re
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.workflows.changed import ChangedHireWorkflow
from tests.workflows.conftest import HISTORIES
from workflows.hire.sandbox import WORKFLOW_RUNNER
from workflows.hire.workflow import HireWorkflow

STORIES = ("test_story.py", "test_operators.py")
PATHS = sorted(HISTORIES.glob("*.json"))
HAPPY = HISTORIES / "a_hire_that_meets_no_obstacle_is_six_activities_in_a_row.json"


def saved(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


def replayer(story: type[HireWorkflow]) -> Replayer:
    return Replayer(
        workflows=[story],
        data_converter=pydantic_data_converter,
        workflow_runner=WORKFLOW_RUNNER,
    )


def test_every_path_of_the_story_has_a_saved_history() -> None:
    stories = (Path(__file__).with_name(name).read_text() for name in STORIES)
    told = set(re.findall(r"^async def test_(\w+)", "".join(stories), re.MULTILINE))
    assert {path.stem.partition("[")[0] for path in PATHS} == told


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
async def test_a_saved_history_replays_on_this_build(path: Path) -> None:
    await replayer(HireWorkflow).replay_workflow(saved(path))


async def test_a_story_that_was_changed_does_not_replay_a_saved_history() -> None:
    with pytest.raises(NondeterminismError):
        await replayer(ChangedHireWorkflow).replay_workflow(saved(HAPPY))
