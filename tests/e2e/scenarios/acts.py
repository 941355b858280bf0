"""What the people of the scenarios do, and what they see."""

from deploy.local.journey import Caller, Journey, new_id
from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.e2e.conftest import Hire, System

NEEDS_CLIENT = hire_pb2.HIRE_WAITING_FOR_CLIENT_CONFIRMATION
NEEDS_METHOD = hire_pb2.HIRE_WAITING_FOR_PAYMENT_METHOD
RUNNING = hire_pb2.HIRE_STATE_RUNNING
HIRED = hire_pb2.HIRE_STATE_HIRED
UNDONE = hire_pb2.HIRE_STATE_UNDONE
PENDING = contract_pb2.CONTRACT_STATE_PENDING
ACTIVE = contract_pb2.CONTRACT_STATE_ACTIVE
CANCELLED = contract_pb2.CONTRACT_STATE_CANCELLED
UNREVIEWED = proposal_pb2.REVIEW_STATE_UNREVIEWED

VISA = "pm_card_visa"
SECURE = "pm_card_authenticationRequired"
FAILING = "pm_card_chargeCustomerFail"
BANK = "pm_usBankAccount_processing"
TOTAL = 50495
"""A milestone of 450 dollars, with the fees."""


async def start(journey: Journey) -> hire_pb2.StartHireResponse:
    """Hire with the default method, at the total of a fresh quote."""
    return await journey.start(await journey.start_request())


async def start_for_client(journey: Journey) -> hire_pb2.StartHireResponse:
    """Hire; the employer will confirm in the browser."""
    return await journey.start(await journey.start_request(client_confirms=True))


async def cancel(journey: Journey, hire_id: str) -> Hire:
    """Cancel; answers once that is accepted."""
    request = hire_pb2.CancelHireRequest(
        request_id=new_id(), hire_id=hire_id, reason="changed_mind"
    )
    return (await journey.employer.call(journey.services.hiring.CancelHire, request)).hire


async def retry(journey: Journey, hire_id: str, method_id: str) -> Hire:
    """Pay again with a saved method; answers with the outcome."""
    request = hire_pb2.RetryPaymentRequest(
        request_id=new_id(), hire_id=hire_id, payment_method_id=method_id
    )
    return (await journey.employer.call(journey.services.hiring.RetryPayment, request)).hire


async def hires_of(journey: Journey) -> list[Hire]:
    """Every hire that the proposal ever had, newest first."""
    request = hire_pb2.ListHiresRequest(proposal_id=journey.proposal_id)
    listed = await journey.employer.call(journey.services.hiring.ListHires, request)
    return list(listed.hires)


async def contract_of(system: System, hire: Hire) -> contract_pb2.Contract:
    """The hire's contract, as an operator reads it."""
    request = contract_pb2.GetContractRequest(contract_id=hire.contract_id)
    operator = system.sources.operator
    return (await operator.call(system.services.contracts.GetContract, request)).contract


async def contracts_of(system: System, journey: Journey) -> list[contract_pb2.Contract]:
    """Every contract of the proposal's job, as an operator reads them."""
    request = contract_pb2.ListContractsRequest(
        organisation_id=journey.job.organisation_id, job_id=journey.job.job_id
    )
    operator = system.sources.operator
    return list((await operator.call(system.services.contracts.ListContracts, request)).contracts)


async def proposal_of(journey: Journey) -> proposal_pb2.Proposal:
    """The proposal as the employer sees it: its review state, and the hire that reserves it."""
    request = proposal_pb2.GetProposalRequest(proposal_id=journey.proposal_id)
    seen = await journey.employer.call(journey.services.proposals.GetProposal, request)
    return seen.proposal


async def job_of(journey: Journey) -> job_pb2.Job:
    """The job as the employer sees it."""
    request = job_pb2.GetJobRequest(job_id=journey.job.job_id)
    return (await journey.employer.call(journey.services.jobs.GetJob, request)).job


async def assert_free(journey: Journey) -> None:
    """The proposal is as it was before, and nobody holds a position for it."""
    proposal = await proposal_of(journey)
    assert (proposal.review_state, proposal.hire_id) == (UNREVIEWED, "")
    assert (await job_of(journey)).positions_reserved == 0


async def amend(system: System, hire: Hire, minor_units: int) -> None:
    """Write another amount into the PENDING contract, behind the hire's back."""
    service = Caller("service:test", system.stack.mint_token("service", sub="service:test"))
    fee = minor_units // 10
    await service.call(
        system.services.contracts.AmendContract,
        contract_pb2.AmendContractRequest(
            request_id=new_id(),
            contract_id=hire.contract_id,
            milestone_id=hire.milestone_id,
            milestone=contract_pb2.MilestoneTerms(
                name=hire.milestone.name,
                scope=hire.milestone.scope,
                amount=money_pb2.Money(minor_units=minor_units, currency_code="USD"),
            ),
            quote=contract_pb2.Quote(
                amount_minor_units=minor_units,
                marketplace_fee_minor_units=fee,
                contract_fee_minor_units=995,
                total_minor_units=minor_units + fee + 995,
                currency_code="USD",
            ),
        ),
    )
