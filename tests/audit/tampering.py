"""Ways in which somebody who owns the database could try to change what the record says."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from gandan.audit import chain

COLUMNS = tuple(name for name in chain.FIELDS if name != "seq")
ROWS = "audit_auditentry"


@dataclass
class Forger:
    """Somebody with the right to write any statement, and a die to choose what to do."""

    dice: random.Random
    entries: int
    signed: int
    """The number of the newest entry that a checkpoint kept elsewhere vouches for."""

    def tamper(self) -> str:
        """Do one thing; return what it was."""
        kind = self.dice.choice(sorted(KINDS))
        KINDS[kind](self)
        return kind

    # One entry, or a few

    def update(self) -> None:
        column = self.dice.choice([*COLUMNS, "hash"])
        seq = self._any()
        before = self._one(f"SELECT {column} FROM {ROWS} WHERE seq = %s", seq)
        self._run(f"UPDATE {ROWS} SET {column} = %s WHERE seq = %s", self._other(column, before), seq)

    def update_with_its_hash(self) -> None:
        seq = self._any()
        row = self._row(seq)
        row["action"] = f"{row['action'][:50]}.x"
        self._run(f"UPDATE {ROWS} SET action = %s WHERE seq = %s", row["action"], seq)
        digest = chain.link(self._previous(seq), row)
        self._run(f"UPDATE {ROWS} SET hash = %s WHERE seq = %s", digest, seq)
        if seq == self.entries:
            self._head(seq, digest)

    def delete(self) -> None:
        self._run(f"DELETE FROM {ROWS} WHERE seq = %s", self._any())

    def delete_and_close_the_gap(self) -> None:
        seq = self.dice.randint(1, self.entries - 1)
        self._run(f"DELETE FROM {ROWS} WHERE seq = %s", seq)
        for number in range(seq + 1, self.entries + 1):
            self._run(f"UPDATE {ROWS} SET seq = %s WHERE seq = %s", number - 1, number)
        self._head(self.entries - 1, self._previous(self.entries))

    def insert(self) -> None:
        row = self._row(self._any()) | {"seq": self.entries + 1}
        self._insert(row | {"hash": chain.link(self._previous(self.entries + 1), row)})

    def insert_in_the_middle(self) -> None:
        seq = self._any()
        for number in range(self.entries, seq - 1, -1):
            self._run(f"UPDATE {ROWS} SET seq = %s WHERE seq = %s", number + 1, number)
        row = self._row(self.dice.choice([n for n in range(1, self.entries + 2) if n != seq])) | {"seq": seq}
        self._insert(row | {"hash": chain.link(self._previous(seq), row)})
        self._head(self.entries + 1, self._hash(self.entries + 1))

    def swap(self) -> None:
        one, other = self.dice.sample(range(1, self.entries + 1), 2)
        self._renumber({one: other, other: one})

    def reorder(self) -> None:
        start = self.dice.randint(1, self.entries - 5)
        run = list(range(start, start + 5))
        shuffled = run
        while shuffled == run:
            shuffled = self.dice.sample(run, len(run))
        self._renumber(dict(zip(run, shuffled, strict=True)))

    # The end, the head, the whole

    def cut_the_end(self) -> None:
        seq = self.dice.randint(1, self.entries - 1)
        self._run(f"DELETE FROM {ROWS} WHERE seq > %s", seq)

    def cut_the_end_and_mend_the_head(self) -> None:
        seq = self.dice.randint(1, self.signed - 1)
        self._run(f"DELETE FROM {ROWS} WHERE seq > %s", seq)
        self._run("DELETE FROM audit_auditcheckpoint WHERE seq > %s", seq)
        self._head(seq, self._hash(seq))

    def rewrite(self) -> None:
        """Change one entry and write everything after it anew, with right hashes and a right head."""
        seq = self.dice.randint(1, self.signed)
        row = self._row(seq)
        row["object_id"] = UUID(int=self.dice.getrandbits(128), version=4)
        self._run(f"UPDATE {ROWS} SET object_id = %s WHERE seq = %s", self._stored(row["object_id"]), seq)
        previous = self._previous(seq)
        for number in range(seq, self.entries + 1):
            previous = chain.link(previous, row if number == seq else self._row(number))
            self._run(f"UPDATE {ROWS} SET hash = %s WHERE seq = %s", previous, number)
        self._run("DELETE FROM audit_auditcheckpoint WHERE seq >= %s", seq)
        self._head(self.entries, previous)

    def head_number(self) -> None:
        self._run("UPDATE audit_audithead SET seq = %s", self.entries + self.dice.choice([-3, -1, 1, 7]))

    def head_hash(self) -> None:
        self._run("UPDATE audit_audithead SET hash = %s", f"{self.dice.getrandbits(256):064x}")

    def no_head(self) -> None:
        self._run("DELETE FROM audit_audithead")

    def all_gone(self) -> None:
        for table in (ROWS, "audit_audithead", "audit_auditcheckpoint"):
            self._run(f"DELETE FROM {table}")

    # The checkpoints

    def checkpoint_altered(self) -> None:
        column = self.dice.choice(["hash", "signature", "at", "key", "instance"])
        seq = self._checkpoint()
        before = self._one(f"SELECT {column} FROM audit_auditcheckpoint WHERE seq = %s", seq)
        self._run(f"UPDATE audit_auditcheckpoint SET {column} = %s WHERE seq = %s", self._other(column, before), seq)

    def checkpoint_moved(self) -> None:
        seq = self._checkpoint()
        self._run("UPDATE audit_auditcheckpoint SET seq = %s WHERE seq = %s", seq + self.dice.choice([-1, 1]), seq)

    def checkpoint_deleted(self) -> None:
        self._run("DELETE FROM audit_auditcheckpoint WHERE seq = %s", self._checkpoint())

    # Means

    def _any(self) -> int:
        return self.dice.randint(1, self.entries)

    def _checkpoint(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq FROM audit_auditcheckpoint ORDER BY seq")
            return self.dice.choice([row[0] for row in cursor.fetchall()])

    def _other(self, column: str, before: Any) -> Any:
        match column:
            case "at":
                then = before if isinstance(before, datetime) else datetime.fromisoformat(f"{before}+00:00")
                then += timedelta(microseconds=self.dice.choice([-1, 1, 10**6, 864 * 10**8]))
                return then if connection.vendor == "postgresql" else then.replace(tzinfo=None).isoformat(" ")
            case "actor_id" | "grant_id" | "object_id" | "unit_id" | "instance":
                return self._stored(UUID(int=self.dice.getrandbits(128), version=4))
            case "hash" | "commitment" | "signature" | "key":
                return self._one_digit_other(before) if before else f"{self.dice.getrandbits(256):064x}"
        return f"{before}."[:60]

    def _one_digit_other(self, text: str) -> str:
        place = self.dice.randrange(len(text))
        digit = self.dice.choice([d for d in "0123456789abcdef" if d != text[place]])
        return text[:place] + digit + text[place + 1 :]

    def _stored(self, key: UUID) -> Any:
        return key if connection.vendor == "postgresql" else key.hex

    def _row(self, seq: int) -> dict[str, Any]:
        from gandan.audit.models import AuditEntry

        return dict(AuditEntry.system("forger").filter(seq=seq).values(*chain.FIELDS).get())

    def _insert(self, row: dict[str, Any]) -> None:
        from gandan.audit.models import AuditEntry

        AuditEntry.objects.create(**row)

    def _hash(self, seq: int) -> str:
        return self._one(f"SELECT hash FROM {ROWS} WHERE seq = %s", seq)

    def _previous(self, seq: int) -> str:
        return self._hash(seq - 1) if seq > 1 else chain.GENESIS

    def _head(self, seq: int, digest: str) -> None:
        self._run("UPDATE audit_audithead SET seq = %s, hash = %s", seq, digest)

    def _renumber(self, numbers: dict[int, int]) -> None:
        for old in numbers:
            self._run(f"UPDATE {ROWS} SET seq = %s WHERE seq = %s", -old, old)
        for old, new in numbers.items():
            self._run(f"UPDATE {ROWS} SET seq = %s WHERE seq = %s", new, -old)

    def _one(self, statement: str, *values: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone()[0]

    def _run(self, statement: str, *values: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)


KINDS: dict[str, Callable[[Forger], None]] = {
    name: getattr(Forger, name)
    for name in (
        "update",
        "update_with_its_hash",
        "delete",
        "delete_and_close_the_gap",
        "insert",
        "insert_in_the_middle",
        "swap",
        "reorder",
        "cut_the_end",
        "cut_the_end_and_mend_the_head",
        "rewrite",
        "head_number",
        "head_hash",
        "no_head",
        "all_gone",
        "checkpoint_altered",
        "checkpoint_moved",
        "checkpoint_deleted",
    )
}
