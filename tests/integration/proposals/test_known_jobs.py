"""What proposals learn of invitations, plans and folders, over the real stream."""

from datetime import UTC, datetime

from google.protobuf.message import Message

from hireflow.jobs.v1 import folder_events_pb2, job_events_pb2, job_pb2
from hireflow.proposals.v1 import screening_pb2
from services.common.outbox import Event, Outbox
from services.proposals.domain import Job, Question, ScreeningPlan
from services.proposals.store import folder_tables, jobs
from tests.integration.proposals.world import World, new_id, offer
from tests.refusals import reason
from tests.waiting import until

OUTBOX = Outbox("jobs")


async def _tell(world: World, aggregate_id: str, *messages: Message) -> None:
    """Let the jobs' own outbox tell events, as JobsService would."""
    events = [Event(message, aggregate_id, datetime.now(UTC)) for message in messages]
    async with world.database.begin() as tx:
        await OUTBOX.record(tx, *events)


def _facts(**fields: object) -> job_events_pb2.JobFacts:
    return job_events_pb2.JobFacts(
        job_id=new_id("job"),
        organisation_id=new_id("org"),
        state=job_pb2.JOB_STATE_PUBLISHED,
        **fields,  # type: ignore[arg-type] # fields by name
    )


async def _invited(world: World, job_id: str, trainer_id: str) -> bool:
    async with world.database.read() as connection:
        return await jobs.is_invited(connection, job_id, trainer_id)


async def _known(world: World, job_id: str) -> Job | None:
    async with world.database.read() as connection:
        return await jobs.find_job(connection, job_id)


async def test_an_invite_only_job_is_there_for_invited_trainers_alone_and_as_long_as_they_are(
    world: World,
) -> None:
    facts = _facts(visibility=job_pb2.JOB_VISIBILITY_INVITE_ONLY)
    job_id, one, other = facts.job_id, await world.trainer(), await world.trainer()
    invited = job_events_pb2.JobTrainersInvited(job=facts, trainer_ids=[one.id, other.id])
    await _tell(world, job_id, job_events_pb2.JobPublished(job=facts), invited, invited)
    await until(lambda: _invited(world, job_id, other.id))
    assert (await world.submit(one, offer(job_id))).proposal_id
    stranger = await world.trainer()
    assert await reason(world.submit(stranger, offer(job_id))) == "NOT_FOUND"
    revoked = job_events_pb2.JobInvitationRevoked(job=facts, trainer_id=other.id)
    await _tell(world, job_id, revoked)

    async def gone() -> bool:
        return not await _invited(world, job_id, other.id)

    await until(gone)
    assert await reason(world.submit(other, offer(job_id))) == "NOT_FOUND"
    assert await _invited(world, job_id, one.id)


async def test_a_plan_is_known_with_its_typed_questions_and_a_job_without_one_has_none(
    world: World,
) -> None:
    field = job_pb2.ScreeningField(
        key="tool",
        label="Which tool?",
        description="The one you know best.",
        required=True,
        type=job_pb2.SCREENING_FIELD_TYPE_SINGLE_SELECT,
        options=["CVAT", "Other"],
    )
    planned = _facts(
        folder_id="f-1",
        screening_plan=job_events_pb2.ScreeningPlanFacts(version=3, fields=[field]),
    )
    plain = _facts()
    for facts in (planned, plain):
        await _tell(world, facts.job_id, job_events_pb2.JobPublished(job=facts))

    async def both() -> bool:
        return None not in [await _known(world, facts.job_id) for facts in (planned, plain)]

    await until(both)
    one, other = [await _known(world, facts.job_id) for facts in (planned, plain)]
    assert one is not None
    assert other is not None
    question = Question(
        "tool",
        "Which tool?",
        "The one you know best.",
        required=True,
        type="SINGLE_SELECT",
        options=("CVAT", "Other"),
    )
    assert (one.folder_id, one.plan) == ("f-1", ScreeningPlan(3, (question,)))
    assert (other.folder_id, other.plan) == ("", None)


async def test_values_that_are_new_to_proposals_are_kept_as_their_numbers(world: World) -> None:
    field = job_pb2.ScreeningField(key="clip", label="Say it", required=True)
    field.type = 99  # type: ignore[assignment] # of a version to come
    plan = job_events_pb2.ScreeningPlanFacts(version=1, fields=[field])
    open_job = _facts(visibility=job_pb2.JOB_VISIBILITY_PUBLIC, screening_plan=plan)
    strange = _facts()
    strange.state, strange.visibility = 98, 97  # type: ignore[assignment] # as above
    for facts in (open_job, strange):
        await _tell(world, facts.job_id, job_events_pb2.JobPublished(job=facts))

    async def both() -> bool:
        return None not in [await _known(world, each.job_id) for each in (open_job, strange)]

    await until(both)
    known = await _known(world, strange.job_id)
    assert known is not None
    assert (known.state, known.visibility) == ("98", "97")
    trainer, stub = await world.trainer(), world.workspace.services.screening
    begin = screening_pb2.StartScreeningRequest(request_id=new_id("r"), job_id=open_job.job_id)
    screening = (await trainer.call(stub.StartScreening, begin)).screening
    assert screening.fields[0].type == job_pb2.SCREENING_FIELD_TYPE_UNSPECIFIED
    answer = screening_pb2.AnswerScreeningRequest(
        request_id=new_id("r"),
        screening_id=screening.screening_id,
        answers=[screening_pb2.ScreeningAnswer(key="clip", text="Good day")],
        final=True,
    )
    assert (await trainer.call(stub.AnswerScreening, answer)).screening.answers_final


async def test_a_folder_is_known_until_it_is_deleted(world: World) -> None:
    folder = folder_events_pb2.FolderChanged(
        folder_id=new_id("folder"), organisation_id=new_id("org")
    )

    async def belongs_to(organisation_id: str | None) -> bool:
        async with world.database.read() as connection:
            known = await folder_tables.find_folder(connection, folder.folder_id)
        return (known and known.organisation_id) == organisation_id

    await _tell(world, folder.folder_id, folder, folder)
    await until(lambda: belongs_to(folder.organisation_id))
    folder.deleted = True
    await _tell(world, folder.folder_id, folder)
    await until(lambda: belongs_to(None))
