"""What is promised, row by row, and the commands that measure it."""

from dataclasses import dataclass

from tests.audit.watching import ROOMS

POSTGRESQL = "python -m tests.engines postgresql "


@dataclass(frozen=True)
class Source:
    """One file of results, and the command that writes it from the root of the repository."""

    file: str
    """Its path below benchmarks/results, without the ending."""
    command: str
    verdict: str = ""
    """For a benchmark: the function of `benchmarks.verdicts` that reads it. Without one it is a figure of a test."""
    title: str = ""
    required: bool = True
    """Without a required file the row is not measured; another one is named when it is missing."""


@dataclass(frozen=True)
class Row:
    """One promise."""

    key: str
    title: str
    promise: str
    sources: tuple[Source, ...]
    why: str = ""
    """Why it falls short, as far as we know; shown while it does."""


def proof(folder: str, name: str, tests: str, *, more: str = "", required: bool = True) -> Source:
    return Source(
        f"{folder}/{name}", f"python -m pytest {tests}{more} --results benchmarks/results/{folder}", required=required
    )


def durability(name: str) -> tuple[Source, Source]:
    """Return the two sources of a proof that is made on both engines."""
    here = f"python -m tests.durability {name} --json benchmarks/results/durability/{name}"
    return (
        Source(f"durability/{name}", f"{here}.json", title="on SQLite"),
        Source(f"durability/{name}-postgresql", f"{POSTGRESQL}{here}-postgresql.json", title="on PostgreSQL"),
    )


def speed(name: str, verdict: str, *, home: str = "", options: str = "") -> tuple[Source, Source]:
    """Return the sources of a benchmark on both engines; `home` is the variable that names its installation."""
    before = f"GANDAN_HOME=${home} " if home else ""
    command = f"python -m benchmarks {name}{options} --json benchmarks/results/speed/{name}"
    return (
        Source(f"speed/{name}", f"{before}{command}.json", verdict, "on SQLite"),
        Source(
            f"speed/{name}-postgresql",
            f"{before}DATABASE_URL=${home}_DATABASE {command}-postgresql.json",
            verdict,
            "on PostgreSQL",
            required=False,
        ),
    )


def alone(name: str, title: str) -> tuple[Source]:
    """Return the source of a benchmark that needs no engine."""
    path = f"benchmarks/results/speed/{name}.json"
    return (Source(f"speed/{name}", f"python -m benchmarks {name} --json {path}", name, title),)


RESTORE = "python -m benchmarks restore --files 107500 "
ROWS = (
    Row(
        "1",
        "What was acknowledged survives the death of programs",
        "Whoever holds a receipt has brought something that is there, once. 10,000 receipts, eight people sending at "
        "the same time until they hold one, 50 kills without warning: 0 lost, 0 doubled.",
        durability("kills"),
    ),
    Row(
        "2",
        "What was acknowledged survives a power cut",
        "At least 50 cuts of the power under the real server: nothing acknowledged is lost, doubled or damaged.",
        (
            Source(
                "durability/power-cuts",
                "python -m tests.durability power-cuts --cuts 55 --json benchmarks/results/durability/power-cuts.json",
            ),
        ),
    ),
    Row(
        "3",
        "Reminders, notices and reorganisations happen exactly once",
        "1,000 kills of the worker: no effect twice, none never.",
        durability("worker-kills"),
    ),
    Row(
        "4",
        "Nobody sees or does what is not theirs",
        "Every address is asked by every role at every kind of place with marked text in every field. At least 5,000 "
        "cells, 0 answers that are not as the matrix says, 0 leaks, 0 addresses without an example.",
        (proof("access", "walker", "tests/access/test_walker.py", more=" -m 'not long'"),),
    ),
    Row(
        "5",
        "A rule of access that is taken away is noticed",
        "Each rule is taken away in turn; the walk must fail every time: 100 %.",
        (proof("access", "mutants", "tests/access/test_mutants.py", more=" -m 'not long'"),),
    ),
    Row(
        "6",
        "A complaint leaves no trace with those whom it concerns",
        "0 pages differ for them with and without the complaint; in 0 of 5,000 invented worlds does the database "
        "answer otherwise than the rule told in plain Python.",
        (
            proof("access", "interference", "tests/access/test_interference.py"),
            proof("access", "oracle", "tests/access/test_oracle.py"),
        ),
    ),
    Row(
        "7",
        "The interface for programs keeps to its description",
        "50,000 cases drawn from the description, half of them broken on purpose: 0 faults of the server, 0 answers "
        "that are not described, 0 ways in without signing in.",
        (Source("hostile/api", "python -m tests.api --cases 50000 --results benchmarks/results/hostile"),),
    ),
    Row(
        "8",
        "Files that want to do harm do none",
        "100,000 broken files and the classics at every reader: none breaks it, keeps it busy for more than 2 s or "
        "fills more than 512 MiB.",
        (Source("hostile/files", "python -m tests.hostile --results benchmarks/results/hostile"),),
    ),
    Row(
        "9",
        "A backup comes back, whole and in time",
        "A million cases and 20 GiB: nothing differs after the restore, and it takes less than 15 minutes.",
        (
            Source(
                "speed/restore",
                f"{RESTORE}--home $NATION --json benchmarks/results/speed/restore.json",
                "restore",
                "on SQLite",
            ),
            Source(
                "speed/restore-postgresql",
                f"{RESTORE}--cases 1000000 --database $SERVER --json benchmarks/results/speed/restore-postgresql.json",
                "restore",
                "on PostgreSQL",
                required=False,
            ),
        ),
        "What was restored is an invented nation without attachments (`--home $NATION`): as many cases, fewer bytes "
        "than promised.",
    ),
    Row(
        "10",
        "A damaged backup is refused",
        "0 of 6 × 50 damaged backups are taken; each is refused with its own code, and nothing is touched.",
        (proof("backup", "damaged", "tests/config/test_backup.py"),),
    ),
    Row(
        "12",
        "A changed record is found",
        "1,000 of 1,000 changes by somebody who owns the database are found; verifying reads at least 100,000 entries "
        "a second.",
        (
            proof("audit", "tampering", "tests/audit/test_tampering.py"),
            Source(
                "speed/audit-verify",
                "python -m benchmarks audit verify --json benchmarks/results/speed/audit-verify.json",
                "audit_verify",
                "Speed of verifying",
            ),
        ),
    ),
    Row(
        "13",
        "Nothing changes without an entry in the record",
        "0 acts that the tests of all rooms try change a watched table without one. (Every run of the whole suite is "
        "watched too, and fails on the first.)",
        (
            proof(
                "audit",
                "completeness",
                " ".join(f"tests/{room}" for room in ROOMS),
                more=" -m 'not journey and not long' --figure completeness",
            ),
        ),
    ),
    Row(
        "14",
        "The record does not cost much",
        "At most 20 % of the rate of eight writers on PostgreSQL.",
        (
            Source(
                "speed/audit-write-postgresql",
                f"{POSTGRESQL}python -m benchmarks audit write "
                "--json benchmarks/results/speed/audit-write-postgresql.json",
                "audit_write",
                "Eight writers on PostgreSQL",
            ),
        ),
        "Each entry holds the digest of the one before it, so that writers must take their turn at the head of the "
        "chain; a plain row needs no turn. Decision 17 tells what was tried and why the chain stays.",
    ),
    Row(
        "16",
        "Who reports without a name leaves no trace",
        "0 files of the machine hold the address or the browser of the sender: database, journal, logs, scratch "
        "files, backup.",
        (proof("secrecy", "nameless", "tests/secrecy/test_nameless.py"),),
    ),
    Row(
        "19",
        "Every answer protects the visitor's browser",
        "100 % of the answers carry the whole set of headers; 0 breaches of the content policy in a real browser.",
        (
            proof("accounts", "headers", "tests/accounts/test_headers.py"),
            proof("journeys", "content-policy", "tests/journeys/test_pages.py"),
        ),
    ),
    Row(
        "20",
        "Guessing is held off, and an office is not locked out",
        "At most 20 guesses an hour are answered for an account and 10 for a place; at most 1 % of 50 officers behind "
        "one address are turned away although they know their password.",
        (proof("accounts", "guessing", "tests/accounts/test_guessing.py"),),
    ),
    Row(
        "21",
        "Fifty people sign in at one moment, and others go on working",
        "Other pages get less than 2 times slower (95th percentile), and the server needs less than 1 GiB.",
        alone("logins", "A rush of fifty"),
        "Comparing a password is made slow on purpose, so that a stolen table of passwords is of no use; on two "
        "cores fifty comparisons take a second or two of everybody's processor.",
    ),
    Row(
        "23",
        "Eight writers on one SQLite file are all served",
        "The slowest of them writes at least half as often as the fastest, in every round; 99 of 100 wait less than "
        "250 ms.",
        (
            Source(
                "speed/writers",
                "python -m benchmarks writers --seconds 3 --json benchmarks/results/speed/writers.json",
                "writers",
                "Eight writers and eight readers",
            ),
        ),
    ),
    Row(
        "25",
        "A session ends when it should, for every role",
        "4 of 4 rules: idle for half an hour, twelve hours at most, ten minutes on a shared machine, account disabled.",
        (proof("accounts", "sessions", "tests/accounts/test_sessions.py"),),
    ),
    Row(
        "26",
        "Pages can be used by everybody",
        "0 serious or critical faults of accessibility (axe-core) on the public pages, at the desks, and on the way of "
        "a report without a name.",
        (proof("journeys", "axe", "tests/journeys/test_pages.py"),),
    ),
)
"""The scoreboard."""

SPEED = (
    Row(
        "worklist",
        "The page of a worklist, among a nation's promises",
        "At least 3 times less processor time than the page as one would first write it, for an officer, a province's "
        "commander and a nation's commander; both say the same.",
        speed("worklist", "worklist_pages", home="NATION"),
    ),
    Row(
        "lists",
        "The first rows of a list, by who asks",
        "At most twice the time of the best way to the same rows, for each of the three.",
        speed("worklist", "worklist_lists", home="NATION"),
        "The database chooses one way for all who ask; where the best way differs by the reach of the person, one of "
        "them waits longer.",
    ),
    Row(
        "create",
        "Taking in a matter",
        "At least 0.6 of the rate of a bare transaction that writes as many rows.",
        speed("create", "create", home="PROVINCE"),
        "Taking in a matter is work of the processor (permissions, routing, the calendar, sealing, the record), which "
        "a fast disk does not hide. An office of a province takes in a few a minute.",
    ),
    Row(
        "writers",
        "How long eight writers wait for each other",
        "Nobody is locked out; 99 of 100 wait at most five times as long as the middle one.",
        (
            Source(
                "speed/writers",
                "python -m benchmarks writers --seconds 3 --json benchmarks/results/speed/writers.json",
                "writers_waiting",
                "Eight writers and eight readers",
            ),
        ),
        "Sixteen programs on two cores wait for the processor, not for the file; the middle wait is a few "
        "milliseconds, so that five times as long is soon reached.",
    ),
    Row(
        "search",
        "Finding matters by their words among a million",
        "At least 10 times less processor time than PostgreSQL's stock text search; nothing missed, nothing too much.",
        speed("search", "search", home="NATION", options=" --peer $PEER"),
        "Where many matters hold the words, both sides read the list in its order until a page is full. There the "
        "peer, plain SQL that knows no policies, needs two or three milliseconds a phrase, ours 14 on PostgreSQL and "
        "37 on SQLite.",
    ),
    Row(
        "restate",
        "Restating the nation on a later map",
        "10,035 communes in less than one second of processor time, each row checked.",
        alone("restate", "From 30 June to 1 July 2025"),
    ),
    Row(
        "startup",
        "Starting",
        "`gandan --help` in less than 0.5 s of processor time; no heavy library is imported by a start.",
        alone("startup", "Starts of a new process"),
    ),
    Row(
        "estimation",
        "Estimates of every commune from a million rows",
        "At most 2.5 times one group-by of the same rows, at least 20 times faster than the package svy, in less than "
        "2 GiB, with the values of a slow reckoning.",
        alone("estimation", "Estimates, errors, intervals and design effects"),
    ),
    Row(
        "ranking",
        "Rank sets",
        "106 units from 10,000 draws in less than 0.5 s of processor time; every commune of the nation in less than "
        "300 s and 1 GiB.",
        alone("ranking", "Simultaneous sets and the nation's marginal ones"),
    ),
    Row(
        "small-areas",
        "A small-area fit of the nation's communes",
        "3,321 areas in less than 10 ms of processor time, with the values of a plain scoring.",
        alone("small_area", "All local maxima compared, errors and intervals"),
    ),
    Row(
        "pages",
        "Pages of the invented province",
        "First page, worklist and the page of a matter each in less than 50 ms of processor time.",
        alone("pages", "Through every middleware"),
        "Processor time grows when many programs share two cores and their caches: the least of the rounds tells what "
        "the page itself needs, the median what it took among the others.",
    ),
)
"""What the foundation promises of speed."""

UNMEASURED = {
    "11": "Upgrades keep every column that is not declared as changed: there is no release yet to upgrade from.",
    "15": "Linking an answer of a survey to a person from a full dump: there are no surveys yet.",
    "17": "Deriving small cells from all releases together: only counts of matters are published yet.",
    "18": "ASVS 5.0.0, each requirement with its test: the list is not made.",
    "22": "Fifty submissions a second of a questionnaire of 250 questions: there are no questionnaires yet.",
    "24": "No package with a known fault: `script/supply` asks; nobody has answered where it was run.",
}
"""Rows of the scoreboard that nothing measures yet, each with the reason."""
