"""Folder screening: one table over the candidates of a folder's jobs, by pages and as CSV."""

import base64
import csv
import io
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from deploy.local.journey import Caller
from hireflow.proposals.v1 import folder_screening_pb2 as pb
from hireflow.proposals.v1 import proposal_pb2, screening_pb2
from services.common.auth import Kind, Principal
from services.common.paging import Cursor
from services.proposals.domain import Job, Question, ScreeningPlan, TableFilter, TableOrder
from services.proposals.store import folder_tables
from services.proposals.use_cases import folder_screening
from services.proposals.use_cases.access import INTERVIEWER_ID, as_reader
from services.proposals.use_cases.known_jobs import learn_folder
from tests.integration.proposals.world import World, new_id, offer, statements
from tests.refusals import reason, refusal

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


@pytest.fixture
async def folder(world: World) -> Folder:
    folder_id = new_id("f")
    first = await world.job(folder_id=folder_id, plan=ScreeningPlan(1, (YEARS, TOOL, LINE)))
    second = await world.learn(
        replace(first, job_id=new_id("job"), plan=ScreeningPlan(1, (YEARS, WORK)))
    )
    async with world.database.begin() as tx:
        await learn_folder(tx, folder_id, first.organisation_id, deleted=False)
    employer = world.by(Kind.EMPLOYER, first.organisation_id)
    return Folder(world, folder_id, first, second, employer)


async def _some(folder: Folder) -> None:
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


async def test_one_table_has_a_column_per_field_of_all_jobs_and_tells_why_a_cell_is_empty(
    folder: Folder,
) -> None:
    trainer = await folder.screened(
        folder.first, 80, Answer(key="years", number=4), Answer(key="line", text="Wards")
    )
    own = await folder.world.submit(trainer, offer(folder.first.job_id))
    await folder.screened(
        folder.second, 70, Answer(key="years", number=2), Answer(key="line", url="https://e.org/a")
    )
    page = await folder.page(folder.request())
    assert {(c.column.key, c.column.kind): c.label for c in page.columns} == {
        ("years", pb.ANSWER_KIND_NUMBER): "Years of work",
        ("tool", pb.ANSWER_KIND_OPTION): "Best tool",
        ("line", pb.ANSWER_KIND_TEXT): "In one line",
        ("line", pb.ANSWER_KIND_URL): "A sample",
    }
    second, first = page.rows
    assert (first.candidate.display_name, first.interview_score) == ("Jordan L.", 80)
    assert (first.proposal_id, first.review_state) == (
        own.proposal_id,
        proposal_pb2.REVIEW_STATE_UNREVIEWED,
    )
    assert (second.proposal_id, second.review_state) == ("", 0)

    def cells(row: pb.FolderScreeningRow) -> dict[tuple[str, int], object]:
        told: dict[tuple[str, int], object] = {}
        for column, cell in zip(page.columns, row.cells, strict=True):
            given = cell.answer.WhichOneof("value")
            name = column.column.key, column.column.kind
            told[name] = getattr(cell.answer, given) if given else cell.missing
        return told

    assert cells(first) == {
        ("years", pb.ANSWER_KIND_NUMBER): 4,
        ("tool", pb.ANSWER_KIND_OPTION): pb.MISSING_ANSWER_NOT_ANSWERED,
        ("line", pb.ANSWER_KIND_TEXT): "Wards",
        ("line", pb.ANSWER_KIND_URL): pb.MISSING_ANSWER_NOT_ASKED,
    }
    assert cells(second)["line", pb.ANSWER_KIND_URL] == "https://e.org/a"
    assert cells(second)["tool", pb.ANSWER_KIND_OPTION] == pb.MISSING_ANSWER_NOT_ASKED


def _answered(key: str, kind: str) -> Callable[[pb.FolderScreeningRow], list[object]]:
    def values(row: pb.FolderScreeningRow) -> list[object]:
        answers = [cell.answer for cell in row.cells]
        return [
            getattr(each, kind)
            for each in answers
            if each.key == key and each.HasField(kind)  # type: ignore[arg-type] # one of the names of the field
        ]

    return values


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("order", "values", "wanted"),
    [
        (
            {"answer": NUMBER},
            _answered("years", "number"),
            [[-2.0], [9.5], [10.0], [10.0], [100.0]],
        ),
        ({"answer": OPTION}, _answered("tool", "option"), [["B"]]),
        ({"answer": TEXT}, _answered("line", "text"), [["straße"], ["Ärzte"]]),
        ({"answer": ADDRESS}, _answered("line", "url"), [["https://e.org/a"]]),
        (
            {"candidate": pb.CANDIDATE_COLUMN_INTERVIEW_SCORE},
            lambda row: [row.interview_score],
            [[60], [70], [80], [85], [90]],
        ),
        (
            {"candidate": pb.CANDIDATE_COLUMN_NAME},
            lambda row: [row.candidate.display_name],
            [["Jordan L."]] * 5,
        ),
        (
            {"candidate": pb.CANDIDATE_COLUMN_COUNTRY},
            lambda row: [row.candidate.country],
            [["DE"]] * 5,
        ),
        (
            {"candidate": pb.CANDIDATE_COLUMN_COMPLETE_TIME},
            lambda row: [row.interview_score],
            [[80], [90], [70], [60], [85]],
        ),
    ],
)
async def test_it_is_sorted_by_any_column_both_ways_and_missing_answers_come_last(
    folder: Folder,
    order: dict[str, object],
    values: Callable[[pb.FolderScreeningRow], list[object]],
    wanted: list[list[object]],
    descending: bool,
) -> None:
    await _some(folder)
    rows = await folder.rows(
        size=2,
        order=pb.FolderScreeningOrder(**order, descending=descending),  # type: ignore[arg-type] # fields by name
    )
    assert len({row.screening_id for row in rows}) == len(rows) == 5
    told = [values(row) for row in rows]
    answered = wanted[::-1] if descending else wanted
    assert told == [*answered, *[[]] * (5 - len(wanted))]


@pytest.mark.parametrize(
    ("narrowed", "scores"),
    [
        ({"minimum_interview_score": 80}, [80, 85, 90]),
        ({"country": "FR"}, []),
        ({"text": "PHYSICIAN"}, [60, 70, 80, 85, 90]),
        ({"answers": [pb.AnswerCondition(column=TEXT, contains="ÄR")]}, [60]),
        ({"answers": [pb.AnswerCondition(column=ADDRESS, contains="e.org")]}, [70]),
        (
            {"answers": [pb.AnswerCondition(column=OPTION, any_of=pb.OptionSet(options=["B"]))]},
            [80],
        ),
        (
            {
                "answers": [
                    pb.AnswerCondition(column=NUMBER, range=pb.NumberRange(minimum=9.5, maximum=10))
                ]
            },
            [80, 85, 90],
        ),
        ({"answers": [pb.AnswerCondition(column=TEXT, missing=True)]}, [70, 80, 85]),
        ({"answers": [pb.AnswerCondition(column=TEXT, missing=False)]}, [60, 90]),
    ],
)
async def test_it_is_narrowed_by_any_column(
    folder: Folder, narrowed: dict[str, object], scores: list[int]
) -> None:
    await _some(folder)
    wanted = pb.FolderScreeningFilter(**narrowed)  # type: ignore[arg-type] # fields by name
    by_number = pb.FolderScreeningOrder(answer=NUMBER)
    for order in (pb.FolderScreeningOrder(), by_number):
        rows = await folder.rows(filter=wanted, order=order)
        assert sorted(row.interview_score for row in rows) == scores
    of_second = pb.FolderScreeningFilter(job_ids=[folder.second.job_id])
    of_second.MergeFrom(wanted)
    rows = await folder.rows(filter=of_second)
    assert {row.job_id for row in rows} <= {folder.second.job_id}


async def test_a_changed_plan_leaves_finished_rows_and_their_columns_as_they_were(
    folder: Folder,
) -> None:
    await folder.screened(folder.first, 80, Answer(key="years", number=4))
    now = replace(YEARS, label="Years in wards")
    await folder.world.learn(folder.first, plan=ScreeningPlan(2, (now,)))
    await folder.screened(folder.first, 90, Answer(key="years", number=5))
    page = await folder.page(folder.request())
    labels = {c.column.key: c.label for c in page.columns if c.column.kind != pb.ANSWER_KIND_URL}
    assert labels == {"years": "Years in wards", "tool": "Best tool", "line": "In one line"}
    at = [c.column.key for c in page.columns].index("tool")
    new, old = page.rows
    assert old.cells[at].missing == pb.MISSING_ANSWER_NOT_ANSWERED
    assert new.cells[at].missing == pb.MISSING_ANSWER_NOT_ASKED


async def test_a_job_that_leaves_the_folder_takes_its_rows_along(folder: Folder) -> None:
    await _some(folder)
    await folder.world.learn(folder.first, folder_id="")
    assert [row.job_id for row in await folder.rows()] == [folder.second.job_id] * 2


async def test_however_rare_the_rows_each_page_looks_at_few_and_all_are_found(
    folder: Folder,
) -> None:
    await folder.filled(folder.first, 2500)
    rare = pb.FolderScreeningFilter(
        answers=[
            pb.AnswerCondition(column=NUMBER, range=pb.NumberRange(minimum=2401, maximum=2403))
        ]
    )
    first = await folder.page(folder.request(filter=rare))
    assert (len(first.rows), bool(first.next_page_token)) == (0, True)
    assert len(await folder.rows(filter=rare)) == 3
    by_missing = pb.FolderScreeningOrder(answer=TEXT)
    assert len(await folder.rows(size=200, order=by_missing)) == 2500


async def test_a_condition_on_the_leading_column_bounds_what_is_read(folder: Folder) -> None:
    await folder.filled(folder.first, 1500)
    high = pb.AnswerCondition(column=NUMBER, range=pb.NumberRange(minimum=1499))
    score = pb.CANDIDATE_COLUMN_INTERVIEW_SCORE
    for narrowed, order in (
        (pb.FolderScreeningFilter(answers=[high]), pb.FolderScreeningOrder(answer=NUMBER)),
        (
            pb.FolderScreeningFilter(minimum_interview_score=100),
            pb.FolderScreeningOrder(candidate=score),
        ),
    ):
        page = await folder.page(folder.request(filter=narrowed, order=order))
        assert (bool(page.rows), page.next_page_token) == (True, "")
        assert len(page.rows) == len(await folder.rows(size=100, filter=narrowed))


async def test_a_page_and_the_place_where_the_next_begins_are_of_one_moment(
    folder: Folder,
) -> None:
    """One statement has one view; with two, what came between them is skipped or shown twice."""
    await folder.filled(folder.first, 1100)
    nobody, cursor = TableFilter(country="FR"), Cursor.read(5, "", "x")
    async with folder.world.database.read() as connection:
        known = await folder_tables.find_folder(connection, folder.folder_id)
        assert known is not None
        with statements(connection) as told:
            page = await folder_tables.list_table(connection, known, nobody, TableOrder(), cursor)
    assert (page.items, bool(page.next_token), len(told)) == ((), True, 1)


async def test_a_token_holds_no_answer_and_leads_on_behind_the_longest(folder: Folder) -> None:
    for mark in "abc":
        line = Answer(key="line", text="😀" * 199 + mark)
        await folder.screened(folder.first, 80, Answer(key="years", number=1), line)
    order = pb.FolderScreeningOrder(answer=TEXT)
    rows = await folder.rows(size=1, order=order)
    told = _answered("line", "text")
    assert [told(row) for row in rows] == [["😀" * 199 + mark] for mark in "abc"]
    token = (await folder.page(folder.request(page_size=1, order=order))).next_page_token
    assert rows[0].screening_id in base64.b64decode(token + "==", b"-_").decode()
    assert len(token) < 200


async def test_a_token_is_bound_to_caller_filter_and_order_and_a_forged_one_is_named(
    folder: Folder,
) -> None:
    await folder.filled(folder.first, 3)
    token = (await folder.page(folder.request(page_size=1))).next_page_token
    colleague = folder.world.by(Kind.EMPLOYER, folder.first.organisation_id)
    known, by_answer = pb.FolderScreeningFilter, pb.FolderScreeningOrder(answer=NUMBER)
    for caller, changed in (
        (colleague, {}),
        (folder.employer, {"filter": known(country="DE")}),
        (folder.employer, {"filter": known(job_ids=[folder.first.job_id])}),
        (folder.employer, {"order": by_answer}),
    ):
        request = folder.request(page_token=token, **changed)
        assert await reason(folder.page(request, caller)) == "INVALID_FIELDS"
    scope = (Kind.EMPLOYER, folder.employer.id, folder.folder_id, TableFilter(), TableOrder())
    cursor = Cursor.read(1, "", *scope)
    for keys in ((1,), ("s", 1), ("s", "t", 1)):
        forged = folder.request(page_token=cursor.token(keys))
        assert await reason(folder.page(forged)) == "INVALID_FIELDS"


async def test_a_table_that_is_being_exported_ends_whole_whatever_becomes_of_the_folder(
    folder: Folder,
) -> None:
    await _some(folder)
    reader = as_reader(Principal(Kind.OPERATOR, "op"))
    tables = folder_screening.every_page(
        folder.world.database,
        reader,
        folder.folder_id,
        Cursor.read(2, ""),
        wanted=TableFilter(),
        order=TableOrder(),
    )
    async with aclosing(tables):
        first = await anext(tables)
        await folder.world.learn(folder.first, folder_id="")
        async with folder.world.database.begin() as tx:
            await learn_folder(tx, folder.folder_id, folder.first.organisation_id, deleted=True)
        rest = [row.screening_id async for table in tables for row in table.page.items]
    assert len({*rest, *(row.screening_id for row in first.page.items)}) == 5


async def test_the_csv_tells_the_same_table_in_parts(folder: Folder) -> None:
    await folder.filled(folder.second, 450)
    hostile = '=HYPERLINK("http://e.org"), "so"\nand العربية 😀'
    await folder.screened(
        folder.first, 80, Answer(key="years", number=-3.5), Answer(key="line", text=hostile)
    )
    lines, parts = await folder.exported(order=pb.FolderScreeningOrder(answer=NUMBER))
    heading, *rows = lines
    assert parts > 1
    assert len(rows) == 451
    table = [dict(zip(heading, row, strict=True)) for row in rows]
    assert table[0]["Years of work"] == "-3.5"
    assert table[0]["In one line"].startswith("'=HYPERLINK(")
    assert table[0]["In one line"].endswith("\nand العربية 😀")
    assert (table[0]["Best tool"], table[0]["A sample"]) == ("(not answered)", "(not asked)")
    assert [row["Years of work"] for row in table[1:]] == [str(n) for n in range(1, 451)]
    narrowed = pb.FolderScreeningFilter(job_ids=[folder.first.job_id])
    assert len((await folder.exported(filter=narrowed))[0]) == 2


async def test_an_empty_folder_has_its_columns_and_no_rows(folder: Folder) -> None:
    page = await folder.page(folder.request())
    assert (len(page.columns), len(page.rows), page.next_page_token) == (4, 0, "")
    [heading], _ = await folder.exported()
    assert "Years of work" in heading


async def test_all_that_is_wrong_is_told_at_once(folder: Folder) -> None:
    request = pb.ListFolderScreeningRequest(
        filter=pb.FolderScreeningFilter(
            minimum_interview_score=101,
            country="Germany",
            answers=[
                pb.AnswerCondition(column=NUMBER, contains="x"),
                pb.AnswerCondition(column=TEXT, range=pb.NumberRange(minimum=2, maximum=1)),
                pb.AnswerCondition(column=pb.AnswerColumn(), missing=True),
                pb.AnswerCondition(column=OPTION, any_of=pb.OptionSet()),
                pb.AnswerCondition(column=OPTION),
                pb.AnswerCondition(column=OPTION, any_of=pb.OptionSet(options=["A", "\0"])),
            ],
        ),
        order=pb.FolderScreeningOrder(candidate=99),  # type: ignore[arg-type] # not a known one
    )
    told = await refusal(folder.page(request))
    assert {each.field for each in told.violations} == {
        "folder_id",
        "filter.minimum_interview_score",
        "filter.country",
        "filter.answers[0].contains",
        "filter.answers[1].range",
        "filter.answers[1].range.maximum",
        "filter.answers[2].column.key",
        "filter.answers[2].column.kind",
        "filter.answers[3].any_of.options",
        "filter.answers[4]",
        "filter.answers[5].any_of.options[1]",
        "order.candidate",
    }


async def test_only_who_reads_for_the_organisation_sees_a_folder(folder: Folder) -> None:
    world = folder.world
    assert await reason(folder.page(folder.request(), world.by(Kind.TRAINER))) == (
        "CALLER_NOT_ALLOWED"
    )
    stranger = world.by(Kind.EMPLOYER, new_id("org"))
    assert await reason(folder.page(folder.request(), stranger)) == "NOT_FOUND"
    assert (await folder.page(folder.request(), world.by(Kind.OPERATOR))).columns
    async with world.database.begin() as tx:
        await learn_folder(tx, folder.folder_id, folder.first.organisation_id, deleted=True)
    assert await reason(folder.page(folder.request())) == "NOT_FOUND"
    assert await reason(folder.exported()) == "NOT_FOUND"
