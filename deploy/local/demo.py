"""`hireflow demo`: a fresh stack, an employer's whole way to a hire, its proof, and a clean end.

The way is that of the employer's guide: publish, let candidates be screened, review, ask, hire,
work together, Done Hiring.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from textwrap import shorten
from time import monotonic

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from deploy.local import workspace
from deploy.local.audit import open_sources
from deploy.local.journey import Browser, Caller, Journey, open_services
from deploy.local.process import Child, State
from deploy.local.proof import Proof, prove
from deploy.local.stack import Stack
from deploy.local.stripe_account import api_key
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_pb2

ORGANISATION = "org-demo"
WAY_EVENTS = (
    "hireflow.proposals.v1.screening.completed",
    "hireflow.jobs.v1.job.hiring_finished",
)
INSTRUCTIONS = "# Compare two answers, and say why one is better"


class Screen:
    """Prints what happens as it happens; quiet where a script reads the result."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = monotonic()

    def title(self, text: str) -> None:
        """Begin a chapter."""
        self._console.print(f"\n[bold cyan]{text}[/]")

    def done(self, what: str, detail: str = "") -> None:
        """Tell one thing that is done, with the seconds since the start."""
        seconds = f"{monotonic() - self._began:6.2f} s"
        self._console.print(f"  [green]✓[/] [dim]{seconds}[/]  {what}  [dim]{detail}[/]")

    def failed(self, what: str) -> None:
        """Tell one thing that does not hold."""
        self._console.print(f"  [bold red]✗[/]           {what}")

    def show(self, renderable: Panel | Table) -> None:
        """Show a table or a panel."""
        self._console.print(renderable)


async def run(console: Console, data_dir: Path | None, *, as_json: bool) -> int:
    """Run the demo; 0 only if every sentence of the proof held.

    Without `data_dir` the stack lives in a temporary folder that is removed at the end. With
    `as_json` the story goes to the error stream and one JSON object, last, to the output.
    """
    screen = Screen(Console(stderr=True) if as_json else console)
    async with _folder(data_dir) as folder:
        screen.title("Starting PostgreSQL, NATS, Temporal, the Stripe sandbox and the services")
        async with Stack.open(folder, on_progress=_progress(screen)) as stack:
            screen.show(Panel(f"Temporal UI  {stack.addresses.temporal_ui}", expand=False))
            proof, stages = await _walk(screen, stack)
            screen.title("Stopping everything")
    if as_json:
        console.out(_json(proof, stages), highlight=False)
    return 0 if not proof.findings else 1


def _progress(screen: Screen) -> Callable[[Child], None]:
    def tell(child: Child) -> None:
        if child.state is State.READY:
            screen.done(f"{child.spec.name} is ready", " ".join(child.spec.addresses.values()))

    return tell


@asynccontextmanager
async def _folder(data_dir: Path | None) -> AsyncIterator[Path]:
    if data_dir is not None:
        yield data_dir
        return
    with tempfile.TemporaryDirectory(prefix="hireflow-demo-") as scratch:
        yield Path(scratch)


async def _walk(screen: Screen, stack: Stack) -> tuple[Proof, list[tuple[str, float]]]:
    browser = Browser(stack.addresses.stripe_base)
    try:
        async with open_services(stack.addresses) as services:
            journey = Journey(
                services,
                employer=_caller(stack, "employer", "user-ada", ORGANISATION),
                trainer=_caller(stack, "trainer", "trainer-jordan"),
            )
            folder_id = await _publish(screen, journey)
            interviewer = _caller(stack, "service", "service:interviewer")
            await _propose(screen, journey, interviewer)
            await _review(screen, journey, folder_id)
            method_id = await journey.save_card(browser)
            screen.done("card saved as the default", method_id)
            hire_id, stages = await _hire(screen, journey)
            await _work(screen, journey)
            screen.title("Reading it back from every service, Stripe and the event stream")
            operator = _caller(stack, "operator", "operator-demo")
            async with open_sources(stack.addresses, operator, api_key(stack.data)) as sources:
                done = job_pb2.JOB_STATE_HIRING_DONE
                proof = await prove(
                    journey, sources, stack.data, hire_id, job_state=done, also=WAY_EVENTS
                )
            _show_proof(screen, proof)
            return proof, stages
    finally:
        await browser.close()


def _caller(stack: Stack, kind: str, subject: str, organisation: str | None = None) -> Caller:
    return Caller(subject, stack.mint_token(kind=kind, sub=subject, org=organisation))


async def _publish(screen: Screen, journey: Journey) -> str:
    screen.title("An employer publishes a job")
    await journey.publish_job(plan=workspace.PLAN)
    screen.done("job published, with a screening plan", journey.job.title)
    await workspace.write_instructions(journey, INSTRUCTIONS)
    screen.done("instructions written, for trainers who are hired")
    folder_id = await workspace.put_in_folder(journey, "Spring sprint")
    screen.done("put in a folder", "Spring sprint")
    return folder_id


async def _propose(screen: Screen, journey: Journey, interviewer: Caller) -> None:
    screen.title("A trainer is screened and proposes")
    screening_id = await workspace.begin_screening(journey)
    await workspace.finish_screening(journey, interviewer, screening_id)
    screen.done("questions answered, interview recorded")
    await journey.submit_proposal()
    screen.done("proposal submitted", journey.proposal_id)


async def _review(screen: Screen, journey: Journey, folder_id: str) -> None:
    screen.title("The employer reviews the candidates")
    table = Table(title="Proposals", title_justify="left")
    for column in ("candidate", "country", "interview", "match", "rate", "status"):
        table.add_column(column)
    for row in (await workspace.list_candidates(journey)).proposals:
        state = proposal_pb2.ReviewState.Name(row.review_state).removeprefix("REVIEW_STATE_")
        table.add_row(
            row.candidate.display_name,
            row.candidate.country,
            str(row.interview_score),
            str(row.match.score),
            f"{row.rate.amount.minor_units / 100:.2f} {row.rate.amount.currency_code} an hour",
            state.lower(),
        )
    screen.show(table)
    in_folder = await workspace.folder_table(journey, folder_id, candidates=1)
    answers = Table(title="Folder screening", title_justify="left")
    for heading in ("candidate", "interview", *(column.label for column in in_folder.columns)):
        answers.add_column(heading)
    for candidate in in_folder.rows:
        numbers = [f"{cell.answer.number:g}" for cell in candidate.cells]
        name, score = candidate.candidate.display_name, str(candidate.interview_score)
        answers.add_row(name, score, *numbers)
    screen.show(answers)
    seen = await workspace.view(journey)
    interview = seen.screening.interview
    screen.done(
        "View Proposal", f"{interview.summary} Signals: {', '.join(interview.mismatch_signals)}"
    )
    thread_id = await journey.review()
    screen.done("shortlisted, and a first question asked")
    await workspace.say(journey, journey.trainer, thread_id, "Yes, on Monday.")
    told = await workspace.texts(journey, journey.employer, thread_id)
    screen.done("the proposal's messages", _quoted(told))


async def _work(screen: Screen, journey: Journey) -> None:
    screen.title("After the hire")
    instructions = await workspace.read_instructions(journey)
    screen.done("the trainer reads the instructions", instructions)
    hire = (await workspace.view(journey)).hire
    screen.done("View Proposal shows the hire and its contract", hire.contract_id)
    thread_id = await workspace.job_thread(journey)
    await workspace.say(journey, journey.trainer, thread_id, "I begin with the first batch.")
    told = await workspace.texts(journey, journey.employer, thread_id)
    screen.done("the job's messages", _quoted(told))
    job = await workspace.finish_hiring(journey)
    screen.done("Done Hiring", job_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_"))


def _quoted(texts: Sequence[str]) -> str:
    return "".join(f'\n    "{shorten(text, 68, placeholder=" …")}"' for text in texts)


async def _hire(screen: Screen, journey: Journey) -> tuple[str, list[tuple[str, float]]]:
    screen.title("Hire")
    request = await journey.start_request()
    amount, total = request.milestone.amount, request.expected_total_minor_units
    parts = f"milestone {amount.minor_units / 100:.2f} + fees = {total / 100:.2f}"
    screen.done("quoted", f"{parts} {amount.currency_code}")
    began = monotonic()
    starting = asyncio.create_task(journey.start(request))
    hire_id = await journey.live_hire()
    moments: list[tuple[str, float]] = []
    async for told in journey.watch(hire_id):
        stage = hire_pb2.HireStage.Name(told.step.stage).removeprefix("HIRE_STAGE_")
        moments.append((stage, told.step.time.ToNanoseconds() / 1e9))
        screen.done(f"{stage.replace('_', ' ').lower():20} {told.step.what}", _about(told.step))
    started = await starting
    screen.done(f"[bold]hired in {monotonic() - began:.2f} s[/]", started.hire.workflow_id)
    return hire_id, [
        (stage, round(after - before, 3)) for (_, before), (stage, after) in pairwise(moments)
    ]


def _about(step: hire_pb2.HireStep) -> str:
    return step.stripe_object_id or step.reason


def _show_proof(screen: Screen, proof: Proof) -> None:
    for sentence in proof.held:
        screen.done(sentence)
    for sentence in proof.findings:
        screen.failed(sentence)
    table = Table(title=f"{len(proof.events)} events, in order per aggregate", show_lines=False)
    for column in ("aggregate", "id", "version", "type"):
        table.add_column(column, overflow="fold")
    for event in proof.events:
        table.add_row(event.aggregate, event.aggregate_id[:8], str(event.version), event.type)
    screen.show(table)


def _json(proof: Proof, stages: list[tuple[str, float]]) -> str:
    hire, contract = proof.hire, proof.contract
    milestone = contract.milestones[0]
    return json.dumps(
        {
            "hire_id": hire.hire_id,
            "stage": hire_pb2.HireState.Name(hire.state).removeprefix("HIRE_STATE_"),
            "contract_id": contract.contract_id,
            "contract_state": contract_pb2.ContractState.Name(contract.state).removeprefix(
                "CONTRACT_STATE_"
            ),
            "milestone_id": milestone.milestone_id,
            "milestone_state": contract_pb2.MilestoneState.Name(milestone.state).removeprefix(
                "MILESTONE_STATE_"
            ),
            "payment_intent_id": hire.payment_intent_id,
            "charges": proof.charges,
            "thread_id": hire.thread_id,
            "held": proof.held,
            "findings": proof.findings,
            "events": [event.type for event in proof.events],
            "stages": [{"name": name, "seconds": seconds} for name, seconds in stages],
        }
    )
