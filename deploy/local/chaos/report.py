"""Tells a verdict: to people as tables, to programs as JSON."""

from collections import Counter
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from deploy.local.audit import Kind
from deploy.local.chaos.verdict import Verdict

_SHOWN = 20


def show(console: Console, verdict: Verdict) -> None:
    """Show what was tried, what came of it, and every kind of finding with its count."""
    outcome, money = verdict.outcome, verdict.money
    faults = Counter(str(each.planned.kind) for each in outcome.faults.inflicted)
    tried = Table(title="what was tried", box=None, padding=(0, 2), title_justify="left")
    for what, count in verdict.ends.most_common():
        tried.add_row(f"hires ended {what}", str(count))
    tried.add_row("hires under way during a fault", str(verdict.struck))
    for what, count in faults.most_common():
        tried.add_row(f"faults: {what}", str(count))
    for what, count in outcome.weather.answers.most_common():
        tried.add_row(f"calls answered {what}", str(count))
    tried.add_row("Stripe charged, refunded", f"{_cents(money.charged)}, {_cents(money.refunded)}")
    booked = f"{_cents(money.ledger_charged)}, {_cents(money.ledger_refunded)}"
    tried.add_row("the ledger says", booked)
    tried.add_row("events in the stream", str(verdict.events))
    tried.add_row("seconds until calm", f"{outcome.seconds:.0f}")
    console.print(tried)
    found = Counter(finding.kind for finding in verdict.findings)
    table = Table(title="verdict", box=None, padding=(0, 2), title_justify="left")
    for kind in Kind:
        mark = f"[bold red]{found[kind]}[/]" if found[kind] else "[green]0[/]"
        table.add_row(str(kind).lower(), mark)
    console.print(table)
    if verdict.findings:
        _show_findings(console, verdict)
    else:
        console.print(f"[bold green]Nothing lost, nothing twice[/] (seed {outcome.plan.seed}).")


def _show_findings(console: Console, verdict: Verdict) -> None:
    def tell(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    for finding in verdict.findings[:_SHOWN]:
        tell(f"{finding.kind} {finding.hire_id} {finding.told}")
    if len(verdict.findings) > _SHOWN:
        tell(f"… and {len(verdict.findings) - _SHOWN} more")
    tell(f"\nThe first one's story, from seed {verdict.outcome.plan.seed}:")
    for step in verdict.story:
        tell(f"  {step}")
    tell("Faults near it:")
    for fault in verdict.near:
        tell(f"  {fault}")


def _cents(minor_units: int) -> str:
    return f"{minor_units / 100:.2f}"


def as_json(verdict: Verdict) -> Mapping[str, object]:
    """Give the verdict as one JSON object."""
    outcome, plan = verdict.outcome, verdict.outcome.plan
    faults = Counter((str(f.planned.kind), f.planned.target) for f in outcome.faults.inflicted)
    return {
        "ok": not verdict.findings,
        "seed": plan.seed,
        "seconds": {"planned": plan.seconds, "until_calm": round(outcome.seconds, 1)},
        "clients": dict(Counter(str(case.planned.kind) for case in outcome.cases)),
        "hires": {
            "planned": sum(case.planned.hires for case in outcome.cases),
            "ends": dict(verdict.ends),
            "under_way_during_a_fault": verdict.struck,
        },
        "faults": {
            "planned": len(plan.faults),
            "inflicted": len(outcome.faults.inflicted),
            "by_target": [
                {"kind": kind, "target": target, "times": times}
                for (kind, target), times in sorted(faults.items())
            ],
        },
        "answers": dict(outcome.weather.answers),
        "money_minor_units": {
            "stripe_charged": verdict.money.charged,
            "stripe_refunded": verdict.money.refunded,
            "ledger_charged": verdict.money.ledger_charged,
            "ledger_refunded": verdict.money.ledger_refunded,
        },
        "events": verdict.events,
        "findings": [
            {"kind": str(f.kind), "hire_id": f.hire_id, "told": f.told} for f in verdict.findings
        ],
        "first": {"steps": list(verdict.story), "faults": [str(each) for each in verdict.near]},
    }
