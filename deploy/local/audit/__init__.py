"""The independent checker: says of hires what is lost, doubled, stuck or contradicts itself.

It knows the outside of the system alone: the public gRPC APIs as an operator reads them, Stripe's
lists, the event stream, and Temporal's list of runs. It imports the generated protos and nothing
of the services or workflows, so that it cannot repeat their mistakes. `reading` collects `Facts`,
`judging` compares them, and the two meet only here.
"""

import asyncio
from collections.abc import Sequence

from deploy.local.audit.facts import Facts, SeenEvent
from deploy.local.audit.findings import Finding, Kind
from deploy.local.audit.judging import CLIENT_WAITS, judge
from deploy.local.audit.reading import Sources, open_sources, read_facts
from hireflow.hiring.v1 import hire_pb2

__all__ = [
    "CATCH_UP_SECONDS",
    "CLIENT_WAITS",
    "Facts",
    "Finding",
    "Kind",
    "SeenEvent",
    "Sources",
    "audit",
    "judge",
    "open_sources",
    "read_facts",
]

CATCH_UP_SECONDS = 60.0
_PAUSE_SECONDS = 0.25


async def audit(
    sources: Sources,
    hire_ids: Sequence[str],
    *,
    waits: frozenset[hire_pb2.HireWaitingFor.ValueType] = CLIENT_WAITS,
    catch_up: float = CATCH_UP_SECONDS,
) -> list[Finding]:
    """Check hires; an empty list means that every sentence of `judging` holds of each.

    `waits` are what a hire that did not end may legitimately wait for, until its deadline.
    Events, Temporal's list and a hire's last step arrive a moment after the facts they tell, so
    hires with findings are read again until nothing is found or `catch_up` seconds are over.
    """
    deadline = asyncio.get_running_loop().time() + catch_up
    suspects = list(dict.fromkeys(hire_ids))
    while True:
        findings = judge(await read_facts(sources, suspects), waits)
        if not findings or asyncio.get_running_loop().time() > deadline:
            return findings
        found = {finding.hire_id for finding in findings}
        suspects = [hire_id for hire_id in suspects if hire_id in found]
        await asyncio.sleep(_PAUSE_SECONDS)  # for what is on its way to arrive
