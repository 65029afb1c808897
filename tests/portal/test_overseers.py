"""Who takes complaints, and what would find nobody: told loudly, without telling that anybody has complained."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from gandan.access import now, today
from gandan.cases import jobs
from gandan.staffing.models import Grant

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
WAITS = "Có việc đang chờ"
GAP = "không có thanh tra nào nhận"


def page(cast, name, route="overseers"):
    client = Client()
    client.force_login(cast.people[name], backend=BACKEND)
    return client.get(reverse(route))


def said(cast, name, route="overseers"):
    text = page(cast, name, route).content.decode()
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


def ends(cast, *names):
    users = [cast.people[name] for name in names]
    Grant.system("tests").filter(user__in=users, role="oversight").update(valid_to=today())


def complains(cast, **options):
    return cast.brings("CO-01", "Tôi khiếu nại về thái độ tiếp dân", **options).case


@pytest.mark.parametrize("name", ["administrator", "auditor", "inspector", "minister"])
def test_who_watches_or_appoints_sees_the_inspectors(cast, name):
    assert "Inspector" in said(cast, name) and "mỗi đơn vị ở đây đều có thanh tra" in said(cast, name)


@pytest.mark.parametrize("name", ["pao", "chief", "commander", "dispatcher", "registrar"])
def test_nobody_else_comes_in(cast, name):
    assert page(cast, name).status_code == 403


def test_a_gap_is_told_before_anybody_complains(cast):
    ends(cast, "minister")
    for name in ("administrator", "auditor"):
        assert "Tỉnh Sương Mai" in said(cast, name) and WAITS not in said(cast, name)
    assert GAP in said(cast, "administrator", "people") and GAP in said(cast, "auditor", "audit_desk")


def test_what_nobody_may_read_is_told_loudly_and_not_named(cast):
    case = complains(cast)
    ends(cast, "minister", "inspector")
    jobs.keep_owned(now())
    for name, route in (("administrator", "overseers"), ("auditor", "overseers"), ("auditor", "audit_desk")):
        text = said(cast, name, route)
        assert WAITS in text, (name, route)
        for word in (case.reference, str(case.pk), "thái độ", "Nà Then"):
            assert word not in text.partition("<h2>")[0], (name, route, word)


def test_those_whom_it_concerns_read_the_same_page_with_and_without_it(cast):
    ends(cast, "minister", "inspector")
    cast.appoint("tied", "administrator", cast.province)
    cast.appoint("tied", "officer", cast.na_then, valid_to=today())
    before = said(cast, "tied"), said(cast, "tied", "people")
    cast.appoint("inspector", "oversight", cast.province, valid_from=today())
    case = complains(cast)
    Grant.system("tests").filter(user=cast.people["inspector"], valid_from=today()).delete()
    assert jobs.keep_owned(now()) == 0
    assert WAITS in said(cast, "administrator")
    assert (said(cast, "tied"), said(cast, "tied", "people")) == before
    assert case.reference not in before[0]


def test_another_province_is_told_nothing(cast):
    complains(cast)
    ends(cast, "minister", "inspector")
    cast.appoint("elsewhere", "administrator", cast.other_province)
    assert WAITS not in said(cast, "elsewhere") and "Sương Mai" not in said(cast, "elsewhere")


def test_the_body_outside_is_named_where_there_is_one(cast, settings):
    settings.GANDAN_OUTSIDE_BODY = "Viện kiểm sát nhân dân tỉnh"
    ends(cast, "minister")
    assert "niêm phong gửi Viện kiểm sát nhân dân tỉnh" in said(cast, "administrator")


def test_in_english_too(cast):
    ends(cast, "minister")
    client = Client()
    client.force_login(cast.people["administrator"], backend=BACKEND)
    with translation.override("vi"):
        text = client.get("/en" + reverse("overseers")).content.decode()
    assert "Who takes complaints about us" in text and "nobody" in text
