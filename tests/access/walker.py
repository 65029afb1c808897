"""Walking every address: who asks, by which method, about which place, what must come, and what may not show."""

import gzip
import hashlib
import io
import json
import logging
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection, transaction
from django.urls import reverse
from django.utils import translation

from gandan.access import sql
from gandan.access.policies import Policy
from gandan.access.roles import RIGHTS
from gandan.audit.models import AuditEntry
from gandan.cases import permissions
from gandan.cases.models import Case
from gandan.staffing.authority import GrantAuthority
from tests.access import acts
from tests.access.examples import LIBRARY, Example, arguments, example, shows
from tests.access.oracle import BLIND
from tests.access.world import Walked
from tests.house import routes as house

CANARY = re.compile(r"CANARY-([a-z]+)-([a-z]+)")
HEADERS = {
    "Content-Security-Policy": r"(sandbox; )?default-src 'none'",
    "Permissions-Policy": r"camera=\(\)",
    "Cross-Origin-Opener-Policy": r"^same-origin$",
    "Cross-Origin-Resource-Policy": r"^(same|cross)-origin$",
    "X-Content-Type-Options": r"^nosniff$",
    "Referrer-Policy": r"^(same-origin|no-referrer|strict-origin)$",
    "Cache-Control": r"no-store|no-cache|max-age|private",
}
_WRITES = re.compile(r"^\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+\"?(\w+)\"?", re.I)
_OF_THE_SESSION = {"django_session", "accounts_signin", "accounts_bucket"}
"""What any request of somebody signed in may write, whatever it asks for."""
_OF_THE_RECORD = {"audit_auditentry", "audit_audithead"}
_REFUSALS = {"access.refused", "access.not_found", "case.read"}
"""What the record says of somebody who was turned away."""
LOCK = Path(__file__).resolve().parents[2] / "routes.lock"


class Cell(NamedTuple):
    route: str
    method: str
    actor: str
    place: str


class Rule(NamedTuple):
    kind: str
    roles: frozenset[str]
    methods: str


class Leak(AssertionError):
    """A cell that is not as the matrix says."""


@dataclass
class Walker:
    world: Walked
    rules: dict[str, Rule] = field(default_factory=dict)
    parameters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    """The policies as they stand when the walk begins, by model: a mutant changes the answer, not the question."""
    walked: list[Cell] = field(default_factory=list)
    succeeded: set[str] = field(default_factory=set)
    denied: list[Cell] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rules = locked_rules()
        self.parameters = dict(routes())
        self.policies = {
            model.__name__: rule
            for model in apps.get_models()
            if isinstance(rule := getattr(model, "access", None), Policy)
        }

    # What must come

    def passes(self, cell: Cell) -> bool:
        """Say whether the door opens, by routes.lock and the grants in force."""
        rule = self.rules[cell.route]
        if rule.kind == "public":
            return True
        if not cell.actor:
            return False
        return rule.kind == "signed_in" or self._acts_as(cell.actor, rule.roles)

    def _acts_as(self, name: str, roles: Iterable[str]) -> bool:
        user, oracle = self.world.user_id(name), self.world.oracle
        return any(
            held.user == user and held.role in roles and oracle.reached(held, held.unit) for held in oracle.grants
        )

    def expected(self, cell: Cell) -> tuple[tuple[int, ...], bool]:
        """Return the statuses that may come, and whether that is a success."""
        sent = _example(cell.route)
        if not self.passes(cell):
            # Whoever sent something gets it back with the way in; whoever only asked is led to signing in.
            keeps = cell.route.startswith("api_") or cell.method == "POST"
            return ((403,) if cell.actor else (401,) if keeps else (302,)), False
        rule, unsafe = self.rules[cell.route], cell.method not in ("GET", "HEAD", "OPTIONS")
        if cell.method == "OPTIONS" or (unsafe and sent.body is None):
            return tuple(range(200, 500)), False
        user = self.world.user_id(cell.actor)
        readers = sent.readers or set(rule.roles)
        if not unsafe and sent.get == (405,):
            return sent.get, False
        if not sent.found(self.world, user, readers, cell.place):
            return (404,), False
        if not unsafe:
            return sent.get, True
        if sent.allowed is not None and not sent.allowed(self.world, user, sent.actors, cell.place):
            return sent.refused, False
        return sent.done, True

    # Asking

    def ask(self, cell: Cell) -> Any:
        sent = _example(cell.route)
        given = arguments(self.world, sent, self.parameters[cell.route], cell.place)
        given |= {name: value for name, value in sent.given.items() if name in given}
        with translation.override("vi"):
            address = cell.route if cell.route.startswith("/") else reverse(cell.route, kwargs=given)
        client = self.world.client(cell.actor)
        if cell.method in ("GET", "HEAD", "OPTIONS"):
            return getattr(client, cell.method.lower())(address, sent.query or None)
        body = sent.body(self.world, cell.place) if sent.body else {}
        if sent.json:
            return client.post(address, json.dumps(body), content_type="application/json")
        return getattr(client, cell.method.lower())(address, body)

    def check(self, cell: Cell) -> str:
        """Ask once, put everything back, and return what is wrong, or nothing."""
        if cell.method == "READ":
            return self._table(cell)
        if cell.method == "WHY":
            return self._why(cell)
        if cell.method == "ACT":
            return self._act(cell)
        expected, success = self.expected(cell)
        block = transaction.atomic()
        block._from_testcase = True  # what must be committed first counts as committed
        with block, writes() as written:
            try:
                before = AuditEntry.system("walker").count()
                response = self.ask(cell)
                body = content(response)
                recorded = set(AuditEntry.system("walker").order_by("seq")[before:].values_list("action", flat=True))
            finally:
                transaction.set_rollback(True)
        self.walked.append(cell)
        if response.status_code not in expected:
            return f"{cell}: {response.status_code}, expected {expected}"
        if response.status_code == 302 and not cell.actor and not self.passes(cell):
            way_in = f"{reverse('account_login')}?next="
            if not response.headers["Location"].startswith(way_in):
                return f"{cell}: leads to {response.headers['Location']} instead of to signing in"
        if success:
            self.succeeded.add(cell.route)
        elif cell.method not in ("GET", "HEAD", "OPTIONS"):
            self.denied.append(cell)
            if (changed := written - _OF_THE_SESSION - _OF_THE_RECORD) or recorded - _REFUSALS:
                return f"{cell}: refused, and yet it wrote to {sorted(changed)} and did {sorted(recorded)}"
        if cell.method == "HEAD" and body:
            return f"{cell}: an answer to HEAD has a body"
        return self._shown(cell, response, body) or self._headers(cell, response)

    def _table(self, cell: Cell) -> str:
        """Compare whose rows a table gives somebody with whose rows are his."""
        self.walked.append(cell)
        model: Any = {each.__name__: each for each in apps.get_models()}[cell.route]
        rule, user = self.policies[cell.route], self.world.user_id(cell.actor)
        actor = GrantAuthority().actor(self.world.people[cell.actor])
        roles = {role for role, rights in RIGHTS.items() if rule.read in rights.ordinary | rights.concerned}
        # Inspectors watch how names are opened in every matter, though they read only those about the police.
        blind = set() if rule.read in ("identity.review", "hold.read") else BLIND
        columns = (rule.scope, rule.matter or rule.scope)
        given = set(model.for_(actor, rule.read).values_list(*columns).distinct())
        told = {
            (unit, matter)
            for unit, matter in model.system("walker").values_list(*columns).distinct()
            if self.world.oracle.may(user, roles, unit, matter if rule.matter else None, blind)
        }
        return "" if given == told else f"{cell}: gives {len(given)} kinds of rows, {len(told)} are theirs"

    def _why(self, cell: Cell) -> str:
        """Ask whether somebody may do something to a matter, where they may not."""
        self.walked.append(cell)
        sent, place = _example(f"case_{cell.route}"), self.world.places[cell.place]
        key = place.ready.get(sent.ready, place.case)
        case = Case.system("walker").select_related("procedure", "holder").get(pk=key and key.pk)
        user, actor = self.world.user_id(cell.actor), GrantAuthority().actor(self.world.people[cell.actor])
        if self.world.oracle.may(user, sent.actors, case.holder_id, case.pk):
            return ""
        return "" if permissions.ALL[cell.route](case, actor) is not None else f"{cell}: nothing stands in the way"

    def _act(self, cell: Cell) -> str:
        """Do something with a row that was found already, put it back, and compare with who may."""
        self.walked.append(cell)
        told = acts.told(self.world, cell.route, cell.place, cell.actor)
        block = transaction.atomic()
        block._from_testcase = True
        with block:
            try:
                done = acts.done(self.world, cell.route, cell.place, cell.actor)
            finally:
                transaction.set_rollback(True)
        return "" if done == told else f"{cell}: {'was done' if done else 'was refused'}"

    def _shown(self, cell: Cell, response: Any, body: str) -> str:
        headers = " ".join(f"{name}: {value}" for name, value in response.items())
        cookies = response.cookies.output()
        user, known = self.world.user_id(cell.actor), _example(cell.route).codes
        for place, name in set(CANARY.findall(f"{body} {headers} {cookies}")):
            if known and place == "own" and name not in ("name", "phone", "address"):
                continue
            if not shows(self.world, user, place, name):
                return f"{cell}: shows {place}.{name}"
        return ""

    def _headers(self, cell: Cell, response: Any) -> str:
        for name, pattern in HEADERS.items():
            if not re.search(pattern, response.headers.get(name, "")):
                return f"{cell}: {name} is {response.headers.get(name)!r}"
        if cell.actor and response.headers["Cache-Control"] == "public":
            return f"{cell}: may be kept by others"
        return ""

    def walk(self, cells: Iterable[Cell]) -> None:
        with quiet():
            for cell in cells:
                if wrong := self.check(cell):
                    self.leaks.append(wrong)


def _example(route: str) -> Example:
    found = example(route)
    assert found is not None, f"route {route} has no example"
    return found


def cells(walker: Walker, *, whole: bool) -> Iterator[Cell]:
    """Return the cells: everybody at every address, by GET and by POST where something is done there.

    `whole`: about every place by every method. Otherwise each at one place by one method, in turn, so that all are
    met; every address by whoever succeeds there; what is open to all by every eighth person.
    """
    actors = ["", *sorted(name for name in walker.world.people if "@" in name)]
    for number, route in enumerate(sorted(walker.parameters)):
        sent = _example(route)
        methods = ["GET"] if sent.body is None else ["POST"] if sent.get == (405,) else ["GET", "POST"]
        if sent.body is None and not whole and walker.rules[route].kind != "public":
            yield Cell(route, "POST", "", sent.places[0])
        if whole:
            methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"]
            for actor in actors:
                yield from (Cell(route, method, actor, place) for place in sent.places for method in methods)
            continue
        rare = walker.rules[route].kind == "public" or sent is LIBRARY
        chosen: dict[Cell, None] = {}
        for turn, actor in enumerate(actors):
            if not rare or turn % 8 == 0:
                place = sent.places[(number + turn) % len(sent.places)]
                method = methods[(number + turn // 2) % len(methods)]
                chosen[Cell(route, method, actor, place)] = None
                if (number + turn) % 13 == 0:
                    chosen[Cell(route, "HEAD", actor, place)] = None
        for method in methods:
            for place in sent.places:
                everybody = (Cell(route, method, actor, place) for actor in actors)
                found = next((cell for cell in everybody if walker.expected(cell)[1]), None)
                if found is not None:
                    chosen[found] = None
        yield from chosen


def inner_cells(walker: Walker, *, whole: bool) -> Iterator[Cell]:
    """Return the cells that need no address: every table, every reason why not, and acts without an address."""
    actors = sorted(name for name in walker.world.people if "@" in name)
    for number, model in enumerate(m for m in apps.get_models() if isinstance(getattr(m, "access", None), Policy)):
        every = whole or model.access.matter  # type: ignore[attr-defined]
        chosen = actors if every else actors[number % 2 :: 2]
        yield from (Cell(model.__name__, "READ", actor, "") for actor in chosen)
    for number, name in enumerate(permissions.ALL):
        for place in _example(f"case_{name}").places:
            yield from (Cell(name, "WHY", actor, place) for actor in actors[number % 5 :: 1 if whole else 5])
    yield from (Cell(name, "ACT", who, place) for name, place, who in acts.cells(walker.world, actors, whole=whole))


def routes() -> list[tuple[str, tuple[str, ...]]]:
    """Return every address, by its name or, without one, by itself, with the names of its arguments."""
    return [
        (route.name or route.pattern, tuple(re.findall(r"<(?:\w+:)?(\w+)>", route.pattern))) for route in house.routes()
    ]


def locked_rules() -> dict[str, Rule]:
    """Return the rules of routes.lock by the name of the address."""
    found = {}
    for line in LOCK.read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        methods, pattern, rest = line.split(maxsplit=2)
        said = re.search(r"(\S*) +(public:|signed_in:|needs ).*", f" {rest}")
        assert said is not None, line
        kind = said[2].rstrip(": ")
        roles = line.rpartition(": ")[2] if kind == "needs" else ""
        found[said[1] or pattern] = Rule(kind, frozenset(role.strip() for role in roles.split(",") if role), methods)
    return found


def content(response: Any) -> str:
    """Return everything that an answer says, what is packed in it included."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return " ".join(unpacked(body))


def unpacked(body: bytes, depth: int = 0) -> Iterator[str]:
    if depth < 4 and body.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            for name in packed.namelist():
                yield name
                yield from unpacked(packed.read(name), depth + 1)
    elif depth < 4 and body.startswith(b"\x1f\x8b"):
        yield from unpacked(gzip.decompress(body), depth + 1)
    elif body.startswith(b"%PDF"):
        import pikepdf

        with pikepdf.open(io.BytesIO(body)) as paper:
            yield str(dict(paper.docinfo))
            for each in paper.objects:
                if isinstance(each, pikepdf.Stream):
                    yield each.read_bytes().decode("utf-8", "replace")
    else:
        yield body.decode("utf-8", "replace")


@contextmanager
def writes() -> Iterator[set[str]]:
    """Collect the tables to which a statement wrote."""
    tables: set[str] = set()

    def watch(execute: Any, statement: Any, params: Any, many: Any, context: Any) -> Any:
        if found := _WRITES.match(str(statement)):
            tables.add(found[1])
        return execute(statement, params, many, context)

    with connection.execute_wrapper(watch):
        yield tables


def digest() -> dict[str, str]:
    """Return a digest of all rows of each table, but for what any request of a session writes."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if table in _OF_THE_SESSION:
                continue
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = sorted(repr(row) for row in cursor.fetchall())
            found[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back the log of refusals: they are what is looked for."""
    log = logging.getLogger("django.request")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


def afresh() -> None:
    """Forget the statements that were built under other rules."""
    sql.forget()
