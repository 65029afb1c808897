"""The small permanent cast: one province with two communes, another province next door, and the people.

Hoa petitions. Officer Pao and his chief serve in the commune of Nà Then; Captain Lan serves in the
neighbouring commune, so that access is refused somewhere in every file.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from gandan.access import ANONYMOUS, Actor, SystemActor
from gandan.accounts.models import User
from gandan.cases import actions as cases
from gandan.cases import catalogue
from gandan.obligations import actions as obligations
from gandan.staffing.authority import GrantAuthority
from gandan.staffing.models import Grant
from gandan.units import actions as units
from gandan.units import reach
from gandan.units.models import Unit

BEGIN = date(2020, 1, 1)
NOBODY = SystemActor("cast", "unit.enact", "unit.draft")


@dataclass
class Cast:
    country: Unit
    province: Unit
    other_province: Unit
    na_then: Unit
    phieng_lua: Unit
    far_away: Unit
    people: dict[str, User] = field(default_factory=dict)

    def actor(self, name: str) -> Actor:
        """Return a person as they come through the door now."""
        return GrantAuthority().actor(self.people[name])

    def appoint(self, name: str, role: str, unit: Unit, **dates: Any) -> User:
        user = self.people.get(name) or User.objects.create_user(name, None, full_name=name.title())
        self.people[name] = user
        Grant.objects.create(user=user, role=role, unit=unit, **{"valid_from": BEGIN, **dates})
        return user

    def brings(
        self, code: str = "FB-01", text: str = "Đường vào bản tối", unit: Unit | None = None, **values: Any
    ) -> Any:
        """Hoa brings something over the web; return her receipt."""
        procedure = catalogue.in_force(code)
        assert procedure is not None
        given: dict[str, Any] = {"channel": "web", "by": ANONYMOUS, "identity": {"name": "Hoa", "phone": "0900000001"}}
        return cases.receive(
            submission=values.pop("submission", None) or uuid4(),
            procedure=procedure,
            unit=unit or self.na_then,
            text=text,
            **{**given, **values},
        )


def gather() -> Cast:
    """Establish the units, load the law, and appoint everybody."""
    country = units.establish(level="country", code="VN", name="Việt Nam", type="", valid_from=BEGIN, by=NOBODY)

    def province(code: str, name: str) -> Unit:
        return units.establish(
            level="province",
            code=code,
            name=name,
            type="Tỉnh",
            valid_from=BEGIN,
            by=NOBODY,
            administrative=country,
            police=country,
        )

    def commune(code: str, name: str, seat: Unit, remote: bool = False) -> Unit:
        return units.establish(
            level="commune",
            code=code,
            name=name,
            type="Xã",
            valid_from=BEGIN,
            by=NOBODY,
            administrative=seat,
            police=seat,
            remote=remote or None,
            remote_basis="Quyết định 1" if remote else "",
        )

    home, away = province("98", "Sương Mai"), province("97", "Bên Sông")
    cast = Cast(
        country,
        home,
        away,
        commune("98001", "Nà Then", home),
        commune("98002", "Phiêng Lúa", home, remote=True),
        commune("97001", "Xa Xôi", away),
    )
    reach.rebuild()
    obligations.seed_reference(by=NOBODY)
    catalogue.seed_reference(by=NOBODY)
    for name, role, unit in (
        ("pao", "officer", cast.na_then),
        ("truc", "duty_officer", cast.na_then),
        ("chief", "chief", cast.na_then),
        ("lan", "officer", cast.phieng_lua),
        ("dispatcher", "dispatcher", home),
        ("commander", "commander", home),
        ("inspector", "oversight", home),
        ("minister", "oversight", country),
        ("auditor", "auditor", home),
        ("registrar", "registrar", home),
        ("administrator", "administrator", home),
        ("stranger", "commander", away),
    ):
        cast.appoint(name, role, unit)
    return cast


def key(number: int) -> UUID:
    """Return a submission's id that a test can write twice."""
    return UUID(int=number, version=4)
