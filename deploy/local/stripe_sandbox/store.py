"""The one SQLite file: objects, answers remembered for idempotency keys, deliveries, the clock.

One connection, one thread, short transactions: a request's change, its events, their deliveries
and its remembered answer commit together or not at all. WAL with synchronous=NORMAL survives the
death of the process (not of the machine), which is what a local Stripe is asked to survive.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.stripe_sandbox.values import Json, Value

SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL,
    hidden TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, account, number);
CREATE INDEX IF NOT EXISTS object_customer
    ON object (kind, json_extract(body, '$.customer'), number);
CREATE INDEX IF NOT EXISTS object_payment_intent
    ON object (kind, json_extract(body, '$.payment_intent'), number);
CREATE INDEX IF NOT EXISTS object_charge
    ON object (kind, json_extract(body, '$.charge'), number);
CREATE INDEX IF NOT EXISTS object_transfer_group
    ON object (kind, json_extract(body, '$.transfer_group'), number);
CREATE INDEX IF NOT EXISTS object_source
    ON object (kind, json_extract(body, '$.source'), number);
CREATE INDEX IF NOT EXISTS object_source_transaction
    ON object (kind, json_extract(body, '$.source_transaction'), number);
CREATE TABLE IF NOT EXISTS answer (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    request_id TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) STRICT;
CREATE INDEX IF NOT EXISTS answer_created ON answer (created);
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    last_status INTEGER,
    last_error TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, due, number);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""

TABLES = ("object", "answer", "delivery", "setting")


class Store:
    """Everything the sandbox remembers."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it."""
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is written inside, or nothing of it when an exception leaves."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:  # whatever leaves, a cancelled task too, takes its writes back
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Take back what is written inside, and only that, when an exception leaves."""
        self._db.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:  # as above
            self._db.execute("ROLLBACK TO attempt")
            self._db.execute("RELEASE attempt")
            raise
        self._db.execute("RELEASE attempt")

    def run(self, sql: str, *values: Value) -> list[sqlite3.Row]:
        """Run a statement of a room that owns its own columns (answers, deliveries, listings)."""
        return self._db.execute(sql, values).fetchall()

    def now(self) -> int:
        """Give the sandbox's time in Unix seconds: real time plus what tests have added."""
        return int(time.time()) + int(self.setting("clock_offset", "0"))

    def setting(self, name: str, default: str) -> str:
        """Read a setting."""
        row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return str(row["value"]) if row else default

    def set_setting(self, name: str, value: str) -> None:
        """Write a setting."""
        self._db.execute(
            "INSERT INTO setting VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def insert(self, account: str, body: Json, hidden: Json | None = None) -> None:
        """Add an object; its own `object` field is its kind."""
        self._db.execute(
            "INSERT INTO object (id, kind, account, created, body, hidden) VALUES (?,?,?,?,?,?)",
            (
                body["id"],
                body["object"],
                account,
                body.get("created", 0),
                json.dumps(body),
                json.dumps(hidden or {}),
            ),
        )

    def get(
        self, identity: str, kind: str | None = None, account: str | None = None
    ) -> Json | None:
        """Read one object; None when it is unknown, of another kind or of another account."""
        row = self._db.execute(
            "SELECT body, kind, account FROM object WHERE id = ?", (identity,)
        ).fetchone()
        if row is None or (kind and row["kind"] != kind) or (account and row["account"] != account):
            return None
        found: Json = json.loads(row["body"])
        return found

    def account_of(self, identity: str) -> str:
        """Tell which account owns an existing object."""
        row = self._db.execute("SELECT account FROM object WHERE id = ?", (identity,)).fetchone()
        return str(row["account"])

    def save(self, body: Json) -> None:
        """Write an existing object back."""
        self._db.execute("UPDATE object SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))

    def hidden(self, identity: str) -> Json:
        """Read what the sandbox knows of an object and Stripe would not show."""
        row = self._db.execute("SELECT hidden FROM object WHERE id = ?", (identity,)).fetchone()
        found: Json = json.loads(row["hidden"]) if row else {}
        return found

    def hide(self, identity: str, **facts: Value) -> None:
        """Add to what `hidden` gives."""
        together = self.hidden(identity) | facts
        self._db.execute(
            "UPDATE object SET hidden = ? WHERE id = ?", (json.dumps(together), identity)
        )

    def select(self, kind: str, **fields: Value) -> list[Json]:
        """Give the objects of a kind whose fields have these values, newest first."""
        # The names are the sandbox's own words, never a caller's.
        clauses = "".join(f" AND json_extract(body, '$.{name}') = ?" for name in fields)
        rows = self.run(
            f"SELECT body FROM object WHERE kind = ?{clauses} ORDER BY number DESC",  # noqa: S608 - see above
            kind,
            *fields.values(),
        )
        return [json.loads(row["body"]) for row in rows]

    def reset(self) -> None:
        """Forget everything."""
        with self.transaction():
            for table in TABLES:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are constants
