"""Many reviews at once, and the notes that employers keep for themselves."""

import asyncio

import grpc

from hireflow.common.v1 import actor_pb2
from hireflow.proposals.v1 import proposal_pb2 as pb
from services.common.auth import Kind
from tests.integration.proposals.world import Offered, World, new_id
from tests.refusals import reason, refusal


def _moves(state: "pb.ReviewState.ValueType", *ids: str) -> pb.ReviewProposalsRequest:
    moves = [pb.ReviewMove(proposal_id=each, review_state=state) for each in ids]
    return pb.ReviewProposalsRequest(request_id=new_id("r"), moves=moves)


async def test_many_are_reviewed_at_once_with_a_result_each_and_a_repeat_gets_the_same(
    world: World, offered: Offered
) -> None:
    other, held, foreign = (
        await world.offered(offered.job),
        await world.offered(offered.job),
        await world.offered(),
    )
    await world.reserve(held, new_id("h"))
    ids = [each.proposal_id for each in (held, offered, foreign, other)]
    request = _moves(pb.REVIEW_STATE_DECLINED, *ids, new_id("p"))
    call = offered.employer.call
    answers = await asyncio.gather(*(call(world.stub.ReviewProposals, request) for _ in range(10)))
    assert all(answer == answers[0] for answer in answers)
    results = answers[0].results
    assert [each.proposal_id for each in results] == [move.proposal_id for move in request.moves]
    assert [each.error_reason for each in results] == [
        "HIRE_IN_PROGRESS",
        "",
        "NOT_FOUND",
        "",
        "NOT_FOUND",
    ]
    assert results[1].proposal == await world.get(offered.employer, offered.proposal_id)
    assert results[1].proposal.review_state == pb.REVIEW_STATE_DECLINED
    assert await world.events(other.proposal_id) == ["submitted", "review_state_changed"]
    assert await world.events(foreign.proposal_id) == ["submitted"]


async def test_reviews_of_the_same_proposals_in_opposite_orders_all_come_through(
    world: World, offered: Offered
) -> None:
    ids = [offered.proposal_id, *[(await world.offered(offered.job)).proposal_id for _ in range(9)]]
    requests = [_moves(pb.REVIEW_STATE_MAYBE, *ids), _moves(pb.REVIEW_STATE_MAYBE, *ids[::-1])]
    answers = await asyncio.gather(
        *(offered.employer.call(world.stub.ReviewProposals, each) for each in requests * 5)
    )
    assert not any(result.error_reason for answer in answers for result in answer.results)


async def test_every_bad_move_is_named_and_nothing_moves(world: World, offered: Offered) -> None:
    request = _moves(pb.REVIEW_STATE_MAYBE, offered.proposal_id, offered.proposal_id, "")
    request.moves[2].review_state = pb.REVIEW_STATE_HIRED
    told = await refusal(offered.employer.call(world.stub.ReviewProposals, request))
    assert [violation.field for violation in told.violations] == [
        "moves[1].proposal_id",
        "moves[2].proposal_id",
        "moves[2].review_state",
    ]
    assert await world.events(offered.proposal_id) == ["submitted"]


async def test_notes_are_listed_newest_first_with_author_and_time_for_the_organisation_alone(
    world: World, offered: Offered
) -> None:
    agent = world.by(Kind.AGENT, offered.job.organisation_id)
    written: list[pb.Note] = []
    for author, text in ((offered.employer, "Call"), (agent, "Called"), (agent, "Again")):
        request = pb.AddNoteRequest(
            request_id=new_id("r"), proposal_id=offered.proposal_id, text=text
        )
        note = (await author.call(world.stub.AddNote, request)).note
        assert (await author.call(world.stub.AddNote, request)).note == note
        written.insert(0, note)
    assert written[2].author.kind == actor_pb2.ACTOR_KIND_EMPLOYER
    assert written[0].author == actor_pb2.Actor(kind=actor_pb2.ACTOR_KIND_AGENT, id=agent.id)
    listing = pb.ListNotesRequest(proposal_id=offered.proposal_id, page_size=2)
    first = await offered.employer.call(world.stub.ListNotes, listing)
    listing.page_token = first.next_page_token
    second = await offered.employer.call(world.stub.ListNotes, listing)
    assert [*first.notes, *second.notes] == written
    stranger = world.by(Kind.EMPLOYER, new_id("org"))
    listing.page_token = ""
    assert await reason(stranger.call(world.stub.ListNotes, listing)) == "NOT_FOUND"
    adding = pb.AddNoteRequest(request_id=new_id("r"), proposal_id=offered.proposal_id, text="x")
    assert await reason(stranger.call(world.stub.AddNote, adding)) == "NOT_FOUND"
    adding.text = " "
    told = await refusal(offered.employer.call(world.stub.AddNote, adding))
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
