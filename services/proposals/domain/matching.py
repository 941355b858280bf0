"""How well a profile meets a job's needs, and why."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from services.proposals.domain.job import Job
from services.proposals.domain.profile import Profile


@dataclass(frozen=True, slots=True)
class Match:
    """A score of 0 to 100, and the needs behind it, such as "language:de"."""

    score: int
    met: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """An open job as a trainer finds it: how well they fit, and what already ties them."""

    job: Job
    match: Match
    invited: bool
    proposed: bool = False

    @property
    def rank(self) -> tuple[int, datetime, str]:
        """What openings are ordered by, the highest first: best match, then newest."""
        return self.match.score, self.job.publish_time, self.job.job_id


def ranked(profile: Profile, jobs: Iterable[Job], invited: Collection[str]) -> list[Opening]:
    """Order open jobs for a trainer, best match first; `invited` has ids of jobs."""
    found = (Opening(job, match(profile, job), job.job_id in invited) for job in jobs)
    return sorted(found, key=lambda opening: opening.rank, reverse=True)


def match(profile: Profile, job: Job) -> Match:
    """Compare a profile with a job's needs.

    Every language and every skill is one need; the countries together are one, met by any of them.
    Whoever knows a variety knows its language: "de-AT" meets "de", not the other way round. The
    score is the share of needs met in percent, a half rounded up; without needs it is 100.
    """
    languages, skills = _lower(profile.languages), _lower(profile.skills)
    known = languages | {language.partition("-")[0] for language in languages}
    needs = {f"language:{need}": need.lower() in known for need in job.required_languages}
    needs |= {f"skill:{need}": need.lower() in skills for need in job.required_skills}
    if job.required_countries:
        listed = "|".join(job.required_countries)
        needs[f"country:{listed}"] = profile.country in job.required_countries
    met = tuple(need for need, held in needs.items() if held)
    missing = tuple(need for need, held in needs.items() if not held)
    # round() would take 12.5 to 12 and 37.5 to 38.
    score = (200 * len(met) + len(needs)) // (2 * len(needs)) if needs else 100
    return Match(score, met, missing)


def _lower(values: tuple[str, ...]) -> set[str]:
    return {value.lower() for value in values}
