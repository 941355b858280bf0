"""Who may see and change what: organisations apart, trainers apart, operators only reading."""

import grpc
import pytest
from google.protobuf.message import Message

from hireflow.proposals.v1 import proposal_pb2 as pb
from services.common.auth import Kind
from tests.integration.proposals.world import PROFILE, Offered, World, new_id
from tests.refusals import reason, refusal
from tests.unit.proposals.authorisation import AUTHORISATION

METHODS = pb.DESCRIPTOR.services_by_name["ProposalsService"].methods_by_name
# Empty requests of these are good ones.
ANSWERED = {"GetProfile", "ListOwnProposals"}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("method", METHODS)
async def test_each_kind_of_caller_may_call_what_its_row_says(
    method: str, kind: Kind, world: World
) -> None:
    allowed = AUTHORISATION[method][kind.name] == "allowed"
    if allowed and method in ANSWERED:
        return  # the tests of what trainers do show it
    organisation = new_id("org") if kind in {Kind.EMPLOYER, Kind.AGENT} else None
    request: Message = getattr(pb, METHODS[method].input_type.name)()
    call = world.by(kind, organisation).call(getattr(world.stub, method), request)
    assert await reason(call) == ("INVALID_FIELDS" if allowed else "CALLER_NOT_ALLOWED")


@pytest.mark.parametrize("kind", [Kind.EMPLOYER, Kind.AGENT])
async def test_nobody_learns_of_another_organisations_proposals(
    kind: Kind, world: World, offered: Offered
) -> None:
    stranger = world.by(kind, new_id("org"))
    reviewing = pb.SetReviewStateRequest(
        request_id=new_id("r"),
        proposal_id=offered.proposal_id,
        review_state=pb.REVIEW_STATE_MAYBE,
    )
    job_id = offered.job.job_id
    for call in (
        world.get(stranger, offered.proposal_id),
        world.get(stranger, new_id("p")),
        stranger.call(world.stub.SetReviewState, reviewing),
        stranger.call(world.stub.ListProposals, pb.ListProposalsRequest(job_id=job_id)),
        stranger.call(world.stub.ListProposals, pb.ListProposalsRequest(job_id=new_id("job"))),
        world.count(stranger, job_id),
    ):
        told = await refusal(call)
        assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    assert await world.events(offered.proposal_id) == ["submitted"]


async def test_a_hire_of_another_organisation_finds_no_proposal(
    world: World, offered: Offered
) -> None:
    request = world.wish(offered, new_id("h"))
    request.organisation_id = new_id("org")
    hires = world.hires
    assert await reason(hires.call(world.stub.ReserveProposal, request)) == "NOT_FOUND"


async def test_a_trainer_reaches_no_other_trainers_proposal(world: World, offered: Offered) -> None:
    other = await world.trainer()
    reading = pb.GetOwnProposalRequest(proposal_id=offered.proposal_id)
    taking = pb.WithdrawProposalRequest(request_id=new_id("r"), proposal_id=offered.proposal_id)
    assert await reason(other.call(world.stub.GetOwnProposal, reading)) == "NOT_FOUND"
    assert await reason(other.call(world.stub.WithdrawProposal, taking)) == "NOT_FOUND"
    listed = await other.call(world.stub.ListOwnProposals, pb.ListOwnProposalsRequest())
    assert not listed.proposals


@pytest.mark.parametrize("kind", [Kind.EMPLOYER, Kind.AGENT, Kind.OPERATOR, Kind.SERVICE])
async def test_readers_see_the_same_masked_proposal_wherever_they_look(
    kind: Kind, world: World, offered: Offered
) -> None:
    member = kind in {Kind.EMPLOYER, Kind.AGENT}
    reader = world.by(kind, offered.job.organisation_id if member else None)
    seen = await world.get(reader, offered.proposal_id)
    listing = pb.ListProposalsRequest(job_id=offered.job.job_id)
    listed = await reader.call(world.stub.ListProposals, listing)
    assert list(listed.proposals) == [seen]
    assert (await world.count(reader, offered.job.job_id)).total == 1
    assert PROFILE.last_name not in str(seen)
    assert PROFILE.resume_reference not in str(seen)
