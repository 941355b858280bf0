"""What hiring asks of proposals, jobs and contracts, over gRPC under its own identity."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio

from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2, contract_pb2_grpc
from hireflow.jobs.v1 import job_pb2, job_pb2_grpc
from hireflow.proposals.v1 import proposal_pb2, proposal_pb2_grpc
from services.common.errors import InvalidInput, Unavailable, Violation
from services.common.remote_errors import error_of
from workflows.hiring.domain import JobFacts, ProposalFacts, Totals

Answer = TypeVar("Answer")

_DEADLINE_SECONDS = 3.0
_LATER = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
}


class GrpcNeighbours:
    """The port `Neighbours` over the services' stubs."""

    def __init__(
        self,
        proposals: "proposal_pb2_grpc.ProposalsServiceAsyncStub",
        jobs: "job_pb2_grpc.JobsServiceAsyncStub",
        contracts: "contract_pb2_grpc.ContractsServiceAsyncStub",
    ) -> None:
        self._proposals = proposals
        self._jobs = jobs
        self._contracts = contracts

    async def proposal(self, proposal_id: str) -> ProposalFacts | None:
        """Read a proposal; None if there is none."""
        request = proposal_pb2.GetProposalRequest(proposal_id=proposal_id)
        answer = await _ask("proposals", self._proposals.GetProposal, request)
        if answer is None:
            return None
        found = answer.proposal
        return ProposalFacts(
            proposal_id=found.proposal_id,
            job_id=found.job_id,
            organisation_id=found.organisation_id,
            trainer_id=found.candidate.trainer_id,
            withdrawn=found.withdrawn,
            declined=found.review_state == proposal_pb2.REVIEW_STATE_DECLINED,
            hired=found.review_state == proposal_pb2.REVIEW_STATE_HIRED,
            hire_id=found.hire_id,
        )

    async def job(self, job_id: str) -> JobFacts | None:
        """Read a job; None if there is none."""
        answer = await _ask("jobs", self._jobs.GetJob, job_pb2.GetJobRequest(job_id=job_id))
        if answer is None:
            return None
        found = answer.job
        return JobFacts(
            job_id=found.job_id,
            open=found.state == job_pb2.JOB_STATE_PUBLISHED,
            free_positions=found.positions - found.positions_filled - found.positions_reserved,
        )

    async def quote(self, amount: int, currency: str) -> Totals:
        """Ask what a first milestone costs."""
        money = money_pb2.Money(minor_units=amount, currency_code=currency)
        request = contract_pb2.QuoteMilestoneRequest(amount=money)
        answer = await _ask("contracts", self._contracts.QuoteMilestone, request)
        if answer is None:
            raise LookupError("contracts know no fees of a first milestone")
        quote = answer.quote
        return Totals(
            amount=quote.amount_minor_units,
            marketplace_fee=quote.marketplace_fee_minor_units,
            contract_fee=quote.contract_fee_minor_units,
            currency=quote.currency_code,
        )


async def _ask(
    name: str,
    method: Callable[..., Awaitable[Answer]],
    request: Any,  # noqa: ANN401 - the method's own request message
) -> Answer | None:
    try:
        return await method(request, timeout=_DEADLINE_SECONDS)
    except grpc.aio.AioRpcError as error:
        told = error_of(error)
        if told.code is grpc.StatusCode.NOT_FOUND:
            return None
        if told.code is grpc.StatusCode.INVALID_ARGUMENT and told.violations:
            # The neighbour's amount is the milestone's in our own requests.
            wrong = [
                Violation(f"milestone.{each.field}", each.description) for each in told.violations
            ]
            raise InvalidInput(wrong) from error
        if told.code in _LATER:
            message = f"{name} does not answer now: repeat the call a little later"
            metadata = {"dependency": name}
            raise Unavailable("DEPENDENCY_UNAVAILABLE", message, metadata=metadata) from error
        raise
