"""What finding matters by their words costs among a million, beside PostgreSQL's stock text search.

    GANDAN_HOME=FOLDER gandan demo --scale nation
    GANDAN_HOME=FOLDER python -m benchmarks search --write --peer postgresql://…    write the invented words, once
    GANDAN_HOME=FOLDER python -m benchmarks search --peer postgresql://… [--rounds N] [--json FILE]

The peer holds the same folded words in a stored `tsvector` with a GIN index, beside the columns and indexes that the
list needs, and is asked for the words side by side, the last one open, then for all of them; without the folding it
would find less. Both sides answer with the first page of matters, newest first, for an officer of a commune, a
province's commander and a nation's commander: ours by the product's own function and its policies, the peer by plain
SQL. A third side is the peer as its manual shows it, best first by `ts_rank`, which is another page. CPU includes the
process of the database. What is found is held against reading every text, for each way of typing.
"""

import argparse
import random
import sys
import unicodedata
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from benchmarks import rounds, worklist

TARGET = "at least 10 times less CPU than PostgreSQL's stock text search; nothing missed, nothing too much"
PAGE = 26
SYLLABLES = 3_000
PHRASES = {
    "ma túy": 0.005,
    "trộm xe máy": 0.01,
    "mất căn cước": 0.008,
    "karaoke quá to": 0.012,
    "đánh bạc": 0.004,
    "đường sạt lở": 0.006,
    "lừa đảo qua mạng": 0.007,
    "đăng ký tạm trú": 0.02,
    "pháo nổ trái phép": 0.001,
    "bạo lực gia đình": 0.003,
}
"""What is searched for, with the share of matters that hold it; each syllable also stands by itself in many more."""
_ONSETS = "b c ch d đ g gi h k kh l m n ng nh ph qu r s t th tr v x"
_RIMES = "a à á ạ ăn ặt âm ấp ậu e ẻ en ê ế ển i ì ít o ó ỏng ô ốc ồng ơ ở ớt u ú ụng ư ừ ứt ương iệc uyền"
_STOCK = (
    "DROP TABLE IF EXISTS benchmark_stock",
    "CREATE TABLE benchmark_stock (id uuid PRIMARY KEY, holder uuid, province uuid, received_at timestamptz,"
    " folded text, vector tsvector GENERATED ALWAYS AS (to_tsvector('simple', folded)) STORED)",
)
_STOCK_INDEXES = (
    "CREATE INDEX ON benchmark_stock USING gin (vector)",
    "CREATE INDEX ON benchmark_stock (holder, received_at DESC, id)",
    "CREATE INDEX ON benchmark_stock (province, received_at DESC, id)",
    "CREATE INDEX ON benchmark_stock (received_at DESC, id)",
    "VACUUM ANALYZE benchmark_stock",
)


def texts(seed: int = 1) -> Iterator[str]:
    """Yield invented texts without end: some 45 syllables, the frequent ones often, phrases by their share; every
    second one in decomposed Unicode."""
    chance = random.Random(seed)
    loose = [syllable for phrase in PHRASES for syllable in phrase.split()]
    made = sorted({onset + rime for onset in _ONSETS.split() for rime in _RIMES.split()} - set(loose))
    chance.shuffle(made)
    common = [*made[:20], *loose, *made[20:]][:SYLLABLES]
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(common))))
    phrases, shares = list(PHRASES), list(PHRASES.values())
    while True:
        words = chance.choices(common, cum_weights=weights, k=chance.randint(20, 70))
        if chance.random() < sum(shares):
            words.insert(chance.randrange(len(words)), chance.choices(phrases, shares)[0])
        text = " ".join(words).capitalize()
        yield unicodedata.normalize("NFD", text) if chance.random() < 0.5 else text


def write(peer: Any) -> int:
    """Give every matter that a commander may find invented words, and the peer the same; return how many.

    Matters about the police are found by oversight only, which the peer knows nothing of: they get none.
    """
    from django.db import connection

    from gandan.access.authority import authority
    from gandan.cases import word_index
    from gandan.cases.models import Case
    from gandan.cases.search import index_text

    Case.system("benchmark").update(folded="")
    found = Case.system("benchmark").exclude(authority().has_subject("id")).exclude(procedure__confidentiality="sealed")
    rows = list(found.order_by("pk").values_list("pk", "holder", "province", "received_at"))
    with connection.cursor() as cursor:
        words = [index_text(text) for text, _ in zip(texts(), rows, strict=False)]
        pairs = [
            (folded, row[0].hex if connection.vendor == "sqlite" else row[0])
            for folded, row in zip(words, rows, strict=True)
        ]
        if connection.vendor == "sqlite":
            cursor.executemany("UPDATE cases_case SET folded = %s WHERE id = %s", pairs)
            word_index.rebuild()
            cursor.execute("ANALYZE")
        else:
            cursor.execute("DROP INDEX case_terms")
            cursor.execute("CREATE TEMP TABLE said (folded text, id uuid)")
            with cursor.copy("COPY said FROM STDIN") as copy:
                for pair in pairs:
                    copy.write_row(pair)
            cursor.execute("UPDATE cases_case SET folded = said.folded FROM said WHERE said.id = cases_case.id")
            cursor.execute("CREATE INDEX case_terms ON cases_case USING gin (cases_terms(folded))")
            cursor.execute("VACUUM ANALYZE cases_case")
    for statement in _STOCK:
        peer.execute(statement)
    columns = "COPY benchmark_stock (id, holder, province, received_at, folded) FROM STDIN"
    with peer.cursor() as cursor, cursor.copy(columns) as copy:
        for row, folded in zip(rows, words, strict=True):
            copy.write_row((*row, folded))
    for statement in _STOCK_INDEXES:
        peer.execute(statement)
    return len(rows)


def found_by(reach: Any, peer: Any) -> tuple[str, list[Any]]:
    """Return the peer's condition for a reach, and what it binds."""
    if reach.everything:
        return "true", []
    if reach.provinces:
        return "province = ANY(%s)", [list(reach.provinces)]
    return "holder = ANY(%s)", [list(reach.units)]


def typed(phrase: str) -> list[str]:
    """Return the ways in which people type a phrase."""
    from gandan.cases.search import fold

    return [phrase, unicodedata.normalize("NFD", phrase), phrase.upper(), fold(phrase), f"  {phrase}. "]


def compared(peer: Any, round_count: int) -> dict[str, Any]:
    """Return for each scope the CPU of one round of all phrases, ours and stock, and whether the rows agree."""
    from gandan.access.authority import authority
    from gandan.cases import search
    from gandan.cases.models import Case

    backend = peer.execute("SELECT pg_backend_pid()").fetchone()[0]
    own = worklist.meter().backend
    results: dict[str, Any] = {}
    for scope, user in worklist.seats().items():
        actor = authority().actor(user)
        condition, bound = found_by(actor.reach("case.read"), peer)

        def ours(text: str, actor: Any = actor) -> list[Any]:
            rows = search.matching(Case.for_(actor, "case.read"), text).order_by("-received_at", "pk")
            return list(rows.values_list("pk", flat=True)[:PAGE])

        def stock(
            text: str, condition: str = condition, bound: list[Any] = bound, order: str = "received_at DESC, id"
        ) -> list[Any]:
            words = search.fold(text).split()
            open_words = [f"{word}{':*' * (len(word) > 1)}" for word in words]
            for asked in (" <-> ".join([*words[:-1], open_words[-1]]), " & ".join(open_words)):
                statement = (
                    "SELECT id FROM benchmark_stock, to_tsquery('simple', %s) AS asked "  # noqa: S608 - our own words
                    f"WHERE vector @@ asked AND {condition} ORDER BY {order} LIMIT {PAGE}"
                )
                found = [row[0] for row in peer.execute(statement, [asked, *bound])]
                if found:
                    break
            return found

        def ranked(text: str, stock: Any = stock) -> list[Any]:
            return stock(text, order="ts_rank(vector, asked) DESC")  # type: ignore[no-any-return]

        sides: dict[str, Callable[[], Any]] = {
            "ours": lambda ours=ours: [ours(phrase) for phrase in PHRASES],
            "stock": lambda stock=stock: [stock(phrase) for phrase in PHRASES],
            "ranked": lambda ranked=ranked: [ranked(phrase) for phrase in PHRASES],
        }
        agree = sides["ours"]() == sides["stock"]()
        took = rounds.compare(sides, rounds=round_count, meter=_Both(own, backend))
        each = {}
        for phrase in PHRASES:
            pair = {"ours": lambda p=phrase: ours(p), "stock": lambda p=phrase: stock(p)}
            best = rounds.compare(pair, rounds=3, meter=_Both(own, backend))["best_wall"]
            each[phrase] = best | {"ratio": best["stock"] / best["ours"]}
        results[scope] = took | {
            "ratio": took["best"]["stock"] / took["best"]["ours"],
            "ratio_ranked": took["best"]["ranked"] / took["best"]["ours"],
            "values_ok": agree,
            "each": each,
        }
    return results


class _Both(rounds.Meter):
    """CPU of this process and of two databases' processes."""

    def __init__(self, own: int | None, peer: int) -> None:
        super().__init__(own)
        self.peer = peer

    def now(self) -> float:
        return super().now() + rounds.cpu_of(self.peer)


def recall() -> dict[str, Any]:
    """Return how many matters hold each phrase by reading all, and how many each way of typing finds of them."""
    from gandan.cases import search
    from gandan.cases.models import Case

    rows = Case.system("benchmark")
    found = {}
    for phrase in PHRASES:
        held = set(rows.filter(folded__contains=f" {search.fold(phrase)}").values_list("pk", flat=True))
        ways = [set(search.matching(rows, text).values_list("pk", flat=True)) for text in typed(phrase)]
        found[phrase] = {
            "held": len(held),
            "recall": min(len(way & held) / len(held) for way in ways),
            "too_much": max(len(way - held) for way in ways),
        }
    # The control: words as they are typed, not folded, miss some.
    phrase = next(iter(PHRASES))
    plain = [rows.filter(folded__contains=f" {text}").count() for text in typed(phrase)]
    found[phrase]["without_folding"] = min(plain) / found[phrase]["held"]
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks search", description=__doc__)
    parser.add_argument("--write", action="store_true", help="give every matter invented words first; demo data only")
    parser.add_argument("--peer", required=True, metavar="URL", help="a PostgreSQL database for the peer's table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    worklist.prepare()
    import psycopg
    from django.conf import settings
    from django.db import connection

    from gandan.cases.models import Case

    # Helpers of a backend would work outside the measure.
    alone = "SET max_parallel_workers_per_gather = 0"
    with psycopg.connect(options.peer, autocommit=True) as peer:
        peer.execute(alone)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(alone)
        if options.write:
            if not settings.GANDAN_DEMO:
                print("words are invented for a demo only", file=sys.stderr)
                return 2
            print(f"{write(peer):,} matters were given words")
            return 0
        found = {
            "engine": connection.vendor,
            "matters": Case.system("benchmark").exclude(folded="").count(),
            "scopes": compared(peer, options.rounds),
            "recall": recall(),
        }
    print(f"{connection.vendor}: {found['matters']:,} matters with words")
    for scope, each in found["scopes"].items():
        best = each["best"]
        least = min(each["each"].items(), key=lambda item: item[1]["ratio"])
        print(
            f"{scope:9} ten phrases: ours {best['ours'] * 1000:8.2f} ms CPU   stock {best['stock'] * 1000:8.2f} ms"
            f"   {each['ratio']:6.1f} times, ranked {each['ratio_ranked']:6.1f}"
            f"   rows {'agree' if each['values_ok'] else 'DIFFER'}   least by wall: {least[0]} {least[1]['ratio']:.1f}"
        )
    worst = min(each["recall"] for each in found["recall"].values())
    surplus = max(each["too_much"] for each in found["recall"].values())
    print(f"recall {worst:.4f} over {len(PHRASES)} phrases typed in five ways each; {surplus} too much")
    rounds.report("search", found, target=TARGET, json_file=options.json, rounds=options.rounds)
    good = all(each["values_ok"] and each["ratio"] >= 10 for each in found["scopes"].values())
    return 0 if good and worst == 1 and not surplus else 1


if __name__ == "__main__":
    sys.exit(main())
