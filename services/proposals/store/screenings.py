"""Screenings: one by one, and a trainer's on a job."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.proposals.domain import Answer, Candidate, Interview, Screening, Speaker, Turn
from services.proposals.store.jobs import read_plan, written_questions
from services.proposals.store.tables import SCREENING


async def insert_screening(tx: AsyncConnection, screening: Screening) -> bool:
    """Store a new screening; False if its trainer has one on the job: the key decides."""
    candidate = screening.candidate
    stored = await tx.execute(
        insert(SCREENING)
        .values(
            screening_id=screening.screening_id,
            job_id=screening.job_id,
            organisation_id=screening.organisation_id,
            trainer_id=candidate.trainer_id,
            display_name=candidate.display_name,
            country=candidate.country,
            title=candidate.title,
            create_time=screening.create_time,
            **_changing(screening),
        )
        .on_conflict_do_nothing(index_elements=["job_id", "trainer_id"])
        .returning(SCREENING.c.screening_id)
    )
    return stored.one_or_none() is not None


async def save_screening(tx: AsyncConnection, screening: Screening) -> None:
    """Store what changes of a screening that this transaction locked."""
    at = SCREENING.c.screening_id == screening.screening_id
    await tx.execute(sa.update(SCREENING).where(at).values(_changing(screening)))


async def lock_screening(tx: AsyncConnection, screening_id: str) -> Screening | None:
    """Load a screening and hold its row until the transaction ends."""
    at = SCREENING.c.screening_id == screening_id
    return await _one(tx, sa.select(SCREENING).where(at).with_for_update())


async def lock_screening_of(tx: AsyncConnection, trainer_id: str, job_id: str) -> Screening | None:
    """Load a trainer's screening on a job and hold its row until the transaction ends."""
    return await _one(tx, _of(trainer_id, job_id).with_for_update())


async def find_screening_of(
    connection: AsyncConnection, trainer_id: str, job_id: str
) -> Screening | None:
    """Read a trainer's screening on a job."""
    return await _one(connection, _of(trainer_id, job_id))


async def find_screening(connection: AsyncConnection, screening_id: str) -> Screening | None:
    """Read one screening."""
    at = SCREENING.c.screening_id == screening_id
    return await _one(connection, sa.select(SCREENING).where(at))


def _of(trainer_id: str, job_id: str) -> sa.Select[Any]:
    return sa.select(SCREENING).where(
        SCREENING.c.job_id == job_id, SCREENING.c.trainer_id == trainer_id
    )


async def _one(connection: AsyncConnection, query: sa.Select[Any]) -> Screening | None:
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _screening(row)


def _changing(screening: Screening) -> dict[str, Any]:
    interview = screening.interview
    return {
        "plan_version": screening.plan.version,
        "plan_questions": written_questions(screening.plan),
        "answers": dict(screening.answers),
        "answers_final": screening.answers_final,
        "interview_score": interview and interview.score,
        "interview_summary": interview and interview.summary,
        "interview_transcript": interview and [asdict(turn) for turn in interview.transcript],
        "mismatch_signals": interview and list(interview.mismatch_signals),
        "interview_time": screening.interview_time,
        "complete_time": screening.complete_time,
    }


def _screening(row: sa.Row[Any]) -> Screening:
    return Screening(
        screening_id=row.screening_id,
        job_id=row.job_id,
        organisation_id=row.organisation_id,
        candidate=Candidate(row.trainer_id, row.display_name, row.country, row.title),
        plan=read_plan(row.plan_version, row.plan_questions),
        answers=read_answers(row.answers),
        answers_final=row.answers_final,
        interview=None if row.interview_time is None else _interview(row),
        interview_time=row.interview_time,
        create_time=row.create_time,
        complete_time=row.complete_time,
    )


def read_answers(written: Mapping[str, str | float]) -> dict[str, Answer]:
    """Read answers from JSON, where a number without a fraction is an integer."""
    return {
        key: value if isinstance(value, str) else float(value) for key, value in written.items()
    }


def _interview(row: sa.Row[Any]) -> Interview:
    turns = (Turn(Speaker(turn["speaker"]), turn["text"]) for turn in row.interview_transcript)
    return Interview(
        row.interview_score, row.interview_summary, tuple(turns), tuple(row.mismatch_signals)
    )
