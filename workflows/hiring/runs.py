"""Whether a hire's workflow runs, asked of Temporal itself: visibility may lag behind."""

from datetime import datetime, timedelta

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
)
from temporalio.service import RPCError, RPCStatusCode

from services.common.errors import Unavailable
from workflows.hire.contract import (
    HIRE_ID,
    HIRE_STAGE,
    JOB_ID,
    ORGANISATION_ID,
    PROPOSAL_ID,
    TASK_QUEUE,
    CleanUpInput,
    Stage,
    clean_up_workflow_id,
    hire_workflow_id,
)
from workflows.hiring.domain import Hire
from workflows.hiring.use_cases.abandoned import Forgotten

_CALL = timedelta(seconds=5)
_RUNNING = {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW}


class TemporalRuns:
    """The port `Runs` over Temporal."""

    def __init__(self, client: Client, task_queue: str = TASK_QUEUE) -> None:
        self._client = client
        self._task_queue = task_queue

    async def over(self, hire: Hire, before: datetime) -> int | None:
        """Ask for the hire's last run and its last clean-up.

        Each step takes several events of a history, so the histories' lengths are a bound.
        """
        own = await self._last_run(hire_workflow_id(hire.proposal_id))
        if own is None or own.typed_search_attributes.get(HIRE_ID) != hire.hire_id:
            raise Forgotten(hire.hire_id)
        steps = 0
        for run in (own, await self._last_run(clean_up_workflow_id(hire.hire_id))):
            if run is None:
                continue
            if run.status in _RUNNING or run.close_time is None or run.close_time > before:
                return None
            steps += run.history_length
        return steps

    async def clean_up(self, given: CleanUpInput) -> None:
        """Start the clean-up; one that runs is left alone."""
        try:
            await self._client.start_workflow(
                "CleanUpWorkflow",
                given,
                id=clean_up_workflow_id(given.hire_id),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(HIRE_STAGE, Stage.UNDOING.value),
                        SearchAttributePair(HIRE_ID, given.hire_id),
                        SearchAttributePair(ORGANISATION_ID, given.organisation_id),
                        SearchAttributePair(JOB_ID, given.job_id),
                        SearchAttributePair(PROPOSAL_ID, given.proposal_id),
                    ]
                ),
                static_summary=f"Clean-up of hire {given.hire_id}",
                static_details=f"Its run `{hire_workflow_id(given.proposal_id)}` is over.",
                priority=Priority(fairness_key=given.organisation_id),
                rpc_timeout=_CALL,
            )
        except RPCError as error:
            raise _silent(error) from error

    async def _last_run(self, workflow_id: str) -> WorkflowExecutionDescription | None:
        try:
            return await self._client.get_workflow_handle(workflow_id).describe(rpc_timeout=_CALL)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise _silent(error) from error


def _silent(error: RPCError) -> Unavailable:
    told = f"temporal does not answer now ({error.status.name})"
    return Unavailable("DEPENDENCY_UNAVAILABLE", told, metadata={"dependency": "temporal"})
