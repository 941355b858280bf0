"""A trainer's view of open jobs: which are in it, in what order, and why."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from deploy.local.journey import Caller
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import matching_pb2 as pb
from hireflow.proposals.v1 import proposal_pb2
from services.common.auth import Kind
from services.common.paging import Cursor
from services.proposals.domain import Job
from services.proposals.store.tables import JOB
from services.proposals.use_cases.known_jobs import learn_invitations, learn_revocation
from tests.integration.proposals.world import PROFILE, Offered, World, new_id, offer
from tests.refusals import reason
from tests.unit.proposals.authorisation import MATCHING
from tests.waiting import until

# Later than whatever other tests publish, so that no number of their jobs hides these.
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
async def trainer(world: World) -> Caller:
    return await world.trainer()


async def _job(world: World, days: int = 0, **changes: object) -> Job:
    return await world.job(publish_time=LATER + timedelta(days=days), **changes)


async def _page(world: World, caller: Caller, **fields: object) -> pb.ListMatchingJobsResponse:
    request = pb.ListMatchingJobsRequest(**fields)  # type: ignore[arg-type] # fields by name
    return await caller.call(world.workspace.services.matching.ListMatchingJobs, request)


async def _listed(world: World, caller: Caller, page_size: int = 200) -> list[pb.MatchingJob]:
    """All pages of a trainer's list."""
    page = await _page(world, caller, page_size=page_size)
    jobs = [*page.jobs]
    while page.next_page_token:
        token = page.next_page_token
        page = await _page(world, caller, page_size=page_size, page_token=token)
        jobs += page.jobs
    return jobs


async def _found(world: World, caller: Caller, *jobs: Job) -> list[pb.MatchingJob]:
    """What a trainer's list has of these jobs, in its order."""
    ids = {job.job_id for job in jobs}
    return [each for each in await _listed(world, caller) if each.job_id in ids]


async def _invite(world: World, job: Job, trainer: Caller) -> None:
    async with world.database.begin() as tx:
        await learn_invitations(tx, job.job_id, [trainer.id])


async def test_the_best_match_comes_first_then_the_newest_each_with_its_reasons(
    world: World, trainer: Caller
) -> None:
    half = await _job(world, days=9)  # the profile lacks "writing", but the countries are one need
    older = await _job(world, days=1, required_skills=("medicine",))
    newer = await _job(world, days=2, required_skills=("medicine",))
    poor = await _job(
        world, days=8, required_languages=("sw",), required_skills=(), required_countries=("US",)
    )
    found = await _found(world, trainer, half, older, newer, poor)
    assert [each.job_id for each in found] == [job.job_id for job in (newer, older, half, poor)]
    assert [each.match.score for each in found] == [100, 100, 75, 0]
    assert found[2].match == proposal_pb2.Match(
        score=75,
        met=["language:en", "skill:medicine", "country:DE|US"],
        missing=["skill:writing"],
    )
    assert list(found[3].match.missing) == ["language:sw", "country:US"]
    assert found[0].publish_time.ToDatetime(UTC) == newer.publish_time


async def test_the_match_is_the_one_that_a_proposal_keeps(world: World, trainer: Caller) -> None:
    job = await _job(world)
    own = await world.submit(trainer, offer(job.job_id))
    employer = world.by(Kind.EMPLOYER, job.organisation_id)
    [found] = await _found(world, trainer, job)
    assert found.match == (await world.get(employer, own.proposal_id)).match


async def test_a_changed_profile_changes_the_list(world: World, trainer: Caller) -> None:
    job = await _job(world)
    profile = proposal_pb2.Profile()
    profile.CopyFrom(PROFILE)
    profile.skills.append("writing")
    request = proposal_pb2.UpsertProfileRequest(request_id=new_id("r"), profile=profile)
    assert [each.match.score for each in await _found(world, trainer, job)] == [75]
    await trainer.call(world.stub.UpsertProfile, request)
    assert [each.match.score for each in await _found(world, trainer, job)] == [100]


@pytest.mark.parametrize("state", ["DRAFT", "HIRING_DONE", "ARCHIVED"])
async def test_only_open_jobs_are_listed(state: str, world: World, trainer: Caller) -> None:
    job = await _job(world)
    [found] = await _found(world, trainer, job)
    assert (found.invited, found.proposed) == (False, False)
    await world.learn(job, state=state)
    await _invite(world, job, trainer)
    assert await _found(world, trainer, job) == []


@pytest.mark.parametrize(
    ("visibility", "to_all", "to_invited"),
    [("PUBLIC", True, True), ("INVITE_ONLY", False, True), ("UNLISTED", False, True)],
)
async def test_who_is_invited_finds_jobs_that_others_do_not(
    visibility: str, to_all: bool, to_invited: bool, world: World, trainer: Caller
) -> None:
    job = await _job(world, visibility=visibility)
    invited = await world.trainer()
    await _invite(world, job, invited)
    assert [each.invited for each in await _found(world, trainer, job)] == [False] * to_all
    assert [each.invited for each in await _found(world, invited, job)] == [True] * to_invited
    async with world.database.begin() as tx:
        await learn_revocation(tx, job.job_id, invited.id)
    assert [each.invited for each in await _found(world, invited, job)] == [False] * to_all


async def test_the_list_tells_on_which_jobs_the_trainer_has_a_live_proposal(
    world: World, trainer: Caller
) -> None:
    job = await _job(world)
    own = await world.submit(trainer, offer(job.job_id))
    assert [each.proposed for each in await _found(world, trainer, job)] == [True]
    assert [each.proposed for each in await _found(world, await world.trainer(), job)] == [False]
    await world.withdraw(Offered(own.proposal_id, job, trainer, trainer))
    assert [each.proposed for each in await _found(world, trainer, job)] == [False]


async def test_pages_show_each_job_once_and_in_order_while_more_are_published(
    world: World, trainer: Caller
) -> None:
    jobs = [await _job(world, days=day % 3) for day in range(5)]
    await _invite(world, jobs[0], trainer)
    expected = sorted(jobs, key=lambda job: (job.publish_time, job.job_id), reverse=True)
    first = await _page(world, trainer, page_size=3)
    fresh = await _job(world, days=50, required_skills=("medicine",))
    token, shown = first.next_page_token, [each.job_id for each in first.jobs]
    while token:
        page = await _page(world, trainer, page_size=7, page_token=token)
        token = page.next_page_token
        shown += [each.job_id for each in page.jobs]
    assert len(shown) == len(set(shown))
    assert fresh.job_id not in shown
    assert [each for each in shown if each in {job.job_id for job in jobs}] == [
        job.job_id for job in expected
    ]


async def test_a_token_is_good_for_no_other_trainer_and_a_forged_one_is_named(
    world: World, trainer: Caller
) -> None:
    await _job(world)
    await _job(world)
    token = (await _page(world, trainer, page_size=1)).next_page_token
    other = await world.trainer()
    assert await reason(_page(world, other, page_token=token)) == "INVALID_FIELDS"
    cursor = Cursor.read(1, "", Kind.TRAINER, trainer.id, "matching")
    inside = LATER, "job", LATER, "job"
    for keys in (
        (100,),
        ("100", LATER, "job"),
        (LATER, 1),
        (*inside, "100", LATER, "job"),
        (*inside, 100, "now", "job"),
        (100, *inside, LATER, "job"),
    ):
        forged = cursor.token(keys)
        assert await reason(_page(world, trainer, page_token=forged)) == "INVALID_FIELDS"


async def test_without_a_profile_there_is_nothing_to_match(world: World) -> None:
    assert await reason(_page(world, world.by(Kind.TRAINER))) == "PROFILE_MISSING"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.TRAINER])
async def test_trainers_alone_have_such_a_list(kind: Kind, world: World) -> None:
    assert MATCHING["ListMatchingJobs"][kind.name] == "denied"
    organisation = new_id("org") if kind in {Kind.EMPLOYER, Kind.AGENT} else None
    assert await reason(_page(world, world.by(kind, organisation))) == "CALLER_NOT_ALLOWED"


async def test_a_job_keeps_the_time_of_its_publication_whatever_happens_to_it_later(
    world: World, trainer: Caller
) -> None:
    journey, service = world.workspace.journey(), world.workspace.services.jobs
    await journey.publish_job()
    known = Job(journey.job.job_id, journey.job.organisation_id, "PUBLISHED", "PUBLIC", (), (), ())

    async def listed(times: int) -> bool:
        return len(await _found(world, trainer, known)) == times

    await until(lambda: listed(1))
    request = job_pb2.FinishHiringRequest(request_id=new_id("r"), job_id=known.job_id)
    await journey.employer.call(service.FinishHiring, request)
    await until(lambda: listed(0))
    again = job_pb2.ReopenHiringRequest(request_id=new_id("r"), job_id=known.job_id)
    await journey.employer.call(service.ReopenHiring, again)
    await until(lambda: listed(1))
    [found] = await _found(world, trainer, known)
    assert found.publish_time == journey.job.publish_time


# Every second one asks for what the trainer lacks.
_MANY = sa.text(
    "INSERT INTO proposals.job (job_id, organisation_id, state, visibility,"
    " required_languages, required_skills, required_countries, folder_id, publish_time)"
    " SELECT :prefix || n, 'org', 'PUBLISHED', 'PUBLIC', '{}',"
    " CASE n % 2 WHEN 0 THEN '{}' ELSE '{sewing}' END::text[], '{}', '',"
    " CAST(:after AS timestamptz) + make_interval(days => n) FROM generate_series(1, 1100) AS n"
)


async def test_every_open_job_is_found_window_by_window_with_the_best_match_first_in_each(
    world: World, trainer: Caller
) -> None:
    """Also two behind 1,100 newer ones, while one is closed and another is published."""
    prefix, after = new_id("many"), LATER + timedelta(days=100)
    best = await world.job(publish_time=after, required_skills=("medicine",))
    unlisted = await world.job(publish_time=after, visibility="UNLISTED")
    await _invite(world, unlisted, trainer)
    async with world.database.begin() as tx:
        await tx.execute(_MANY, {"prefix": prefix, "after": after})
    try:
        page = await _page(world, trainer, page_size=150)
        listed = [each.job_id for each in page.jobs]
        # The last of its window, and one that would be the first.
        await world.learn(best, job_id=f"{prefix}601", state="ARCHIVED")
        fresh = after + timedelta(days=5000)
        await world.learn(best, job_id=f"{prefix}fresh", publish_time=fresh)
        while page.next_page_token:
            token = page.next_page_token
            page = await _page(world, trainer, page_size=150, page_token=token)
            listed += [each.job_id for each in page.jobs]
    finally:
        async with world.database.begin() as tx:
            await tx.execute(sa.delete(JOB).where(JOB.c.job_id.startswith(prefix)))

    def ranked(*numbers: int) -> list[str]:
        return [f"{prefix}{n}" for n in sorted(numbers, key=lambda n: (n % 2, -n)) if n != 601]

    expected = [*ranked(*range(601, 1101)), *ranked(*range(101, 601))]
    last = ranked(*range(1, 101))
    expected += [*last[:50], best.job_id, unlisted.job_id, *last[50:]]
    ours = {*expected}
    assert [job_id for job_id in listed if job_id in ours] == expected
    assert f"{prefix}fresh" not in listed
