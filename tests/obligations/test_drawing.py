"""The worklist's table, drawn without a template, is what the template would draw."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import translation

from gandan.access import now
from gandan.access.authority import authority
from gandan.cases.models import Case
from gandan.obligations import drawing, worklist
from gandan.obligations.models import Obligation
from gandan.staffing.models import Grant
from gandan.ui.context import Page

pytestmark = pytest.mark.django_db
PLAIN = Path(__file__).resolve().parents[2] / "benchmarks/plain/templates"


@pytest.fixture
def plain(settings):
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [PLAIN]}]


def by_template(rows, language):
    request = RequestFactory().get("/en/desk/" if language == "en" else "/desk/")
    body = get_template("plain/desk_list.html").render({"page": {"rows": rows}, "pills": [], "ui": Page(request)})
    found = re.search(r'<div class="sheet">.*</table></div>', body, re.DOTALL)
    assert found
    return found.group()


def reader(role):
    grant = Grant.system("test").filter(role=role, unit__valid_to=None).select_related("user").first()
    return authority().actor(grant.user)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_table_is_the_templates_byte_for_byte(demo_province, plain, language):
    kinds = set()
    running = Obligation.system("test").running().filter(due_at__gt=now())
    for key in running.values_list("pk", flat=True)[:5]:
        Obligation.system("test").filter(pk=key).update(suspended_at=now(), suspended_for="missing_papers")
    with translation.override(language):
        for role in ("commander", "chief", "auditor"):
            for bucket in worklist.BUCKETS:
                rows = worklist.page(reader(role), now(), bucket=bucket).rows
                kinds |= {row.clock.kind for row in rows}
                if rows:
                    assert drawing.table(rows) == by_template(rows, language)
    assert kinds >= {"idle", "soon", "late", "hold"}


def test_nothing_that_somebody_wrote_becomes_markup(demo_province, plain):
    actor = reader("commander")
    first, second = worklist.page(actor, now()).rows[:2]
    nasty = "<script>alert(1)</script>\"'&{{ x }}"
    Case.system("test").filter(pk=first.obligation.matter).update(title=nasty)
    Obligation.system("test").filter(pk=second.obligation.pk).update(assignee=None)
    rows = worklist.page(actor, now()).rows
    drawn = drawing.table(rows)
    assert "<script>" not in drawn and "&lt;script&gt;" in drawn
    assert drawn == by_template(rows, "vi")
    assert "Chưa có ai" in drawn or "<b>" in drawn


def test_the_list_asks_as_often_for_one_row_as_for_many(demo_province, django_assert_num_queries):
    actor = reader("commander")
    worklist.page(actor, now())
    with django_assert_num_queries(3):
        assert len(worklist.page(actor, now()).rows) == worklist.PAGE
    officer = next(
        authority().actor(g.user)
        for g in Grant.system("test").filter(role="officer").select_related("user")
        if 0 < len(worklist.page(authority().actor(g.user), now()).rows) < worklist.PAGE
    )
    with django_assert_num_queries(4):
        assert worklist.page(officer, now()).rows
