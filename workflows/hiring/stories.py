"""The running workflows of hires: started, steered and hinted through Temporal's client."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from services.common.errors import Conflict, HireflowError, Refused, Unavailable
from workflows.hire.contract import (
    HIRE_ID,
    HIRE_STAGE,
    JOB_ID,
    ORGANISATION_ID,
    PROPOSAL_ID,
    TASK_QUEUE,
    CancelOrder,
    HireInput,
    LateFact,
    Model,
    OperatorOrder,
    OperatorVerb,
    PaymentHint,
    PaymentRetry,
    Stage,
    TermsOffer,
    clean_up_workflow_id,
    hire_workflow_id,
    late_fact_workflow_id,
)
from workflows.hiring.domain import LateKind
from workflows.hiring.use_cases.ports import NotRunning

_CALL = timedelta(seconds=2)
_UPDATE = timedelta(seconds=6)
# Until then nobody else has taken a hire for one whose start was missed.
_PROMPT = timedelta(seconds=1)
# How long the former hire of a proposal may take to close after its last step.
_CLOSING_SECONDS = 2.0
_PAUSE_SECONDS = 0.1
_ABORTED = {"PAYMENT_IN_PROGRESS", "HIRE_ENDING", "PAYMENT_ALREADY_SUCCEEDED", "CONFLICT"}


class TemporalStories:
    """The ports `Stories` and `Hints` over Temporal."""

    def __init__(
        self, client: Client, clock: Callable[[], datetime], task_queue: str = TASK_QUEUE
    ) -> None:
        self._client = client
        self._clock = clock
        self._task_queue = task_queue

    async def start(self, hire: HireInput, *, again: bool) -> None:
        """Start a hire's workflow, once: also a run of it that is over counts as started."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _CLOSING_SECONDS
        while True:
            # A process that was held up since its commit finds that another started for it.
            late = again or self._clock() - hire.requested_at > _PROMPT
            if late and await self._has_begun(hire):
                return
            try:
                await self._start(hire)
            except WorkflowAlreadyStartedError:
                if await self._has_begun(hire):
                    return
            except RPCError as error:
                raise _silent(error) from error
            else:
                return
            if loop.time() > end:
                told = "the former hire of the proposal is still closing"
                raise Unavailable("DEPENDENCY_UNAVAILABLE", told)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def offer_terms(self, proposal_id: str, hire_id: str, offer: TermsOffer) -> None:
        """Offer other terms, once per revision."""
        key = f"offer_terms/{hire_id}/{offer.revision}"
        await self._update(proposal_id, hire_id, "offer_terms", key, offer)

    async def retry_payment(
        self, proposal_id: str, hire_id: str, key: str, retry: PaymentRetry
    ) -> None:
        """Have the payment tried again, once per key."""
        await self._update(proposal_id, hire_id, "retry_payment", f"retry_payment/{key}", retry)

    async def cancel_hire(
        self, proposal_id: str, hire_id: str, key: str, order: CancelOrder
    ) -> None:
        """Have the hire cancelled, once per key."""
        await self._update(proposal_id, hire_id, "cancel_hire", f"cancel_hire/{key}", order)

    async def give_order(
        self, proposal_id: str, hire_id: str, verb: OperatorVerb, key: str, order: OperatorOrder
    ) -> None:
        """Give an operator's order, once per key; a retry also to who ends an abandoned hire."""
        update_id = f"{verb}/{key}"
        try:
            await self._update(proposal_id, hire_id, verb.value, update_id, order)
        except NotRunning:
            if verb is not OperatorVerb.RETRY_STEP:
                raise
            clean_up = self._client.get_workflow_handle(clean_up_workflow_id(hire_id))
            await _send(clean_up, verb.value, update_id, order)

    async def hint(self, workflow_id: str, intent_id: str) -> None:
        """Signal whichever run of the workflow is running."""
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            await handle.signal("payment_hint", PaymentHint(intent_id=intent_id), rpc_timeout=_CALL)
        except RPCError as error:
            raise _failure(error) from error

    async def late_fact(self, kind: LateKind, object_id: str) -> None:
        """Start the workflow of the object, or tell the running one to look again."""
        try:
            await self._client.start_workflow(
                "LateFactWorkflow",
                LateFact(kind=kind.value, object_id=object_id),
                id=late_fact_workflow_id(object_id),
                task_queue=self._task_queue,
                start_signal="look_again",
                static_summary=f"Late fact about {object_id}",
                rpc_timeout=_CALL,
            )
        except RPCError as error:
            raise _silent(error) from error

    async def _start(self, hire: HireInput) -> None:
        await self._client.start_workflow(
            "HireWorkflow",
            hire,
            id=hire_workflow_id(hire.proposal_id),
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            search_attributes=_search_attributes(hire),
            static_summary=f"Hire of proposal {hire.proposal_id}",
            static_details=(
                f"- hire `{hire.hire_id}`\n- job `{hire.job_id}`\n"
                f"- organisation `{hire.organisation_id}`"
            ),
            priority=Priority(fairness_key=hire.organisation_id),
            rpc_timeout=_CALL,
        )

    async def _has_begun(self, hire: HireInput) -> bool:
        try:
            await self._run_of(hire.proposal_id, hire.hire_id)
        except NotRunning:
            return False
        return True

    async def _update(
        self, proposal_id: str, hire_id: str, name: str, key: str, given: Model
    ) -> None:
        # Of this hire and of no other: the proposal's former hire may still be closing.
        await _send(await self._run_of(proposal_id, hire_id), name, key, given)

    async def _run_of(self, proposal_id: str, hire_id: str) -> "WorkflowHandle[object, object]":
        workflow_id = hire_workflow_id(proposal_id)
        try:
            latest = await self._client.get_workflow_handle(workflow_id).describe(rpc_timeout=_CALL)
        except RPCError as error:
            raise _failure(error) from error
        if latest.typed_search_attributes.get(HIRE_ID) != hire_id:
            raise NotRunning(f"{workflow_id} is not the workflow of hire {hire_id}")
        return self._client.get_workflow_handle(workflow_id, run_id=latest.run_id)


async def _send(
    handle: "WorkflowHandle[object, object]", name: str, key: str, given: Model
) -> None:
    try:
        update = await handle.start_update(
            name,
            given,
            id=key,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            rpc_timeout=_UPDATE,
        )
        # A refusal is told by the result, which the workflow gives in the task that accepts.
        await update.result(rpc_timeout=_UPDATE)
    except WorkflowUpdateFailedError as error:
        raise _refusal(error) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        told = "no worker takes it now: repeat the call a little later"
        raise Unavailable("DEPENDENCY_UNAVAILABLE", told) from error
    except RPCError as error:
        raise _failure(error) from error


def _search_attributes(hire: HireInput) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(HIRE_STAGE, Stage.PROPOSAL_REVIEW.value),
            SearchAttributePair(HIRE_ID, hire.hire_id),
            SearchAttributePair(ORGANISATION_ID, hire.organisation_id),
            SearchAttributePair(JOB_ID, hire.job_id),
            SearchAttributePair(PROPOSAL_ID, hire.proposal_id),
        ]
    )


def _refusal(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if not isinstance(cause, ApplicationError) or not cause.type:
        return error
    kind: type[HireflowError] = Conflict if cause.type in _ABORTED else Refused
    return kind(cause.type, cause.message)


def _failure(error: RPCError) -> Exception:
    return NotRunning(error.message) if error.status is RPCStatusCode.NOT_FOUND else _silent(error)


def _silent(error: RPCError) -> Unavailable:
    told = f"temporal does not answer now ({error.status.name}): repeat the call a little later"
    return Unavailable("DEPENDENCY_UNAVAILABLE", told, metadata={"dependency": "temporal"})
