"""Which kinds of caller may do what; a use case takes the type that its caller must have become."""

from typing import NewType

from services.common.auth import Kind, Principal, require_kind, require_service
from services.contracts.domain import TRAINER_KINDS, Contract, InvoiceKind

HireWorkflow = NewType("HireWorkflow", Principal)
BookReader = NewType("BookReader", Principal)
Auditor = NewType("Auditor", Principal)


def as_hire_workflow(caller: Principal) -> HireWorkflow:
    """Let other services pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_service(caller)
    return HireWorkflow(caller)


def as_book_reader(caller: Principal) -> BookReader:
    """Let those pass who may know of fees. Raises Denied CALLER_NOT_ALLOWED for trainers."""
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT, Kind.OPERATOR, Kind.SERVICE)
    return BookReader(caller)


def as_auditor(caller: Principal) -> Auditor:
    """Let operators pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_kind(caller, Kind.OPERATOR)
    return Auditor(caller)


def sees_costs(caller: Principal) -> bool:
    """Tell whether fees, charges and the employer's invoices are the caller's business."""
    return caller.kind is not Kind.TRAINER


def may_read(caller: Principal, contract: Contract) -> bool:
    """Tell whether the caller may know that the contract exists."""
    match caller.kind:
        case Kind.EMPLOYER | Kind.AGENT:
            return caller.organisation_id == contract.parties.organisation_id
        case Kind.TRAINER:
            return caller.id == contract.parties.trainer_id
        case Kind.OPERATOR | Kind.SERVICE:
            return True


def readable_kinds(caller: Principal) -> frozenset[InvoiceKind]:
    """Tell which papers of a contract the caller may read."""
    return frozenset(InvoiceKind) if sees_costs(caller) else TRAINER_KINDS
