"""Idempotency by request_id: decided by a unique key, and a repeat gets the first answer."""

import hashlib
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import Principal
from services.common.errors import InvalidInput, Problems, Violation, problems
from services.common.tables import chassis_tables

T = TypeVar("T")
LONGEST_ID = 128


@dataclass(frozen=True, slots=True)
class Request:
    """One mutation as its caller named it.

    Attributes:
        id: the caller's request_id.
        method: the full name of the request message; each RPC has its own.
        fingerprint: tells whether two requests are the same, body and all.

    """

    id: str
    method: str
    fingerprint: bytes

    @classmethod
    def of(cls, message: Message) -> Self:
        """Read the request from its message, which has a field `request_id`.

        Raises:
            InvalidInput: the id is missing, too long or not printable.

        """
        with problems() as noted:
            cls.check(message, noted)
        request_id: str = message.request_id  # type: ignore[attr-defined] # each mutation has it
        body = message.SerializeToString(deterministic=True)
        return cls(request_id, message.DESCRIPTOR.full_name, hashlib.sha256(body).digest())

    @staticmethod
    def check(message: Message, noted: Problems) -> None:
        """Note an unsound request_id beside the other bad fields of a message."""
        request_id: str = message.request_id  # type: ignore[attr-defined] # each mutation has it
        noted.require_id("request_id", request_id, limit=LONGEST_ID)


class Requests:
    """The requests that a schema has answered."""

    def __init__(self, schema: str) -> None:
        table = chassis_tables(sa.MetaData(schema=schema)).request
        same = sa.and_(
            table.c.principal == sa.bindparam("of_principal"),
            table.c.request_id == sa.bindparam("of_request"),
        )
        self._claiming = insert(table).on_conflict_do_nothing()
        self._claimed = sa.select(
            table.c.method, table.c.fingerprint, sa.cast(table.c.answer, sa.Text)
        ).where(same)
        text = sa.bindparam("text", type_=sa.Text)
        self._answering = (
            sa.update(table).where(same).values(answer=sa.cast(text, table.c.answer.type))
        )

    async def claim(
        self, transaction: AsyncConnection, caller: Principal, request: Request, answer: type[T]
    ) -> T | None:
        """Claim the request for this unit of work, or give the answer it got before.

        An equal request that is being worked on is waited for. Call it first in the transaction,
        and `answer` last: what rolls back was never claimed.

        Raises:
            InvalidInput: REQUEST_ID_REUSED, the id came before with another body or method.

        """
        claimed = await transaction.execute(
            self._claiming,
            {
                "principal": _name(caller),
                "request_id": request.id,
                "method": request.method,
                "fingerprint": request.fingerprint,
            },
        )
        if claimed.rowcount:
            return None
        found = await transaction.execute(self._claimed, _same(caller, request))
        method, fingerprint, text = found.one()
        if (method, fingerprint) != (request.method, request.fingerprint):
            used = "was used before with another body or method: choose a new one"
            raise InvalidInput([Violation("request_id", used)], reason="REQUEST_ID_REUSED")
        first: T = _adapter(answer).validate_json(text)
        return first

    async def answer(
        self, transaction: AsyncConnection, caller: Principal, request: Request, value: object
    ) -> None:
        """Keep the first answer, a frozen dataclass of the domain, for every repeat."""
        text = _adapter(type(value)).dump_json(value).decode()
        await transaction.execute(self._answering, {**_same(caller, request), "text": text})


def _same(caller: Principal, request: Request) -> dict[str, str]:
    return {"of_principal": _name(caller), "of_request": request.id}


def _name(caller: Principal) -> str:
    return f"{caller.kind}/{caller.id}"


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
