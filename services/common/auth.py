"""Who calls, and what each kind of caller may do.

Organisation, kind and roles are the token's claims; an identity provider owns them. Nothing is
allowed unless a use case says so with one of the `require_…` functions.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from services.common.errors import Denied, NotFound

PAYER_ROLE = "payer"


class Kind(StrEnum):
    """The kinds of caller; a token's claim `kind` is exactly one."""

    EMPLOYER = "employer"
    AGENT = "agent"
    TRAINER = "trainer"
    OPERATOR = "operator"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller. Employers and agents have an organisation; the others have none."""

    kind: Kind
    id: str
    organisation_id: str | None = None
    roles: frozenset[str] = frozenset()


_caller: ContextVar[Principal] = ContextVar("caller")


def current_caller() -> Principal:
    """Give the caller of the call being served; LookupError outside of one."""
    return _caller.get()


def set_caller(principal: Principal) -> None:
    """Note the caller of the call being served; for the server alone."""
    _caller.set(principal)


def require_kind(caller: Principal, *kinds: Kind) -> None:
    """Refuse a caller of any other kind.

    Raises:
        Denied: CALLER_NOT_ALLOWED.

    """
    if caller.kind not in kinds:
        allowed = ", ".join(kinds)
        raise Denied("CALLER_NOT_ALLOWED", f"callers of kind {caller.kind} may not: {allowed} may")


def require_member(
    caller: Principal, organisation_id: str, resource: str = "organisation", identifier: str = ""
) -> None:
    """Refuse who is no member or agent of the organisation that owns a resource.

    Raises:
        Denied: trainers, operators and services never may.
        NotFound: the resource is another organisation's.

    """
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT)
    _require_same(caller, organisation_id, resource, identifier)


def require_reader(
    caller: Principal, organisation_id: str, resource: str = "organisation", identifier: str = ""
) -> None:
    """Refuse who may not read an organisation's resource: members, operators and services may.

    Raises:
        Denied: trainers; where they may read, the use case asks for that first.
        NotFound: the resource is another organisation's.

    """
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT, Kind.OPERATOR, Kind.SERVICE)
    if caller.kind in {Kind.EMPLOYER, Kind.AGENT}:
        _require_same(caller, organisation_id, resource, identifier)


def require_trainer(caller: Principal) -> str:
    """Refuse who is no trainer (Denied); give the trainer's id."""
    require_kind(caller, Kind.TRAINER)
    return caller.id


def require_service(caller: Principal) -> None:
    """Refuse who is no internal service (Denied)."""
    require_kind(caller, Kind.SERVICE)


def may_move_money(caller: Principal) -> bool:
    """Tell whether the caller may pay: a human member with the role `payer`, never an agent."""
    return caller.kind is Kind.EMPLOYER and PAYER_ROLE in caller.roles


def require_payer(caller: Principal) -> None:
    """Refuse who may not move money.

    Raises:
        Denied: CALLER_NOT_ALLOWED for other kinds, PAYER_ROLE_MISSING for other members.

    """
    require_kind(caller, Kind.EMPLOYER)
    if not may_move_money(caller):
        raise Denied("PAYER_ROLE_MISSING", f"moving money needs the role {PAYER_ROLE}")


def _require_same(caller: Principal, organisation_id: str, resource: str, identifier: str) -> None:
    if not organisation_id or caller.organisation_id != organisation_id:
        raise NotFound(resource, identifier or organisation_id)
