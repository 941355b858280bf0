"""The sweep: a schedule that looks for hires which nobody works on any more.

An operator sees it in the UI under `sweep`, with every run and what it found, and may trigger or
pause it there.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import RetryPolicy

from workflows.hire.contract import SWEEP, TASK_QUEUE, Swept
from workflows.hire.steps import SILENCE

SCHEDULE_ID = "sweep"
_LONGEST = timedelta(minutes=10)


@workflow.defn(name="SweepWorkflow")
class SweepWorkflow:
    """One look at every running hire."""

    @workflow.run
    async def run(self) -> Swept:
        """Start the clean-up of every abandoned hire; a failed look is left to the next."""
        swept: Swept = await workflow.execute_activity(
            SWEEP,
            result_type=Swept,
            start_to_close_timeout=_LONGEST,
            heartbeat_timeout=SILENCE,
            retry_policy=RetryPolicy(maximum_attempts=3),
            summary="Look for hires whose workflow is over and whose row is not",
        )
        return swept


async def ensure_schedule(client: Client, every: timedelta) -> None:
    """Create the schedule, or give it this interval; a pause by an operator stays."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            "SweepWorkflow", id="sweep", task_queue=TASK_QUEUE, static_summary="Sweep"
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )

    def change(known: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = known.description.schedule.state
        return ScheduleUpdate(schedule=schedule)

    try:
        await client.create_schedule(SCHEDULE_ID, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(SCHEDULE_ID).update(change)
