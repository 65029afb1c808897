"""The index over the words of matters: how it is kept and asked.

Both engines answer alike, because words were folded to plain letters and digits before they were stored
(`gandan.cases.search`). PostgreSQL keeps its index by itself; on SQLite whoever writes `folded` says so here.
What each engine holds, migration `0005_words_indexed` says.
"""

from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, connections, transaction
from django.db.models import BooleanField, F, Func

_LETTERS = 40
"""With so many letters a word counts in the index of PostgreSQL, as the migration says."""


class Holds(Func):
    """Whether a matter holds `words` side by side, or all of them wherever they stand. Each may be the beginning of a
    longer word (side by side only the last), unless it is a single letter by itself."""

    output_field = BooleanField()

    def __init__(self, words: list[str], *, together: bool) -> None:
        self.words, self.together = words, together
        super().__init__(F("pk"), F("folded"))

    def as_sqlite(self, compiler: Any, *_: Any, **__: Any) -> tuple[str, tuple[str, ...]]:
        key = compiler.compile(self.source_expressions[0])[0]
        if self.together:
            asked = f'"{" ".join(self.words)}" *'
        else:
            asked = " AND ".join(f'"{word}"{" *" * _is_open(word)}' for word in self.words)
        found = "SELECT rowid FROM cases_word_index WHERE cases_word_index MATCH %s"
        return f"{key} IN (SELECT case_id FROM cases_word WHERE id IN ({found}))", (asked,)  # noqa: S608 - words are plain letters and digits, and bound

    def as_postgresql(self, compiler: Any, *_: Any, **__: Any) -> tuple[str, tuple[str, ...]]:
        text = compiler.compile(self.source_expressions[1])[0]
        terms = [word[:_LETTERS] for word in self.words]
        if self.together:
            pairs = [f"{one}_{other}" for one, other in pairwise(terms)]
            asked = " & ".join([*(f"'{pair}'" for pair in pairs[:-1]), f"'{pairs[-1]}':*"])
            held = [f"% {' '.join(self.words)}%"]
        else:
            asked = " & ".join(f"'{term}'{':*' * _is_open(term)}" for term in terms)
            held = [f"% {word}{'' if _is_open(word) else ' '}%" for word in self.words]
        # The index names candidates; the text itself decides.
        return f"(cases_terms({text}) @@ %s::tsquery{f' AND {text} LIKE %s' * len(held)})", (asked, *held)


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
