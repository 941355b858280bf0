"""The verdict on a run: the independent checker's findings, and promises made to clients."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deploy.local.audit import (
    CATCH_UP_SECONDS,
    Facts,
    Finding,
    Kind,
    Sources,
    audit,
    read_facts,
)
from deploy.local.chaos.clients import Case, how_it_stands
from deploy.local.chaos.faults import Inflicted
from deploy.local.chaos.promises import promises_broken
from deploy.local.chaos.storm import Outcome
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2

# How long before and after a hire's life a fault still counts as near to it.
_NEAR = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Money:
    """What Stripe and the ledger have of all hires together, in minor units."""

    charged: int
    refunded: int
    ledger_charged: int
    ledger_refunded: int


@dataclass(frozen=True)
class Verdict:
    """What was found, and what there was to find it in.

    Attributes:
        ends: how the hires ended, counted.
        struck: how many hires were under way while a fault was.
        story: the steps of the first finding's hire.
        near: the faults during its life.

    """

    outcome: Outcome
    findings: Sequence[Finding]
    ends: Counter[str]
    struck: int
    money: Money
    events: int
    story: Sequence[str]
    near: Sequence[Inflicted]


async def reach_verdict(
    sources: Sources, outcome: Outcome, catch_up: float = CATCH_UP_SECONDS
) -> Verdict:
    """Check every hire that any client of the run may have begun, told of it or not.

    `catch_up` is how many seconds what is on its way has to arrive.
    """
    hire_ids = await _hires_of(sources, outcome.cases)
    # Everybody had all the time they may take: nobody is waited for any more.
    findings = await audit(sources, hire_ids, waits=frozenset(), catch_up=catch_up)
    facts = await read_facts(sources, hire_ids)
    findings += _of_processes(outcome)
    findings += promises_broken(outcome.cases, facts, outcome.payment_deadline)
    story: list[str] = []
    near: list[Inflicted] = []
    if findings:
        hire = facts.hires.get(findings[0].hire_id)
        if hire is not None:
            story = await _story(sources, hire)
            near = _near(hire, outcome.faults.inflicted, _NEAR)
    return Verdict(
        outcome=outcome,
        findings=findings,
        ends=Counter(how_it_stands(hire) for hire in facts.hires.values()),
        struck=sum(
            bool(_near(hire, outcome.faults.inflicted, timedelta(0)))
            for hire in facts.hires.values()
        ),
        money=_money(facts),
        events=sum(map(len, facts.events.values())),
        story=story,
        near=near,
    )


async def _hires_of(sources: Sources, cases: Sequence[Case]) -> list[str]:
    """List the hires of every proposal, and those that a client was told of."""
    found = [hire_id for case in cases for hire_id in case.allowed]
    for case in cases:
        for proposal_id in case.proposals:
            request = hire_pb2.ListHiresRequest(
                organisation_id=case.organisation_id, proposal_id=proposal_id
            )
            listed = await sources.operator.call(sources.services.hiring.ListHires, request)
            found += [hire.hire_id for hire in listed.hires]
    return list(dict.fromkeys(found))


def _of_processes(outcome: Outcome) -> Iterator[Finding]:
    for failure in outcome.faults.failures:
        yield Finding(Kind.PROCESS, "", failure)
    for defect, times in outcome.weather.defects.items():
        yield Finding(Kind.PROCESS, "", f"{times} calls were answered INTERNAL: {defect}")


def _money(facts: Facts) -> Money:
    balances: Counter[int] = Counter()
    for entries in facts.ledgers.values():
        for entry in entries:
            for posting in entry.postings:
                balances[posting.account] += posting.amount_minor_units
    workflows = {hire.workflow_id for hire in facts.hires.values()}
    charges = [c for name in workflows for c in facts.charges.get(name, ())]
    return Money(
        charged=sum(charge.amount for charge in charges),
        refunded=sum(charge.refunded for charge in charges),
        ledger_charged=balances[contract_pb2.LEDGER_ACCOUNT_CHARGED],
        ledger_refunded=-balances[contract_pb2.LEDGER_ACCOUNT_REFUNDED],
    )


async def _story(sources: Sources, hire: hire_pb2.Hire) -> list[str]:
    """Tell a hire's steps; of one that still runs, those that are told within a moment."""
    told: list[str] = []
    stream = sources.services.hiring.WatchHire(
        hire_pb2.WatchHireRequest(hire_id=hire.hire_id),
        timeout=30,
        metadata=sources.operator.metadata,
    )
    try:
        async with asyncio.timeout(None if hire.HasField("end_time") else 3):
            async for each in stream:
                step = each.step
                about = " ".join(filter(None, (step.reason, step.stripe_object_id)))
                at = step.time.ToDatetime(UTC)
                told.append(f"{at:%H:%M:%S.%f}"[:-3] + f" {step.number:3} {step.what} {about}")
    except TimeoutError:
        stream.cancel()
    return told


def _near(
    hire: hire_pb2.Hire, inflicted: Sequence[Inflicted], margin: timedelta
) -> list[Inflicted]:
    """Give the faults during a hire's life, and those so near to it, in their order."""
    began = hire.create_time.ToDatetime(UTC) - margin
    last = hire.end_time.ToDatetime(UTC) if hire.HasField("end_time") else datetime.now(UTC)
    near = [each for each in inflicted if each.ended >= began and each.began <= last + margin]
    return sorted(near, key=lambda each: each.began)
