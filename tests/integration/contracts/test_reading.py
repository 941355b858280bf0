"""Who may read what, page by page, and what a milestone costs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message

from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2 as pb
from services.common.auth import Kind
from services.common.paging import Cursor
from services.common.settings import Settings
from services.contracts import wiring
from services.contracts.domain import ContractState
from services.contracts.store.books import books_query
from services.contracts.store.contracts import Wanted, contracts_query
from services.contracts.store.tables import METADATA
from tests.integration.contracts.world import (
    Agreement,
    Stub,
    World,
    outcome,
    reason,
    unique,
)
from tests.migrations_check import assert_migrated
from tests.plans import plan_without
from tests.refusals import refusal
from tests.unit.contracts.authorisation import AUTHORISATION

CURSOR = Cursor(50, (datetime.now(UTC), "c"), "")
ACTIVE = (ContractState.ACTIVE,)
MISSING = ("NOT_FOUND", "NOT_FOUND")


@pytest.fixture
async def active(hiring: Stub, agreement: Agreement) -> Agreement:
    await hiring.CreateContract(agreement.create())
    await hiring.ActivateContract(agreement.activate())
    return agreement


def readings(stub: Stub, contract_id: str, invoice_id: str) -> dict[str, Awaitable[Message]]:
    return {
        "contract": stub.GetContract(pb.GetContractRequest(contract_id=contract_id)),
        "invoices": stub.ListInvoices(pb.ListInvoicesRequest(contract_id=contract_id)),
        "invoice": stub.GetInvoice(pb.GetInvoiceRequest(invoice_id=invoice_id)),
        "ledger": stub.ListLedgerEntries(pb.ListLedgerEntriesRequest(contract_id=contract_id)),
    }


async def invoice_of(hiring: Stub, agreement: Agreement) -> pb.Invoice:
    request = pb.ListInvoicesRequest(contract_id=agreement.contract_id)
    (invoice,) = (await hiring.ListInvoices(request)).invoices
    return invoice


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("method", AUTHORISATION)
async def test_a_kind_of_caller_is_refused_by_name_exactly_where_the_matrix_says_so(
    method: str, kind: Kind, world: World
) -> None:
    organisation_id = unique("organisation") if kind in {Kind.EMPLOYER, Kind.AGENT} else None
    stub = world.caller(kind, unique(kind), organisation_id)
    empty: Message = getattr(pb, f"{method}Request")()
    call: Callable[[Message], Awaitable[Message]] = getattr(stub, method)
    told = await outcome(call(empty))
    refused = told == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
    assert refused is (AUTHORISATION[method][kind.name] == "denied")


@pytest.mark.parametrize("kind", [Kind.EMPLOYER, Kind.AGENT, Kind.OPERATOR, Kind.SERVICE])
async def test_the_organisation_operators_and_services_read_everything_of_a_contract(
    kind: Kind, world: World, hiring: Stub, active: Agreement
) -> None:
    inside = active.organisation_id if kind in {Kind.EMPLOYER, Kind.AGENT} else None
    stub = world.caller(kind, unique(kind), inside)
    invoice = await invoice_of(hiring, active)
    for call in readings(stub, active.contract_id, invoice.invoice_id).values():
        await call
    read = await stub.GetContract(pb.GetContractRequest(contract_id=active.contract_id))
    assert read.contract.milestones[0].quote.total_minor_units == 50495


@pytest.mark.parametrize("kind", [Kind.EMPLOYER, Kind.AGENT])
async def test_another_organisation_learns_of_nothing(
    kind: Kind, world: World, hiring: Stub, active: Agreement
) -> None:
    stub = world.caller(kind, unique(kind), unique("organisation"))
    invoice = await invoice_of(hiring, active)
    for call in readings(stub, active.contract_id, invoice.invoice_id).values():
        assert await reason(call) == MISSING
    foreign = pb.ListContractsRequest(organisation_id=active.organisation_id)
    assert await reason(stub.ListContracts(foreign)) == MISSING
    amount = money_pb2.Money(minor_units=10000, currency_code="USD")
    quote = pb.QuoteMilestoneRequest(amount=amount, contract_id=active.contract_id)
    assert await reason(stub.QuoteMilestone(quote)) == MISSING


async def test_the_contracts_trainer_reads_it_without_fees_charge_or_the_employers_invoices(
    world: World, hiring: Stub, active: Agreement
) -> None:
    trainer = world.caller(Kind.TRAINER, active.trainer_id)
    invoice = await invoice_of(hiring, active)
    read = await trainer.GetContract(pb.GetContractRequest(contract_id=active.contract_id))
    (milestone,) = read.contract.milestones
    assert milestone.terms.amount.minor_units == 45000
    assert not milestone.HasField("quote")
    assert milestone.charge_id == ""
    (listed,) = (await trainer.ListContracts(pb.ListContractsRequest())).contracts
    assert listed == read.contract
    papers = await trainer.ListInvoices(pb.ListInvoicesRequest(contract_id=active.contract_id))
    assert list(papers.invoices) == []
    hidden = pb.GetInvoiceRequest(invoice_id=invoice.invoice_id)
    assert await reason(trainer.GetInvoice(hidden)) == MISSING


async def test_another_trainer_learns_of_nothing(world: World, active: Agreement) -> None:
    stranger = world.caller(Kind.TRAINER, unique("trainer"))
    contract = pb.GetContractRequest(contract_id=active.contract_id)
    assert await reason(stranger.GetContract(contract)) == MISSING
    papers = pb.ListInvoicesRequest(contract_id=active.contract_id)
    assert await reason(stranger.ListInvoices(papers)) == MISSING
    listed = pb.ListContractsRequest(organisation_id=active.organisation_id)
    assert list((await stranger.ListContracts(listed)).contracts) == []


async def test_a_call_without_a_token_is_unauthenticated(world: World) -> None:
    stub = world.caller(Kind.SERVICE, "service:hiring")
    world.sign, sign = (lambda _: "nonsense"), world.sign
    nobody = world.caller(Kind.SERVICE, "service:hiring")
    world.sign = sign
    request = pb.GetContractRequest(contract_id="x")
    assert await reason(nobody.GetContract(request)) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert await reason(stub.GetContract(request)) == MISSING


async def test_pages_show_every_contract_once_newest_first_while_more_are_made(
    world: World, hiring: Stub, agreement: Agreement
) -> None:
    organisation_id = agreement.organisation_id

    async def make() -> str:
        made = Agreement.new(organisation_id=organisation_id)
        await hiring.CreateContract(made.create())
        return made.contract_id

    before = [await make() for _ in range(7)]
    employer = world.caller(Kind.EMPLOYER, unique("employer"), organisation_id)
    seen: list[pb.Contract] = []
    token = ""
    while True:
        request = pb.ListContractsRequest(page_size=3, page_token=token)
        page = await employer.ListContracts(request)
        seen += page.contracts
        token = page.next_page_token
        if not token:
            break
        await make()
    assert [contract.contract_id for contract in seen] == before[::-1]
    times = [contract.create_time.ToDatetime() for contract in seen]
    assert all(newer >= older for newer, older in pairwise(times))


async def test_a_page_token_is_good_for_its_own_list_and_caller_alone(
    world: World, hiring: Stub, agreement: Agreement
) -> None:
    for _ in range(2):
        made = Agreement.new(organisation_id=agreement.organisation_id)
        await hiring.CreateContract(made.create())
    employer = world.caller(Kind.EMPLOYER, unique("employer"), agreement.organisation_id)
    token = (await employer.ListContracts(pb.ListContractsRequest(page_size=1))).next_page_token
    other = world.caller(Kind.EMPLOYER, unique("employer"), agreement.organisation_id)
    for stub, states in ((other, []), (employer, [pb.CONTRACT_STATE_PENDING])):
        request = pb.ListContractsRequest(page_size=1, page_token=token, states=states)
        error = await refusal(stub.ListContracts(request))
        assert [each.field for each in error.violations] == ["page_token"]


LISTING = ("contract_by_organisation", "contract_by_job", "contract_by_trainer", "contract_books")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (contracts_query(Wanted(ACTIVE, "o"), CURSOR), "contract_by_organisation"),
        (contracts_query(Wanted(ACTIVE, "o", job_id="j"), CURSOR), "contract_by_job"),
        (contracts_query(Wanted(ACTIVE, trainer_id="t"), CURSOR), "contract_by_trainer"),
        (
            books_query(Cursor(50, ("c",), ""), contract_id="", organisation_id="o"),
            "contract_books",
        ),
    ],
)
async def test_a_list_reads_one_range_of_its_index(
    world: World, query: sa.Select[Any], index: str
) -> None:
    others = {f"contracts.{each}" for each in LISTING} - {f"contracts.{index}"}
    plan = await plan_without(world.database, query, sorted(others))
    assert f"using {index} " in plan
    assert "Filter" not in plan


async def test_a_list_may_be_narrowed_to_a_job_and_to_states(
    world: World, hiring: Stub, active: Agreement
) -> None:
    pending = Agreement.new(organisation_id=active.organisation_id)
    await hiring.CreateContract(pending.create())
    employer = world.caller(Kind.EMPLOYER, unique("employer"), active.organisation_id)

    async def listed(**narrowed: object) -> list[str]:
        page = await employer.ListContracts(pb.ListContractsRequest(**narrowed))  # type: ignore[arg-type] # the fields of the request
        return [contract.contract_id for contract in page.contracts]

    assert await listed() == [pending.contract_id, active.contract_id]
    assert await listed(job_id=active.job_id) == [active.contract_id]
    assert await listed(states=[pb.CONTRACT_STATE_PENDING]) == [pending.contract_id]
    assert await listed(job_id=active.job_id, states=[pb.CONTRACT_STATE_PENDING]) == []
    error = await refusal(
        employer.ListContracts(pb.ListContractsRequest(states=[pb.CONTRACT_STATE_UNSPECIFIED]))
    )
    assert [each.field for each in error.violations] == ["states[0]"]


async def test_an_operator_names_the_organisation_whose_contracts_it_lists(
    world: World, active: Agreement
) -> None:
    operator = world.caller(Kind.OPERATOR, unique("operator"))
    error = await refusal(operator.ListContracts(pb.ListContractsRequest()))
    assert [each.field for each in error.violations] == ["organisation_id"]
    named = pb.ListContractsRequest(organisation_id=active.organisation_id)
    (contract,) = (await operator.ListContracts(named)).contracts
    assert contract.contract_id == active.contract_id


async def test_the_ledger_is_paged_oldest_first(hiring: Stub, agreement: Agreement) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.RecordRefundedCharge(agreement.refunded())
    request = pb.ListLedgerEntriesRequest(contract_id=agreement.contract_id, page_size=1)
    first = await hiring.ListLedgerEntries(request)
    request.page_token = first.next_page_token
    second = await hiring.ListLedgerEntries(request)
    assert [first.entries[0].kind, second.entries[0].kind] == ["funding", "refund"]
    assert second.next_page_token == ""


async def test_a_first_milestone_bears_the_contract_fee_and_a_further_one_does_not(
    world: World, active: Agreement
) -> None:
    agent = world.caller(Kind.AGENT, unique("agent"), active.organisation_id)

    async def quote(amount: int, contract_id: str = "") -> pb.Quote:
        asked = money_pb2.Money(minor_units=amount, currency_code="USD")
        request = pb.QuoteMilestoneRequest(amount=asked, contract_id=contract_id)
        return (await agent.QuoteMilestone(request)).quote

    assert (await quote(45000)).total_minor_units == 50495
    further = await quote(10000, active.contract_id)
    assert (further.contract_fee_minor_units, further.total_minor_units) == (0, 11000)


async def test_a_quote_names_every_bad_field_at_once(hiring: Stub) -> None:
    error = await refusal(hiring.QuoteMilestone(pb.QuoteMilestoneRequest(contract_id="\x00")))
    assert [each.field for each in error.violations] == [
        "amount.minor_units",
        "amount.currency_code",
        "contract_id",
    ]


async def test_a_further_milestone_of_a_cancelled_contract_is_not_quoted(
    hiring: Stub, agreement: Agreement
) -> None:
    await hiring.CreateContract(agreement.create())
    await hiring.CancelContract(agreement.cancel())
    asked = money_pb2.Money(minor_units=10000, currency_code="USD")
    request = pb.QuoteMilestoneRequest(amount=asked, contract_id=agreement.contract_id)
    cancelled = ("FAILED_PRECONDITION", "CONTRACT_CANCELLED")
    assert await reason(hiring.QuoteMilestone(request)) == cancelled


async def test_the_migrations_make_what_the_store_says(settings: Settings, world: World) -> None:
    await assert_migrated(settings, wiring.SCHEMA, wiring.MIGRATIONS, METADATA)


async def test_an_activations_events_reach_the_stream_in_order(
    world: World, hiring: Stub, active: Agreement
) -> None:
    async with asyncio.timeout(10):
        told = await world.told(active.contract_id, 5)
    assert told == [
        ("contract.created", "1"),
        ("milestone.created", "2"),
        ("milestone.funded", "3"),
        ("contract.activated", "4"),
        ("invoice.issued", "5"),
    ]
