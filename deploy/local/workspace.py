"""What an employer and a trainer do around a hire, beside the `Journey` that leads to it."""

import asyncio

from deploy.local.journey import CATCH_UP_SECONDS, Caller, Journey, new_id
from hireflow.jobs.v1 import folder_pb2, instructions_pb2, job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import (
    folder_screening_pb2,
    proposal_pb2,
    proposal_view_pb2,
    screening_pb2,
)

PLAN = job_pb2.ScreeningPlan(
    prompt="Find out how they weigh risks.",
    fields=[
        job_pb2.ScreeningField(
            key="years",
            label="Years of practice",
            required=True,
            type=job_pb2.SCREENING_FIELD_TYPE_NUMBER,
        )
    ],
)
SCORE = 87
SIGNAL = "years_differ"


async def put_in_folder(journey: Journey, name: str) -> str:
    """Make a folder and move the job into it; answers with the folder's id."""
    folder = folder_pb2.Folder(name=name, colour="#1f77b4")
    make = folder_pb2.CreateFolderRequest(request_id=new_id(), folder=folder)
    folders = journey.services.folders
    folder_id = (await journey.employer.call(folders.CreateFolder, make)).folder.folder_id
    await move_to_folder(journey, folder_id)
    return folder_id


async def move_to_folder(journey: Journey, folder_id: str) -> None:
    """Move the job into a folder."""
    move = folder_pb2.MoveJobsRequest(
        request_id=new_id(), folder_id=folder_id, job_ids=[journey.job.job_id]
    )
    await journey.employer.call(journey.services.folders.MoveJobs, move)


async def folder_table(
    journey: Journey, folder_id: str, candidates: int
) -> folder_screening_pb2.ListFolderScreeningResponse:
    """Read the folder's table once it has so many candidates; bounded.

    It learns by events which jobs are in the folder.
    """
    request = folder_screening_pb2.ListFolderScreeningRequest(folder_id=folder_id)
    stub = journey.services.folder_screening
    async with asyncio.timeout(CATCH_UP_SECONDS):
        while True:
            table = await journey.employer.call_when_known(stub.ListFolderScreening, request)
            if len(table.rows) >= candidates:
                return table
            await asyncio.sleep(0.02)  # between two looks at a read model fed by events


async def folder_csv(journey: Journey, folder_id: str) -> str:
    """Read the folder's table as a spreadsheet would."""
    request = folder_screening_pb2.ExportFolderScreeningRequest(folder_id=folder_id)
    stream = journey.services.folder_screening.ExportFolderScreening(
        request, metadata=journey.employer.metadata, timeout=60
    )
    return b"".join([part.chunk async for part in stream]).decode("utf-8-sig")


async def write_instructions(journey: Journey, text: str) -> None:
    """Write the job's instructions, for trainers who are hired."""
    request = instructions_pb2.WriteInstructionsRequest(
        request_id=new_id(), job_id=journey.job.job_id, text=text
    )
    await journey.employer.call(journey.services.instructions.WriteInstructions, request)


async def read_instructions(journey: Journey) -> str:
    """Read the instructions as the hired trainer does, once the jobs know of the contract."""
    request = instructions_pb2.GetInstructionsRequest(job_id=journey.job.job_id)
    instructions = journey.services.instructions
    told = await journey.trainer.call_when_known(instructions.GetInstructions, request)
    return told.instructions.text


async def begin_screening(journey: Journey) -> str:
    """Begin the trainer's screening, once proposals know the job; answers with its id."""
    await journey.write_profile()
    begin = screening_pb2.StartScreeningRequest(request_id=new_id(), job_id=journey.job.job_id)
    start = journey.services.screening.StartScreening
    return (await journey.trainer.call_when_known(start, begin)).screening.screening_id


async def finish_screening(journey: Journey, interviewer: Caller, screening_id: str) -> None:
    """Let the trainer answer what `PLAN` asks, and the interviewer tell what it found."""
    screening = journey.services.screening
    answers = screening_pb2.AnswerScreeningRequest(
        request_id=new_id(),
        screening_id=screening_id,
        answers=[screening_pb2.ScreeningAnswer(key="years", number=7)],
        final=True,
    )
    await journey.trainer.call(screening.AnswerScreening, answers)
    read = screening_pb2.GetScreeningRequest(screening_id=screening_id)
    goes_by = (await interviewer.call(screening.GetScreening, read)).screening
    asked = screening_pb2.InterviewTurn(
        speaker=screening_pb2.INTERVIEW_SPEAKER_INTERVIEWER, text="Since when do you practise?"
    )
    said = screening_pb2.InterviewTurn(
        speaker=screening_pb2.INTERVIEW_SPEAKER_TRAINER, text="Since 2019, in two wards."
    )
    found = screening_pb2.RecordInterviewRequest(
        request_id=new_id(),
        screening_id=screening_id,
        interview=screening_pb2.Interview(
            score=SCORE,
            summary="Weighs risks well.",
            transcript=[asked, said],
            mismatch_signals=[SIGNAL],
        ),
        plan_version=goes_by.plan_version,
    )
    await interviewer.call(screening.RecordInterview, found)


async def list_candidates(
    journey: Journey, *states: "proposal_pb2.ReviewState.ValueType", minimum_score: int = 0
) -> proposal_pb2.ListProposalsResponse:
    """List the job's proposals in these review states, or all, best interview first."""
    request = proposal_pb2.ListProposalsRequest(
        job_id=journey.job.job_id,
        order=proposal_pb2.PROPOSAL_ORDER_INTERVIEW,
        review_states=states,
        minimum_interview_score=minimum_score,
    )
    return await journey.employer.call(journey.services.proposals.ListProposals, request)


async def view(journey: Journey) -> proposal_view_pb2.ViewProposalResponse:
    """Read everything that the View Proposal screen shows."""
    request = proposal_view_pb2.ViewProposalRequest(proposal_id=journey.proposal_id)
    return await journey.employer.call(journey.services.view.ViewProposal, request)


async def job_thread(journey: Journey) -> str:
    """Find the thread that the hire made for the work."""
    request = thread_pb2.ListThreadsRequest(
        job_id=journey.job.job_id, kind=thread_pb2.THREAD_KIND_JOB
    )
    listed = await journey.trainer.call(journey.services.messaging.ListThreads, request)
    return listed.threads[0].thread_id


async def say(journey: Journey, who: Caller, thread_id: str, text: str) -> None:
    """Write a message in a thread."""
    request = thread_pb2.SendMessageRequest(request_id=new_id(), thread_id=thread_id, text=text)
    await who.call(journey.services.messaging.SendMessage, request)


async def texts(journey: Journey, who: Caller, thread_id: str) -> list[str]:
    """Read what is written in a thread, oldest first."""
    request = thread_pb2.ListMessagesRequest(
        thread_id=thread_id, order=thread_pb2.MESSAGE_ORDER_OLDEST_FIRST
    )
    listed = await who.call(journey.services.messaging.ListMessages, request)
    return [message.text for message in listed.messages]


async def finish_hiring(journey: Journey) -> job_pb2.Job:
    """Click Done Hiring."""
    request = job_pb2.FinishHiringRequest(request_id=new_id(), job_id=journey.job.job_id)
    return (await journey.employer.call(journey.services.jobs.FinishHiring, request)).job
