"""Index the words of matters, so that a search reads an index and not every matter.

SQLite: an FTS5 index over `folded`, its rows named by `cases_word`, because the rows of `cases_case` have no number of
their own that lasts. `gandan.cases.word_index` keeps both: triggers may not, while the database trusts no schema.
PostgreSQL: an index over an expression, whose lexemes are the words and the pairs of neighbouring words of a matter.
"""

from typing import Any

from django.db import migrations

SQLITE = (
    "CREATE TABLE cases_word (id INTEGER PRIMARY KEY, case_id CHAR(32) NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE cases_word_index USING fts5(folded, tokenize='unicode61 remove_diacritics 0')",
    "INSERT INTO cases_word (case_id) SELECT id FROM cases_case WHERE folded <> '' ORDER BY received_at, id",
    "INSERT INTO cases_word_index (rowid, folded) "
    "SELECT w.id, c.folded FROM cases_word w JOIN cases_case c ON c.id = w.case_id ORDER BY w.id",
)
SQLITE_BACK = ("DROP TABLE cases_word_index", "DROP TABLE cases_word")
POSTGRESQL = (
    # A lexeme has at most 2,046 bytes: a word counts with its first 40 letters.
    """
    CREATE FUNCTION cases_terms(folded text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
        SELECT coalesce(array_to_tsvector(array_agg(term)), '') FROM (
            SELECT unnest(ARRAY[word, word || '_' || lead(word) OVER (ORDER BY place)]) AS term FROM (
                SELECT left(word, 40) AS word, place
                FROM unnest(string_to_array(btrim(folded), ' ')) WITH ORDINALITY AS split (word, place)
            ) AS words
        ) AS terms WHERE term <> ''
    $$
    """,
    "CREATE INDEX case_terms ON cases_case USING gin (cases_terms(folded))",
)
POSTGRESQL_BACK = ("DROP INDEX case_terms", "DROP FUNCTION cases_terms(text)")


def build(_apps: Any, editor: Any) -> None:
    _run(editor, {"sqlite": SQLITE, "postgresql": POSTGRESQL})


def remove(_apps: Any, editor: Any) -> None:
    _run(editor, {"sqlite": SQLITE_BACK, "postgresql": POSTGRESQL_BACK})


def _run(editor: Any, statements: dict[str, tuple[str, ...]]) -> None:
    for statement in statements[editor.connection.vendor]:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_words_sealed")]

    operations = [migrations.RunPython(build, remove)]
