"""The floors of a read: the chassis serving the same answers with no work, or with one SELECT.

    python -m benchmarks.floor

serves ProposalsService under the settings of the environment. A request for the id `nothing` is
answered at once with an answer of the usual size; any other first reads the rows that a page or a
proposal consists of, by one statement over an index, and does nothing with them. A page whose token
is `rows` is written out from the rows, as any handler would have to.
"""

from typing import Any

import grpc
import grpc.aio
import sqlalchemy as sa
import uvloop
from google.protobuf.timestamp_pb2 import Timestamp

from hireflow.common.v1 import money_pb2
from hireflow.proposals.v1 import proposal_pb2 as pb
from services.common.database import Database
from services.common.runtime import Part, Resources, Servicer, run
from services.common.settings import Settings

NOTHING = "nothing"
AS_ROWS = "rows"
ROWS = 50
NAME = pb.DESCRIPTOR.services_by_name["ProposalsService"].full_name
_ONE = sa.text("SELECT * FROM proposals.proposal WHERE proposal_id = :id")
_PAGE = sa.text(
    "SELECT * FROM proposals.proposal WHERE job_id = :id AND review_state = 'UNREVIEWED'"
    " AND NOT withdrawn ORDER BY create_time DESC, proposal_id DESC LIMIT :rows"
)


def answer() -> pb.Proposal:
    """Make a proposal of the size that the benchmark's rows have."""
    return pb.Proposal(
        proposal_id="p" * 36, job_id="j" * 36, message="m" * 200, summary="s" * 100, etag="v1"
    )


def _written(row: sa.Row[Any]) -> pb.Proposal:
    created, updated = Timestamp(), Timestamp()
    created.FromDatetime(row.create_time)
    updated.FromDatetime(row.update_time)
    return pb.Proposal(
        proposal_id=row.proposal_id,
        job_id=row.job_id,
        organisation_id=row.organisation_id,
        candidate=pb.Candidate(
            trainer_id=row.trainer_id,
            display_name=row.display_name,
            country=row.country,
            title=row.title,
        ),
        message=row.message,
        summary=row.summary,
        rate=pb.Rate(
            amount=money_pb2.Money(minor_units=row.rate, currency_code=row.currency),
            unit=pb.RateUnit.Value(f"RATE_UNIT_{row.rate_unit}"),
        ),
        match=pb.Match(score=row.match_score, met=row.match_met, missing=row.match_missing),
        review_state=pb.ReviewState.Value(f"REVIEW_STATE_{row.review_state}"),
        etag=f"v{row.version}",
        create_time=created,
        update_time=updated,
    )


class Floor:
    """Answers with less than a service must do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one = pb.GetProposalResponse(proposal=answer())
        self._page = pb.ListProposalsResponse(proposals=[answer()] * ROWS)

    async def get(self, request: pb.GetProposalRequest, _: object) -> pb.GetProposalResponse:
        """Answer with one proposal."""
        if request.proposal_id != NOTHING:
            async with self._database.read() as connection:
                (await connection.execute(_ONE, {"id": request.proposal_id})).one()
        return self._one

    async def list(self, request: pb.ListProposalsRequest, _: object) -> pb.ListProposalsResponse:
        """Answer with a page."""
        if request.job_id == NOTHING:
            return self._page
        async with self._database.read() as connection:
            rows = (await connection.execute(_PAGE, {"id": request.job_id, "rows": ROWS})).all()
        if request.page_token != AS_ROWS:
            return self._page
        return pb.ListProposalsResponse(proposals=map(_written, rows))


def add(floor: Floor, server: grpc.aio.Server) -> None:
    """Serve the two methods that are measured."""
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "GetProposal": grpc.unary_unary_rpc_method_handler(
            floor.get,
            request_deserializer=pb.GetProposalRequest.FromString,
            response_serializer=pb.GetProposalResponse.SerializeToString,
        ),
        "ListProposals": grpc.unary_unary_rpc_method_handler(
            floor.list,
            request_deserializer=pb.ListProposalsRequest.FromString,
            response_serializer=pb.ListProposalsResponse.SerializeToString,
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))


def build(resources: Resources) -> Part:
    """Serve the floor."""
    return Part(servicers=(Servicer(add, Floor(resources.database), NAME),))


if __name__ == "__main__":
    uvloop.run(run(Settings(), "floor", [build]))
