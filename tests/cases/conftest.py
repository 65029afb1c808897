"""The small world of these tests: a province with a commune and its neighbour, another province, and people.

Hoa brings something; Officer Pao and his chief serve An Lĩnh; Captain Lan serves the neighbour, Bình Sơn.
"""

from datetime import date
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.urls import reverse

from gandan.access import SystemActor
from gandan.access.authority import authority
from gandan.accounts.models import User
from gandan.cases import actions, catalogue
from gandan.cases.models import Case
from gandan.obligations import actions as obligations
from gandan.staffing.models import Grant
from gandan.units import actions as units
from gandan.units import reach

FIRST = date(2018, 1, 1)
BY = SystemActor("tests", "unit.enact", "unit.draft")


def establish(level, code, name, type, above=None, **options):
    return units.establish(
        level=level,
        code=code,
        name=name,
        type=type,
        valid_from=FIRST,
        by=BY,
        administrative=above,
        police=above,
        basis="01/NQ",
        **options,
    )


class World(SimpleNamespace):
    """Units and people by name; `world.actor("pao")` is what the door makes of a person today."""

    def person(self, name, role, unit, full_name, rank="", since=FIRST):
        user = User.objects.filter(username=name).first()
        if user is None:
            user = User.objects.create_user(name, None, full_name=full_name, rank=rank)
            setattr(self, name, user)
        Grant.objects.create(user=user, role=role, unit=unit, valid_from=since)
        return user

    def actor(self, name):
        return authority().actor(User.objects.get(username=name))

    def procedure(self, code):
        return catalogue.in_force(code)

    def bring(self, code="FB-01", unit=None, by=None, **options):
        """Receive something and return its receipt."""
        values = {
            "submission": uuid4(),
            "procedure": self.procedure(code),
            "unit": unit or self.an,
            "channel": Case.Channel.DESK,
            "text": "Cột đèn đầu bản bị đổ, tối đi lại rất nguy hiểm.",
            "place": "Bản Phiêng",
            "identity": {"name": "Lò Thị Hoa", "phone": "0912345678"},
        }
        return actions.receive(by=by or self.actor("pao"), **{**values, **options})

    def case(self, code="FB-01", **options):
        return self.bring(code, **options).case

    def fresh(self, case):
        return Case.system("tests").select_related("procedure", "holder", "officer", "province").get(pk=case.pk)


@pytest.fixture
def world(db):
    found = World()
    found.country = establish("country", "VN", "Việt Nam", "")
    found.seat = establish("province", "99", "Mường Sương", "Tỉnh", found.country)
    found.elsewhere = establish("province", "98", "Bờ Xa", "Tỉnh", found.country)
    found.an = establish("commune", "99001", "An Lĩnh", "Xã", found.seat)
    found.binh = establish("commune", "99002", "Bình Sơn", "Xã", found.seat)
    found.xa = establish("commune", "98001", "Cù Lao", "Xã", found.elsewhere, remote=True, remote_basis="QĐ 1")
    reach.rebuild()
    obligations.seed_reference(by=BY)
    catalogue.seed_reference(by=BY)
    for name, role, unit, full_name, rank in (
        ("pao", "officer", found.an, "Vàng A Pao", "Thượng úy"),
        ("mai", "officer", found.an, "Tẩn Thị Mai", "Trung úy"),
        ("chief", "chief", found.an, "Lò Văn Cầm", "Thiếu tá"),
        ("duty", "duty_officer", found.an, "Giàng A Tủa", "Thượng sĩ"),
        ("lan", "officer", found.binh, "Hoàng Thị Lan", "Đại úy"),
        ("commander", "commander", found.seat, "Phạm Văn Hải", "Thượng tá"),
        ("dispatcher", "dispatcher", found.seat, "Lê Thị Nga", "Đại úy"),
        ("inspector", "oversight", found.seat, "Đỗ Minh Thu", "Trung tá"),
        ("higher", "oversight", found.country, "Nguyễn Thị Bình", "Đại tá"),
        ("auditor", "auditor", found.seat, "Trần Văn Kiểm", ""),
    ):
        found.person(name, role, unit, full_name, rank)
    return found


class Desk:
    """Somebody signed in, as the browser sees them."""

    def __init__(self, client, user):
        self.client, self.user = client, user
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    def get(self, name, /, *args, **query):
        return self.client.get(reverse(name, args=args), query)

    def post(self, name, /, *args, **values):
        return self.client.post(reverse(name, args=args), values)

    def do(self, action, case, /, **values):
        return self.post(f"case_{action}", case.pk, **values)


@pytest.fixture
def at_desk(world):
    """Return a function that signs somebody in: `at_desk("pao").get("case_list")`."""
    from django.test import Client

    return lambda name: Desk(Client(), getattr(world, name))
