"""Random calls, right and wrong ones, against the service of contracts and a simple model."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import grpc.aio
import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2 as pb
from services.common.auth import Kind
from services.common.remote_errors import error_of
from tests.integration.contracts.calls import CALLS, CONTRACTS, FIRST, MEMBERS, NOWHERE, Call
from tests.integration.contracts.model import Contract, Model
from tests.integration.contracts.test_charging import ledger
from tests.integration.contracts.world import (
    Agreement,
    Stub,
    World,
    quote,
    terms,
    unique,
)
from tests.seeds import told_seed

Run: TypeAlias = Callable[[Coroutine[Any, Any, None]], None]
STATES = ("PENDING", "ACTIVE", "ENDED", "CANCELLED")
DEBITS = ("CHARGED", "PLATFORM_LOSS")
ACCOUNTS = (*DEBITS, "HELD", "TRANSFERRED", "REFUNDED", "CHARGED_BACK", "FEES")


@dataclass(frozen=True)
class Asked:
    """A call as it is sent, and how its answer reads in the words of the model."""

    method: str
    request: Message
    show: Callable[[Any], object]


class Real:
    """The same calls on the service, with people, contracts and payments of their own."""

    def __init__(self, callers: dict[str, Stub], organisations: dict[str, str]) -> None:
        self.callers, self.organisations = callers, organisations
        self.prefix = unique("x")
        self.contracts = [
            Agreement.new(
                organisation_id=organisations[organisation],
                trainer_id=f"{self.prefix}-tom",
                hire_id=f"{self.prefix}-{hire}",
            )
            for organisation, hire in CONTRACTS
        ]
        self.places = {each.contract_id: at for at, each in enumerate(self.contracts)}
        self.milestones = {each.milestone_id: at for at, each in enumerate(self.contracts)}

    @classmethod
    def begin(cls, world: World) -> "Real":
        organisations = {name: unique("organisation") for name in "AB"}
        callers = {
            name: world.caller(Kind.EMPLOYER, unique(name), organisations[organisation])
            for name, organisation in MEMBERS.items()
        }
        callers["operator"] = world.caller(Kind.OPERATOR, unique("operator"))
        callers["workflow"] = world.caller(Kind.SERVICE, unique("service"))
        real = cls(callers, organisations)
        callers["tom"] = world.caller(Kind.TRAINER, f"{real.prefix}-tom")
        return real

    def ask(self, call: Call, charged: int) -> Asked:
        """Write the call's request, under a new request_id."""
        money = money_pb2.Money(minor_units=charged, currency_code=call.currency)
        asked: Asked = getattr(self, f"_{call.what}")(call, self._agreement(call), money)
        return asked

    async def send(self, caller: str, asked: Asked) -> object:
        """Send it; give what it answers, or the reason why it is refused."""
        method: Callable[[Message], Awaitable[Any]] = getattr(self.callers[caller], asked.method)
        try:
            answer = await method(asked.request)
        except grpc.aio.AioRpcError as error:
            return error_of(error).reason
        return asked.show(answer)

    def id(self, name: str) -> str:
        """An id at the provider."""
        return f"{self.prefix}-{name}"

    def seen(self, contract: pb.Contract) -> object:
        """A contract in the words of the model."""
        (milestone,) = contract.milestones
        return (
            self.places[contract.contract_id],
            self.milestones[milestone.milestone_id],
            pb.ContractState.Name(contract.state).removeprefix("CONTRACT_STATE_"),
            pb.MilestoneState.Name(milestone.state).removeprefix("MILESTONE_STATE_"),
            milestone.terms.amount.minor_units,
            milestone.charge_id.removeprefix(f"{self.prefix}-"),
            contract.etag,
        )

    def paper(self, invoice: pb.Invoice) -> tuple[int, str, int]:
        """A paper in the words of the model."""
        kind = pb.InvoiceKind.Name(invoice.kind).removeprefix("INVOICE_KIND_")
        return invoice.number, kind, invoice.total_minor_units

    def told(self, answer: Any) -> object:
        """The contract of an answer in the words of the model."""
        return self.seen(answer.contract)

    def _create(self, call: Call, agreement: Agreement, _: money_pb2.Money) -> Asked:
        request = agreement.create()
        request.milestone.CopyFrom(terms(call.amount))
        request.quote.CopyFrom(quote(call.amount))
        return Asked("CreateContract", request, self.told)

    def _amend(self, call: Call, agreement: Agreement, _: money_pb2.Money) -> Asked:
        return Asked("AmendContract", agreement.amend(call.amount), self.told)

    def _cancel(self, call: Call, agreement: Agreement, _: money_pb2.Money) -> Asked:
        request = agreement.cancel(call.reason)
        return Asked("CancelContract", request, lambda told: told.cancelled)

    def _activate(self, call: Call, agreement: Agreement, money: money_pb2.Money) -> Asked:
        request = agreement.activate(self._charge(call, money))
        return Asked("ActivateContract", request, self._told_with("invoice"))

    def _late(self, call: Call, agreement: Agreement, money: money_pb2.Money) -> Asked:
        request = agreement.refunded(self._charge(call, money), self.id(call.refund))
        return Asked("RecordRefundedCharge", request, self.told)

    def _refund(self, call: Call, agreement: Agreement, money: money_pb2.Money) -> Asked:
        request = agreement.refund(self.id(call.refund))
        request.charge.CopyFrom(self._charge(call, money))
        request.reason = call.reason
        return Asked("RefundContract", request, self._told_with("credit_note"))

    def _refund_failed(self, call: Call, _: Agreement, __: money_pb2.Money) -> Asked:
        request = pb.RecordRefundFailedRequest(refund_id=self.id(call.refund))
        request.request_id = unique("request")
        return Asked("RecordRefundFailed", request, self.told)

    def _dispute(self, call: Call, _: Agreement, money: money_pb2.Money) -> Asked:
        request = pb.RecordDisputeRequest(
            request_id=unique("request"),
            dispute_id=self.id(call.dispute),
            charge_id=self.id(call.charge),
            amount=money,
            state=pb.DisputeState.Value(f"DISPUTE_STATE_{call.state}"),
        )
        return Asked("RecordDispute", request, self.told)

    def _quote(self, call: Call, agreement: Agreement, _: money_pb2.Money) -> Asked:
        amount = money_pb2.Money(minor_units=call.amount, currency_code="USD")
        of_contract = "" if call.contract == NOWHERE else agreement.contract_id
        request = pb.QuoteMilestoneRequest(amount=amount, contract_id=of_contract)
        return Asked("QuoteMilestone", request, lambda told: told.quote.total_minor_units)

    def _charge(self, call: Call, money: money_pb2.Money) -> pb.Charge:
        return pb.Charge(
            charge_id=self.id(call.charge),
            payment_intent_id=self.id(call.charge),
            funding_id=self.id(call.funding),
            amount=money,
        )

    def _told_with(self, paper: str) -> Callable[[Any], object]:
        def show(answer: Any) -> object:
            told = self.paper(getattr(answer, paper)) if answer.HasField(paper) else None
            return self.seen(answer.contract), told

        return show

    def _agreement(self, call: Call) -> Agreement:
        if call.contract == NOWHERE:
            return Agreement.new(contract_id=self.id("nowhere"), milestone_id=self.id("nothing"))
        milestone_id = self.contracts[call.milestone].milestone_id
        return replace(self.contracts[call.contract], milestone_id=milestone_id)


async def _compare_contract(world: World, contract: Contract, real: Real) -> None:
    """Compare who reads what of a contract, its ledger, its papers and its events."""
    agreement = real.contracts[contract.place]
    contract_id = agreement.contract_id
    asked = Asked("GetContract", pb.GetContractRequest(contract_id=contract_id), real.told)
    for caller, stub in real.callers.items():
        stranger = MEMBERS.get(caller, contract.organisation) != contract.organisation
        shown = replace(contract, charge="") if caller == "tom" else contract
        assert await real.send(caller, asked) == ("NOT_FOUND" if stranger else shown.seen())
        papers = pb.ListInvoicesRequest(contract_id=contract_id)
        if not stranger:
            listed = (await stub.ListInvoices(papers)).invoices
            mine = [] if caller == "tom" else contract.papers
            assert [real.paper(each) for each in listed] == mine
    booked = await ledger(real.callers["operator"], agreement)
    short = len(real.prefix) + 1
    assert [(kind, cause[short:], moved) for kind, cause, moved in booked] == contract.ledger
    assert await world.events(contract_id) == contract.events
    sums = {name: contract.balance(name) for name in ACCOUNTS}
    owned = {name: sums[name] * (1 if name in DEBITS else -1) for name in ACCOUNTS}
    assert min(owned.values()) >= 0
    assert owned["CHARGED"] == sum(owned.values()) - owned["CHARGED"] - 2 * owned["PLATFORM_LOSS"]


async def _compare_lists(model: Model, real: Real) -> None:
    """Compare each organisation's contracts, papers and proved ledgers."""
    operator = real.callers["operator"]
    for name, organisation_id in real.organisations.items():
        mine = [each for each in model.contracts.values() if each.organisation == name][::-1]
        for states in (STATES, *((state,) for state in STATES)):
            values = [pb.ContractState.Value(f"CONTRACT_STATE_{state}") for state in states]
            request = pb.ListContractsRequest(organisation_id=organisation_id, states=values)
            listed = (await operator.ListContracts(request)).contracts
            expected = [each.seen() for each in mine if each.state in states]
            assert [real.seen(each) for each in listed] == expected
        numbers = sorted(number for each in mine for number, *_ in each.papers)
        assert numbers == list(range(1, model.numbers[name] + 1))
        proved = await operator.VerifyLedger(
            pb.VerifyLedgerRequest(organisation_id=organisation_id)
        )
        assert (proved.contracts, list(proved.findings)) == (len(mine), [])


async def _compare(world: World, calls: list[Call]) -> None:
    model, real = Model(), Real.begin(world)
    for call in calls:
        asked = real.ask(call, model.charged(call))
        expected = model.apply(call)
        assert await real.send(call.caller, asked) == expected, call
        if call.again == "same":
            assert await real.send(call.caller, asked) == expected, ("again", call)
        if call.again == "other" and call.what != "quote" and not isinstance(expected, str):
            reused = real.ask(replace(call, what="cancel", reason="OTHER"), 1)
            reused.request.request_id = asked.request.request_id  # type: ignore[attr-defined] # each mutation has it
            assert await real.send(call.caller, reused) == "REQUEST_ID_REUSED", call
    for contract in model.contracts.values():
        await _compare_contract(world, contract, real)
    await _compare_lists(model, real)


@pytest.fixture
async def run(world: World) -> Run:
    """Run a coroutine on the loop of the session, where the service runs too."""
    return asyncio.get_running_loop().run_until_complete


def test_the_service_does_what_a_simple_model_of_it_does(world: World, run: Run) -> None:
    with told_seed() as drawn:

        @seed(drawn)
        @settings(
            max_examples=3,
            deadline=None,
            database=None,
            # A failure names its call; to shrink it against a real service would take minutes.
            phases=(Phase.generate,),
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(calls=st.lists(CALLS, min_size=40, max_size=50))
        def compare(calls: list[Call]) -> None:
            run(_compare(world, [*FIRST, *calls]))

        compare()
