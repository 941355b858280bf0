"""A folder of two jobs, its candidates, and its table as it is read."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from deploy.local.journey import Caller
from hireflow.proposals.v1 import folder_screening_pb2 as pb
from hireflow.proposals.v1 import screening_pb2
from services.common.auth import Kind, Principal
from services.proposals.domain import Job, Question, ScreeningPlan
from services.proposals.use_cases.access import INTERVIEWER_ID
from services.proposals.use_cases.known_jobs import learn_folder
from tests.integration.proposals.world import World, new_id

YEARS = Question("years", "Years of work", "", required=True, type="NUMBER")
TOOL = Question("tool", "Best tool", "", required=False, type="SINGLE_SELECT", options=("A", "B"))
LINE = Question("line", "In one line", "", required=False, type="LONG_TEXT")
WORK = Question("line", "A sample", "", required=False, type="URL")
Answer = screening_pb2.ScreeningAnswer
NUMBER = pb.AnswerColumn(key="years", kind=pb.ANSWER_KIND_NUMBER)
OPTION = pb.AnswerColumn(key="tool", kind=pb.ANSWER_KIND_OPTION)
TEXT = pb.AnswerColumn(key="line", kind=pb.ANSWER_KIND_TEXT)
ADDRESS = pb.AnswerColumn(key="line", kind=pb.ANSWER_KIND_URL)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with two jobs whose plans share a field and differ in another."""

    world: World
    folder_id: str
    first: Job
    second: Job
    employer: Caller

    async def screened(self, job: Job, score: int, *answers: Answer) -> Caller:
        """A new candidate who completed screening on a job."""
        stub, trainer = self.world.workspace.services.screening, await self.world.trainer()
        begin = screening_pb2.StartScreeningRequest(request_id=new_id("r"), job_id=job.job_id)
        screening_id = (await trainer.call(stub.StartScreening, begin)).screening.screening_id
        answer = screening_pb2.AnswerScreeningRequest(
            request_id=new_id("r"), screening_id=screening_id, answers=answers, final=True
        )
        await trainer.call(stub.AnswerScreening, answer)
        record = screening_pb2.RecordInterviewRequest(
            request_id=new_id("r"),
            screening_id=screening_id,
            interview=screening_pb2.Interview(score=score),
        )
        interviewer = self.world.workspace.known(Principal(Kind.SERVICE, INTERVIEWER_ID))
        assert (await interviewer.call(stub.RecordInterview, record)).complete
        return trainer

    async def filled(self, job: Job, count: int) -> None:
        """Many complete screenings, written by one statement."""
        fill = sa.text(
            "INSERT INTO proposals.screening (screening_id, job_id, organisation_id, trainer_id,"
            " display_name, country, title, plan_version, plan_questions, answers, answers_final,"
            " interview_score, interview_summary, interview_transcript, mismatch_signals,"
            " interview_time, create_time, complete_time)"
            " SELECT :job || n, :job, :org, :job || 't' || n, 'Jo L.', 'DE', 'Doctor', 1,"
            " questions, jsonb_build_object('years', n), true, n % 101, '', '[]', '{}', now(),"
            " now(), now() - interval '1 second' * n"
            " FROM generate_series(1, :count) AS n,"
            " (SELECT plan_questions AS questions FROM proposals.job WHERE job_id = :job) AS job"
        )
        values = {"job": job.job_id, "org": job.organisation_id, "count": count}
        async with self.world.database.begin() as tx:
            await tx.execute(fill, values)

    def request(self, **fields: object) -> pb.ListFolderScreeningRequest:
        return pb.ListFolderScreeningRequest(folder_id=self.folder_id, **fields)  # type: ignore[arg-type] # fields by name

    async def page(
        self, request: pb.ListFolderScreeningRequest, caller: Caller | None = None
    ) -> pb.ListFolderScreeningResponse:
        stub = self.world.workspace.services.folder_screening
        return await (caller or self.employer).call(stub.ListFolderScreening, request)

    async def rows(self, size: int = 3, **fields: object) -> list[pb.FolderScreeningRow]:
        """Every row, page by page."""
        request, rows = self.request(page_size=size, **fields), list[pb.FolderScreeningRow]()
        while True:
            page = await self.page(request)
            rows += page.rows
            if not page.next_page_token:
                return rows
            request.page_token = page.next_page_token

    async def exported(self, **fields: object) -> tuple[list[list[str]], int]:
        """The table as its CSV tells it, and in how many parts that came."""
        request = pb.ExportFolderScreeningRequest(folder_id=self.folder_id, **fields)  # type: ignore[arg-type] # fields by name
        stub = self.world.workspace.services.folder_screening
        stream = stub.ExportFolderScreening(request, metadata=self.employer.metadata, timeout=60)
        chunks = [part.chunk async for part in stream]
        told = b"".join(chunks).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(told, newline=""))), len(chunks)


async def begin(world: World) -> Folder:
    """A new folder with its two jobs."""
    folder_id = new_id("f")
    first = await world.job(folder_id=folder_id, plan=ScreeningPlan(1, (YEARS, TOOL, LINE)))
    second = await world.learn(
        replace(first, job_id=new_id("job"), plan=ScreeningPlan(1, (YEARS, WORK)))
    )
    async with world.database.begin() as tx:
        await learn_folder(tx, folder_id, first.organisation_id, deleted=False)
    employer = world.by(Kind.EMPLOYER, first.organisation_id)
    return Folder(world, folder_id, first, second, employer)


async def some(folder: Folder) -> None:
    """Five candidates, of whom each left something out."""
    await folder.screened(
        folder.first, 80, Answer(key="years", number=10), Answer(key="tool", option="B")
    )
    await folder.screened(
        folder.first, 90, Answer(key="years", number=9.5), Answer(key="line", text="straße")
    )
    await folder.screened(
        folder.second, 70, Answer(key="years", number=-2), Answer(key="line", url="https://e.org/a")
    )
    await folder.screened(
        folder.first, 60, Answer(key="years", number=100), Answer(key="line", text="Ärzte")
    )
    await folder.screened(folder.second, 85, Answer(key="years", number=10))


def answered(key: str, kind: str) -> Callable[[pb.FolderScreeningRow], list[object]]:
    """What gives a row's answer to a field; nothing where it lacks."""

    def values(row: pb.FolderScreeningRow) -> list[object]:
        answers = [cell.answer for cell in row.cells]
        return [
            getattr(each, kind)
            for each in answers
            if each.key == key and each.HasField(kind)  # type: ignore[arg-type] # one of the names of the field
        ]

    return values
