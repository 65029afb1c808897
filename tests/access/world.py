"""The world that the walker walks: two provinces of three communes, one of them merged and two from a division.

Everybody is there who must find a door open or shut: each role at each place. Every text that belongs to
somebody is a canary with the name of its place.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.test import Client

from gandan.access import ANONYMOUS, SystemActor, now, today
from gandan.access.roles import Role
from gandan.accounts.models import User
from gandan.accounts.sessions import CONFIRMED
from gandan.cases import actions as cases
from gandan.cases import catalogue, uploads
from gandan.cases.models import Case, Rating
from gandan.obligations import actions as obligations
from gandan.obligations.models import Notice, Obligation
from gandan.secrecy.models import Disclosure, Hold
from gandan.staffing import actions as staffing
from gandan.staffing.authority import GrantAuthority
from gandan.staffing.models import Grant, Invitation
from gandan.units import actions as units
from gandan.units import reach
from gandan.units.models import Reorganisation, Unit
from tests.access.oracle import Oracle

BEGIN = date(2020, 1, 1)
NOBODY = SystemActor("walker", "unit.enact", "unit.draft")
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PLACES = ("own", "parent", "sibling", "predecessor", "expired", "future", "conflicted", "elsewhere")
"""Where each role stands. `elsewhere` reads as the province's auditor and has the role only in another commune,
so that what he may do nowhere near stands on a page that he may read."""


@dataclass
class Place:
    """What lies at one place: a matter, and a record of every kind that is read one by one."""

    unit: Unit
    case: Case | None = None
    ready: dict[str, Case] = field(default_factory=dict)
    """Matters in which a certain action can be done next."""
    things: dict[str, Any] = field(default_factory=dict)


@dataclass
class Walked:
    country: Unit
    home: Unit
    away: Unit
    places: dict[str, Place] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    clients: dict[str, tuple[Client, Any]] = field(default_factory=dict)
    oracle: Oracle = field(default_factory=lambda: Oracle(today()))
    codes: dict[str, str] = field(default_factory=dict)
    """The follow-up codes of the matters, by place."""
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, name: str) -> Client:
        """Return the browser of somebody, as fresh as after signing in."""
        if name not in self.clients:
            client = Client()
            if name:
                client.force_login(self.people[name], backend=BACKEND)
                session = client.session
                session[CONFIRMED] = now().timestamp()
                session.save()
            self.clients[name] = (client, {key: morsel.value for key, morsel in client.cookies.items()})
        client, cookies = self.clients[name]
        client.cookies.clear()
        for key, value in cookies.items():
            client.cookies[key] = value
        return client

    def user_id(self, name: str) -> UUID | None:
        return self.people[name].pk if name else None


def person(world: Walked, name: str, *held: tuple[str, Unit, date, date | None]) -> User:
    user = world.people.get(name) or User.objects.create_user(name, None, full_name=f"P {name}")
    world.people[name] = user
    for role, unit, start, end in held:
        Grant.objects.create(user=user, role=role, unit=unit, valid_from=start, valid_to=end)
    return user


def build() -> Walked:
    """Make the world of today; what came before the reorganisation came before it."""
    country = units.establish(level="country", code="VN", name="Việt Nam", type="", valid_from=BEGIN, by=NOBODY)

    def unit(level: str, code: str, name: str, above: Unit) -> Unit:
        kind = "Tỉnh" if level == "province" else "Xã"
        return units.establish(
            level=level,
            code=code,
            name=name,
            type=kind,
            valid_from=BEGIN,
            by=NOBODY,
            administrative=above,
            police=above,
        )

    home, away = unit("province", "98", "Sương Mai", country), unit("province", "97", "Bên Sông", country)
    world = Walked(country, home, away)
    first, second = unit("commune", "98001", "Nà Then", home), unit("commune", "98002", "Phiêng Lúa", home)
    undivided = unit("commune", "98003", "Bản Đôi", home)
    foreign = unit("commune", "97001", "Xa Xôi", away)
    for code, name in (("97002", "Cầu Tre"), ("97003", "Đồi Chè")):
        unit("commune", code, name, away)
    reach.rebuild()
    obligations.seed_reference(by=NOBODY)
    catalogue.seed_reference(by=NOBODY)

    # Before the reorganisation: somebody is invited there, and a matter is brought and ended.
    person(world, "before", ("officer", first, BEGIN, today()), ("officer", undivided, BEGIN, today()))
    person(world, "first", ("oversight", country, BEGIN, None), ("administrator", home, BEGIN, None))
    for key, seat in (("predecessor", first), ("undivided", undivided)):
        place = world.places[key] = Place(seat)
        place.case = _brings(world, key, seat)
        by = Grant.system("walker").get(user=world.people["before"], unit=seat)
        Grant.system("walker").filter(pk=by.pk).update(valid_to=None)
        actor = GrantAuthority().actor(world.people["before"])
        cases.take(case=place.case, by=actor)
        cases.answer(case=place.case, text=f"CANARY-{key}-answer", by=actor)
        cases.withdraw(case=place.case, text=f"CANARY-{key}-withdrawn", by=actor)
        Grant.system("walker").filter(pk=by.pk).update(valid_to=today())
    _reorganise(home, first, second, undivided)
    merged = Unit.objects.get(title="Xã Then Lúa")
    near, further = Unit.objects.get(title="Xã Bản Một"), Unit.objects.get(title="Xã Bản Hai")

    for key, seat in (("own", merged), ("sibling", near), ("cousin", further), ("foreign", foreign)):
        world.places[key] = Place(seat)
    _people(world, merged, near, first)
    for key in ("own", "sibling", "cousin", "foreign"):
        place = world.places[key]
        place.case = _brings(world, key, place.unit)
        _things(world, key)
    for key in ("predecessor", "undivided"):
        _promise(world, key)
        # A file of a past unit, and its other records, are inherited as well.
    complaint = world.places["complaint"] = Place(home)
    complaint.case = _brings(world, "complaint", merged, "CO-01")
    staffing.record_concern(matter=complaint.case.pk, by=NOBODY, unit=merged, named="CANARY-complaint-accused")
    _promise(world, "complaint")
    recused = world.places["recused"] = Place(merged)
    recused.case = _brings(world, "recused", merged)
    _promise(world, "recused")
    for name, user in world.people.items():
        if name.endswith("@conflicted"):
            staffing.record_concern(matter=recused.case.pk, by=NOBODY, user=user, recused=True)
    for key in ("own", "sibling", "foreign"):
        _ready(world, key)
    for key in ("complaint", "recused"):
        _opened(world, key, world.people["before"])
    for action in ("accept", "close"):
        case = complaint.ready[action] = _brings(world, "complaint", merged, "CO-01")
        if action == "close":
            inspector = GrantAuthority().actor(world.people["oversight@parent"])
            cases.accept(case=case, by=inspector)
            cases.answer(case=case, text="CANARY-complaint-answer", by=inspector)
    world.oracle = Oracle.read(today())
    for name in world.people:
        world.client(name)  # signed in before anything is asked, and so before anything is put back
    return world


def _brings(world: Walked, place: str, unit: Unit, code: str = "FB-01") -> Case:
    procedure = catalogue.in_force(code)
    assert procedure is not None
    kept = uploads.receive(_upload(f"CANARY-{place}-file.png"))
    receipt = cases.receive(
        submission=uuid4(),
        procedure=procedure,
        unit=unit,
        channel="web",
        title=f"CANARY-{place}-title",
        text=f"CANARY-{place}-text",
        place=f"CANARY-{place}-place",
        identity={name: f"CANARY-{place}-{name}" for name in ("name", "phone", "address")},
        files=[kept],
        by=ANONYMOUS,
    )
    world.codes.setdefault(place, receipt.code)
    cases.message_in(case=receipt.case, text=f"CANARY-{place}-message", by=ANONYMOUS)
    return receipt.case


def _upload(name: str) -> Any:
    from io import BytesIO

    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    drawn = BytesIO()
    Image.new("RGB", (2, 2), (1, 2, 3)).save(drawn, "PNG")
    return SimpleUploadedFile(name, drawn.getvalue(), "image/png")


def _reorganise(home: Unit, first: Unit, second: Unit, undivided: Unit) -> None:
    def new(code: str, name: str) -> tuple[str, dict[str, Any]]:
        values = {"code": code, "name": name, "type": "Xã", "level": "commune"}
        return "establish", values | {"administrative": str(home.pk), "police": str(home.pk)}

    parts = [{"unit": "new:98012", "share": "0.6", "primary": True}, {"unit": "new:98013", "share": "0.4"}]
    act = units.draft_act(
        decree="1/NQ",
        title="CANARY-home-act",
        decided_on=today() - timedelta(days=10),
        effective_on=today(),
        seat=home,
        by=NOBODY,
        steps=(
            new("98011", "Then Lúa"),
            new("98012", "Bản Một"),
            new("98013", "Bản Hai"),
            ("merge", {"from": [str(first.pk), str(second.pk)], "into": "new:98011"}),
            ("divide", {"from": str(undivided.pk), "into": parts}),
        ),
    )
    assert units.check_act(act=act, by=NOBODY) == []
    units.schedule_act(act=act, by=NOBODY)


def _people(world: Walked, own: Unit, sibling: Unit, before: Unit) -> None:
    home, cousin, yesterday = world.home, world.places["cousin"].unit, today() - timedelta(days=1)
    for role in map(str, Role):
        person(world, f"{role}@own", (role, own, BEGIN, None))
        person(world, f"{role}@parent", (role, home, BEGIN, None))
        person(world, f"{role}@sibling", (role, sibling, BEGIN, None))
        # Whoever still has a role at a unit that has ended has it nowhere.
        person(world, f"{role}@predecessor", (role, before, BEGIN, None))
        person(world, f"{role}@expired", (role, own, BEGIN, yesterday))
        person(world, f"{role}@future", (role, own, today() + timedelta(days=1), None))
        posted = ("duty_officer", own, BEGIN, today() - timedelta(days=180))
        person(world, f"{role}@conflicted", (role, home, BEGIN, None), posted)
        person(world, f"{role}@elsewhere", ("auditor", home, BEGIN, None), (role, cousin, BEGIN, None))
    person(world, "oversight@country", ("oversight", world.country, BEGIN, None))
    for name in ("pao", "xuan"):
        person(world, name, ("officer", own, BEGIN, None))


def _promise(world: Walked, key: str) -> None:
    place = world.places[key]
    assert place.case is not None
    place.things["obligation"] = Obligation.system("walker").filter(matter=place.case.pk).first()
    place.things["file"] = place.case.attachments.first()
    place.things["notice"] = Notice.objects.create(
        unit_id=place.case.holder_id,
        province_id=place.case.province_id,
        matter=place.case.pk,
        obligation=place.things["obligation"],
        kind=Notice.Kind.REMINDER,
        at=now(),
    )


def _things(world: Walked, key: str) -> None:
    """Put a record of every kind at a place."""
    place = world.places[key]
    unit, case = place.unit, place.case
    assert case is not None
    _promise(world, key)
    province = case.province
    user = person(world, f"holder-{key}", ("officer", unit, BEGIN, None))
    place.things["person"] = user
    place.things["grant"] = Grant.system("walker").get(user=user, unit=unit)
    place.things["invitation"] = Invitation.objects.create(
        token_hash=uuid4().hex,
        username=f"canary-{key}",
        full_name=f"CANARY-{key}-invited",
        role="officer",
        unit=unit,
        invited_by_id=user.pk,
        invited_at=now(),
        expires_at=now() + timedelta(days=7),
    )
    place.things["act"] = Reorganisation.objects.create(
        decree=f"CANARY-{key}-decree",
        title=f"CANARY-{key}-act",
        decided_on=today(),
        effective_on=today() + timedelta(days=30),
        seat=province,
    )
    Rating.objects.create(unit=unit, province=province, procedure="FB-01", month=today().replace(day=1), score=4)
    _opened(world, key, user)


def _opened(world: Walked, key: str, user: User) -> None:
    """Put on record that somebody opened the name in the matter of a place, and that the matter is held."""
    place = world.places[key]
    assert place.case is not None
    place.things["hold"] = Hold.objects.create(
        matter=place.case.pk,
        unit_id=place.case.holder_id,
        province_id=place.case.province_id,
        ground="1/QĐ",
        reason=f"CANARY-{key}-held",
        placed_at=now(),
        placed_by_id=user.pk,
    )
    Disclosure.objects.create(
        matter=place.case.pk,
        unit_id=place.case.holder_id,
        province_id=place.case.province_id,
        actor_id=user.pk,
        at=now(),
        fields="name",
        reason=Disclosure.Reason.CONTACT,
        note=f"CANARY-{key}-disclosed",
    )


def _ready(world: Walked, key: str) -> None:
    """Bring matters on to where each action can be done next."""
    place = world.places[key]
    unit = place.unit
    chief = GrantAuthority().actor(person(world, f"chief-{key}", ("chief", unit, BEGIN, None)))
    world.places[key].things["officer"] = world.people[f"chief-{key}"]
    for action in ("recall", "acknowledge", "supply", "answer", "close", "reopen"):
        case = place.ready[action] = _brings(world, key, unit)
        if action == "recall" or action == "acknowledge":
            cases.send(case=case, text=f"CANARY-{key}-sent", to_body="UBND xã", by=chief)
        elif action == "supply":
            cases.ask_papers(case=case, items=[f"CANARY-{key}-paper"], by=chief)
        else:
            cases.take(case=case, by=chief)
            if action != "answer":
                cases.answer(case=case, text=f"CANARY-{key}-answer", by=chief)
