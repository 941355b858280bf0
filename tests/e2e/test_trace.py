"""One trace tells a whole hire: from the gateway's call through Temporal and the event stream."""

import asyncio
import secrets

from hireflow.hiring.v1 import hire_pb2
from tests.e2e.collector import Span
from tests.e2e.conftest import System

DONE_BY = {
    ("hireflow-hiring", "/hireflow.hiring.v1.HiringService/StartHire"),
    ("hireflow-hiring", "StartWorkflow:HireWorkflow"),
    ("hireflow-worker", "RunWorkflow:HireWorkflow"),
    ("hireflow-worker", "RunActivity:reserve"),
    ("hireflow-worker", "RunActivity:take_payment"),
    ("hireflow-worker", "RunActivity:complete_hire"),
    ("hireflow-proposals", "/hireflow.proposals.v1.ProposalsService/ReserveProposal"),
    ("hireflow-jobs", "/hireflow.jobs.v1.JobsService/FillPosition"),
    ("hireflow-contracts", "/hireflow.contracts.v1.ContractsService/ActivateContract"),
    ("hireflow-messaging", "/hireflow.messaging.v1.MessagingService/OpenJobThread"),
    ("hireflow-proposals", "consume hireflow.jobs.v1.job.position_filled"),
}


async def test_a_hire_is_one_trace_through_grpc_temporal_and_the_event_stream(
    system: System,
) -> None:
    journey = await system.proposed("pm_card_visa")
    trace_id, gateway = secrets.token_hex(16), secrets.token_hex(8)
    employer = journey.employer
    started = await journey.services.hiring.StartHire(
        await journey.start_request(),
        timeout=30,
        metadata=(*employer.metadata, ("traceparent", f"00-{trace_id}-{gateway}-01")),
    )
    hire = await system.ended(journey, started.hire.hire_id)
    assert hire.state == hire_pb2.HIRE_STATE_HIRED

    def seen() -> set[tuple[str, str]]:
        return {(span.process, span.name) for span in system.collector.traces[trace_id]}

    for _ in range(600):
        if seen() >= DONE_BY and not orphans(system.collector.traces[trace_id], gateway):
            break
        await asyncio.sleep(0.1)  # between two looks at what was exported, bounded above
    assert DONE_BY - seen() == set()
    assert orphans(system.collector.traces[trace_id], gateway) == []


def orphans(spans: list[Span], root: str) -> list[Span]:
    """Spans whose parent nobody told of: a trace with one is torn."""
    known = {span.id for span in spans} | {root}
    return [span for span in spans if span.parent not in known]
