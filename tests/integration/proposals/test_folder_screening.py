"""Folder screening: one table over the candidates of a folder's jobs, also as CSV."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hireflow.proposals.v1 import folder_screening_pb2 as pb
from hireflow.proposals.v1 import proposal_pb2
from services.common.auth import Kind
from services.proposals.domain import ScreeningPlan
from services.proposals.use_cases.known_jobs import learn_folder
from tests.integration.proposals.folders import (
    ADDRESS,
    NUMBER,
    OPTION,
    TEXT,
    YEARS,
    Answer,
    Folder,
    answered,
    some,
)
from tests.integration.proposals.world import new_id, offer
from tests.refusals import reason, refusal


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


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("order", "values", "wanted"),
    [
        (
            {"answer": NUMBER},
            answered("years", "number"),
            [[-2.0], [9.5], [10.0], [10.0], [100.0]],
        ),
        ({"answer": OPTION}, answered("tool", "option"), [["B"]]),
        ({"answer": TEXT}, answered("line", "text"), [["straße"], ["Ärzte"]]),
        ({"answer": ADDRESS}, answered("line", "url"), [["https://e.org/a"]]),
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
    await some(folder)
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
    await some(folder)
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
    await some(folder)
    await folder.world.learn(folder.first, folder_id="")
    assert [row.job_id for row in await folder.rows()] == [folder.second.job_id] * 2


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
