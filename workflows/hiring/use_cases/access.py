"""Which kinds of caller may do what; a use case takes the type that its caller must have become."""

from dataclasses import dataclass

from services.common.auth import Kind, Principal, require_kind, require_payer
from services.common.errors import Denied, NotFound
from workflows.hiring.domain import Actor


@dataclass(frozen=True, slots=True)
class Member:
    """A human member or an agent of one organisation."""

    principal: Principal
    organisation_id: str

    @property
    def actor(self) -> Actor:
        """Who it is, for the story."""
        return Actor(self.principal.kind.upper(), self.principal.id)

    def require_own(self, organisation_id: str, resource: str, identifier: str) -> None:
        """Refuse another organisation's resource. Raises NotFound."""
        if self.organisation_id != organisation_id:
            raise NotFound(resource, identifier)


@dataclass(frozen=True, slots=True)
class Payer(Member):
    """A human member who may move money."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A member of the staff who runs Hireflow."""

    principal: Principal

    @property
    def actor(self) -> Actor:
        """Who it is, for the story."""
        return Actor(self.principal.kind.upper(), self.principal.id)


def as_operator(caller: Principal) -> Operator:
    """Let operators pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_kind(caller, Kind.OPERATOR)
    return Operator(caller)


def as_member(caller: Principal) -> Member:
    """Let members and agents pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT)
    return Member(caller, _organisation(caller))


def as_human_member(caller: Principal) -> Member:
    """Let human members pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_kind(caller, Kind.EMPLOYER)
    return Member(caller, _organisation(caller))


def as_payer(caller: Principal) -> Payer:
    """Let human members with the role pass.

    Raises Denied PAYER_ROLE_MISSING for other members, CALLER_NOT_ALLOWED for all others.
    """
    require_payer(caller)
    return Payer(caller, _organisation(caller))


def as_starter(caller: Principal) -> Member:
    """Let payers pass, and agents, whose hires a human will approve; raises as `as_payer` does."""
    return as_member(caller) if caller.kind is Kind.AGENT else as_payer(caller)


def require_may_read(caller: Principal, organisation_id: str, resource: str, name: str) -> None:
    """Refuse who may not read an organisation's hires: members, operators and services may.

    Raises Denied CALLER_NOT_ALLOWED for trainers, NotFound for another organisation's.
    """
    as_reader(caller)
    if caller.kind in {Kind.EMPLOYER, Kind.AGENT} and caller.organisation_id != organisation_id:
        raise NotFound(resource, name)


def as_reader(caller: Principal) -> Principal:
    """Let those pass who may read hires. Raises Denied CALLER_NOT_ALLOWED for trainers."""
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT, Kind.OPERATOR, Kind.SERVICE)
    return caller


def _organisation(caller: Principal) -> str:
    if caller.organisation_id is None:
        raise Denied("CALLER_NOT_ALLOWED", "the caller belongs to no organisation")
    return caller.organisation_id
