"""The index over the words of matters: how it is kept and asked.

Both engines answer alike, because words were folded to plain letters and digits before they were stored
(`gandan.cases.search`). PostgreSQL keeps its index by itself; on SQLite whoever writes `folded` says so here.
What each engine holds, migration `0005_words_indexed` says.
"""

from itertools import pairwise
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, connection, connections, transaction
from django.db.models import BooleanField, F, Func

NEAR = 4_000
"""So many rows are read in their order before the index is asked."""
ENOUGH = 30
"""So many of them fill the first page."""
FEW = 1_000
"""So many rows that the index names are asked for by their keys."""
_LETTERS = 40
"""With so many letters a word counts in the index of PostgreSQL, as the migration says."""


class Indexed(Func):
    """Whether the index names a matter for `words`, side by side or wherever they stand. Each may be the beginning of
    a longer word (side by side only the last), unless it is a single letter by itself."""

    output_field = BooleanField()

    def __init__(self, words: list[str], *, together: bool) -> None:
        self.words, self.together = words, together
        super().__init__(F("pk"), F("folded"))

    def as_sqlite(self, compiler: Any, *_: Any, **__: Any) -> tuple[str, tuple[str, ...]]:
        key = compiler.compile(self.source_expressions[0])[0]
        asked = _fts(self.words, together=self.together)
        found = "SELECT rowid FROM cases_word_index WHERE cases_word_index MATCH %s"
        return f"{key} IN (SELECT case_id FROM cases_word WHERE id IN ({found}))", (asked,)  # noqa: S608 - bound

    def as_postgresql(self, compiler: Any, *_: Any, **__: Any) -> tuple[str, tuple[str, ...]]:
        text = compiler.compile(self.source_expressions[1])[0]
        terms = _terms(self.words, together=self.together)
        if self.together:
            asked = " & ".join([*(f"'{pair}'" for pair in terms[:-1]), f"'{terms[-1]}':*"])
        else:
            asked = " & ".join(f"'{term}'{':*' * _is_open(term)}" for term in terms)
        return f"cases_terms({text}) @@ %s::tsquery", (asked,)


class Written(Func):
    """Whether the text of a matter holds `part`. Unlike LIKE it is not taken for rare, so that a list that is asked
    for its first rows is read in its order."""

    output_field = BooleanField()

    def __init__(self, part: str) -> None:
        self.part = part
        super().__init__(F("folded"))

    def as_sqlite(self, compiler: Any, *_: Any, **__: Any) -> tuple[str, tuple[str, ...]]:
        return f"instr({compiler.compile(self.source_expressions[0])[0]}, %s) > 0", (self.part,)

    def as_postgresql(self, compiler: Any, *_: Any, **__: Any) -> tuple[str, tuple[str, ...]]:
        return f"strpos({compiler.compile(self.source_expressions[0])[0]}, %s) > 0", (self.part,)


def holding(rows: Any, words: list[str], *, together: bool) -> Any:
    """Narrow rows to those that hold the words, side by side or wherever they stand; None where no row does.

    The text itself decides. The newest rows are read first: they are all that there are, or hold so many that the
    rest is read in its order too, page by page. Only what is rare among many is asked of the index, which names
    candidates.
    """
    parts = [f" {' '.join(words)}"] if together else [f" {word}{'' if _is_open(word) else ' '}" for word in words]
    written = rows
    for part in parts:
        written = written.filter(Written(part))
    newest = rows.order_by("-received_at", "pk")
    keys = _read(newest.values("pk", "folded")[:NEAR], parts)
    if len(keys) == ENOUGH:
        return written
    if newest.values("pk")[NEAR : NEAR + 1].exists():
        named = written.filter(Indexed(words, together=together)).order_by()
        keys = list(named.values_list("pk", flat=True)[: FEW + 1])
        if len(keys) > FEW:
            return written
    return rows.filter(pk__in=keys) if keys else None


def _read(newest: Any, parts: list[str]) -> list[UUID]:
    """Return the keys of the first rows, at most ENOUGH, whose text holds all parts; what follows is not read."""
    try:
        inner, bound = newest.query.sql_with_params()
    except EmptyResultSet:
        return []
    place = "instr" if connection.vendor == "sqlite" else "strpos"
    held = " AND ".join([f"{place}(folded, %s) > 0"] * len(parts))
    asked = f"WITH newest (pk, folded) AS ({inner}) SELECT pk FROM newest WHERE {held} LIMIT {ENOUGH}"  # noqa: S608 - bound
    with connection.cursor() as cursor:
        cursor.execute(asked, [*bound, *parts])
        return [key if isinstance(key, UUID) else UUID(key) for (key,) in cursor.fetchall()]


def _terms(words: list[str], *, together: bool) -> list[str]:
    short = [word[:_LETTERS] for word in words]
    return [f"{one}_{other}" for one, other in pairwise(short)] if together else short


def _fts(words: list[str], *, together: bool) -> str:
    if together:
        return f'"{" ".join(words)}" *'
    return " AND ".join(f'"{word}"{" *" * _is_open(word)}' for word in words)


def _is_open(word: str) -> bool:
    return len(word) > 1


def keep(matter: UUID, *, new: bool = False) -> None:
    """Hold the index to the words of a matter as they stand in its row, which are none where it is sealed."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        if not new:
            cursor.execute(
                "DELETE FROM cases_word_index WHERE rowid = (SELECT id FROM cases_word WHERE case_id = %s)",
                [matter.hex],
            )
            cursor.execute("DELETE FROM cases_word WHERE case_id = %s", [matter.hex])
        cursor.execute(
            "INSERT INTO cases_word (case_id) SELECT id FROM cases_case WHERE id = %s AND folded <> ''", [matter.hex]
        )
        if cursor.rowcount:
            cursor.execute(
                "INSERT INTO cases_word_index (rowid, folded) SELECT %s, folded FROM cases_case WHERE id = %s",
                [cursor.lastrowid, matter.hex],
            )


def condense(using: str = "default") -> None:
    """Write SQLite's index anew as one piece, so that nothing of words that were taken out stays in the file."""
    if connections[using].vendor == "sqlite":
        with connections[using].cursor() as cursor:
            cursor.execute("INSERT INTO cases_word_index (cases_word_index) VALUES ('optimize')")


def rebuild(using: str = "default") -> None:
    """Index all matters of SQLite anew, after rows were written in bulk."""
    if connections[using].vendor != "sqlite":
        return
    with transaction.atomic(using), connections[using].cursor() as cursor:
        cursor.execute("DELETE FROM cases_word_index")
        cursor.execute("DELETE FROM cases_word")
        cursor.execute(
            "INSERT INTO cases_word (case_id) SELECT id FROM cases_case WHERE folded <> '' ORDER BY received_at, id"
        )
        cursor.execute(
            "INSERT INTO cases_word_index (rowid, folded) "
            "SELECT w.id, c.folded FROM cases_word w JOIN cases_case c ON c.id = w.case_id ORDER BY w.id"
        )
    condense(using)


def faults(using: str = "default") -> list[str]:
    """Return a line for each way in which SQLite's index differs from the words of the matters."""
    if connections[using].vendor != "sqlite":
        return []
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM cases_case c LEFT JOIN cases_word w ON w.case_id = c.id "
            "LEFT JOIN cases_word_index i ON i.rowid = w.id WHERE c.folded IS NOT coalesce(i.folded, '')"
        )
        differing = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM cases_word WHERE case_id NOT IN (SELECT id FROM cases_case)")
        differing += cursor.fetchone()[0]
        try:
            cursor.execute("INSERT INTO cases_word_index (cases_word_index) VALUES ('integrity-check')")
        except DatabaseError as error:
            return [f"the index of words is broken ({error}): run gandan check --reindex"]
    return [f"the words of {differing} matters are not indexed as they stand"] if differing else []
