"""Draws the whole plan from a number: the same number draws the same data."""

import random
from collections.abc import Sequence
from itertools import count

from deploy.local.seed.candidates import (
    CASES,
    PLAIN,
    Case,
    draw_proposal,
    draw_screening,
    draw_trainer,
    fakers,
    is_open,
)
from deploy.local.seed.plan import Plan, PlannedProposal, PlannedScreening, Progress
from deploy.local.seed.postings import MOST_HIRES, draw_job, organisations
from deploy.local.seed.texts import LANGUAGES
from hireflow.jobs.v1 import job_pb2


def draw(jobs: int, proposals: int, seed: int) -> Plan:
    """Draw so many jobs and proposals; at most `MOST_HIRES` of the proposals see a hire begin.

    Where there is room, each state of each thing comes once before anything is left to chance.
    """
    drawn = random.Random(seed)  # noqa: S311 - repeatable, not secret
    names = fakers(drawn)
    planned = [draw_job(drawn, number) for number in range(jobs)]
    # Twice as many pairs of a job and a trainer as proposals: each trainer proposes to half.
    many = max(len(LANGUAGES), 2 * proposals // sum(map(is_open, planned)) + 2)
    plan = Plan(
        organisations=organisations(jobs),
        jobs=planned,
        trainers=[draw_trainer(drawn, names, number) for number in range(many)],
        screenings=[],
        proposals=[],
    )
    pairs, hires = _Pairs(drawn, many), 0
    for number in range(proposals):
        case = CASES[number] if number < len(CASES) else drawn.choice(CASES)
        wanted = PLAIN if case.ending and hires == MOST_HIRES else case
        proposal = _proposal(drawn, plan, pairs, wanted, number)
        plan.proposals.append(proposal)
        hires += proposal.ending is not None
    plan.screenings.extend(_screenings(drawn, plan, pairs, proposals))
    return plan


class _Pairs:
    """Gives each pair of a job and a trainer once; every trainer has a turn before any other's."""

    def __init__(self, drawn: random.Random, trainers: int) -> None:
        self._drawn = drawn
        self._trainers = trainers
        self._turn = 0
        self._taken: set[tuple[int, int]] = set()

    def take(self, jobs: Sequence[int]) -> tuple[int, int] | None:
        """Take a pair with one of the jobs, or tell that all of them are taken."""
        shuffled = self._drawn.sample(jobs, len(jobs))
        for step in range(self._trainers):
            trainer = (self._turn + step) % self._trainers
            for job in shuffled:
                if (job, trainer) not in self._taken:
                    self._taken.add((job, trainer))
                    self._turn = trainer + 1
                    return job, trainer
        return None


def _proposal(
    drawn: random.Random, plan: Plan, pairs: _Pairs, case: Case, number: int
) -> PlannedProposal:
    pair = pairs.take([place for place, job in enumerate(plan.jobs) if case.fits(job)])
    if pair is None:
        case = PLAIN
        pair = pairs.take([place for place, job in enumerate(plan.jobs) if is_open(job)])
    if pair is None:
        raise AssertionError("there are twice as many pairs as proposals")
    return draw_proposal(drawn, plan.jobs[pair[0]], pair, case, number)


def _screenings(
    drawn: random.Random, plan: Plan, pairs: _Pairs, proposals: int
) -> list[PlannedScreening]:
    """Draw a complete one before each proposal where the job asks for it, then some of nobody's."""
    numbers = count()
    asking = [
        place for place, job in enumerate(plan.jobs) if job.posting.HasField("screening_plan")
    ]
    before = [
        draw_screening(
            drawn,
            plan.jobs[each.job],
            (each.job, each.trainer),
            Progress.COMPLETE,
            next(numbers),
        )
        for each in plan.proposals
        if each.job in asking
    ]
    published = [place for place in asking if plan.jobs[place].state == job_pb2.JOB_STATE_PUBLISHED]
    alone = []
    for progress in (*Progress, *drawn.choices(list(Progress), k=proposals // 20)):
        pair = pairs.take(published)
        if pair is not None:
            job = plan.jobs[pair[0]]
            alone.append(draw_screening(drawn, job, pair, progress, next(numbers)))
    return before + alone
