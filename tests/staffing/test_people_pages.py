"""The page of people: whoever is there is given a role, watchers are ended by inspectors, and nobody falls off it."""

import re
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from gandan.access import Refused, clock, now, today
from gandan.access.clock import VIETNAM
from gandan.accounts.models import User
from gandan.accounts.sessions import CONFIRMED
from gandan.audit.models import AuditEntry
from gandan.staffing import actions, permissions, views
from gandan.staffing.models import Grant, Invitation

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def browser(cast, name):
    client = Client()
    client.force_login(cast.people[name], backend=BACKEND)
    session = client.session
    session[CONFIRMED] = now().timestamp()
    session.save()
    return client


def said(client, route="people", *args, **query):
    return client.get(reverse(route, args=args), query).content.decode()


def boxes(name, day):
    return {f"{name}_day": day.day, f"{name}_month": day.month, f"{name}_year": day.year}


def give(cast, by, name, role, unit, first=None, last=None):
    body = {"role": role, "unit": unit.slug, **boxes("first_day", first or today())}
    if last:
        body |= boxes("last_day", last)
    return browser(cast, by).post(reverse("give_role", args=[cast.people[name].pk]), body)


def grant_of(cast, name):
    return Grant.system("test").get(user=cast.people[name])


def test_an_administrator_moves_an_officer_to_another_commune_for_a_time(cast):
    first, last = today() + timedelta(days=7), today() + timedelta(days=9)
    assert give(cast, "administrator", "pao", "chief", cast.phieng_lua, first, last).status_code == 302
    given = Grant.system("test").get(user=cast.people["pao"], role="chief")
    assert (given.unit, given.valid_from, given.valid_to) == (cast.phieng_lua, first, last + timedelta(days=1))
    entry = AuditEntry.system("test").get(action="grant.give", object_id=given.pk)
    assert entry.actor_id == cast.people["administrator"].pk and entry.unit_id == cast.phieng_lua.pk
    assert not cast.actor("pao").reach("case.assign").covers(cast.phieng_lua.pk)
    for days, holds in ((7, True), (9, True), (10, False)):
        with clock.at(now().astimezone(VIETNAM) + timedelta(days=days)):
            assert cast.actor("pao").reach("case.assign").covers(cast.phieng_lua.pk) is holds
    page = said(browser(cast, "administrator"))
    assert reverse("give_role", args=[cast.people["pao"].pk]) in page
    assert reverse("end_grant", args=[given.pk]) in page, "what has not begun can be taken back"


def test_a_role_is_refused_with_the_reason(cast):
    def refused(sentence, *args, **dates):
        answer = give(cast, *args, **dates)
        assert answer.status_code == 422 and sentence in answer.content.decode()

    refused("Only an oversight inspector appoints", "administrator", "pao", "oversight", cast.province)
    refused("Giving roles is the administrator", "inspector", "pao", "chief", cast.na_then)
    refused("today or later", "administrator", "pao", "chief", cast.na_then, first=today() - timedelta(days=1))
    refused("before the first day", "administrator", "pao", "chief", cast.na_then, last=today() - timedelta(days=1))
    refused("has this role here already", "administrator", "pao", "officer", cast.na_then)
    refused("Select a valid choice", "administrator", "pao", "chief", cast.far_away)
    assert give(cast, "administrator", "administrator", "chief", cast.na_then).status_code == 403
    assert "to yourself" in said(browser(cast, "administrator"), "give_role", cast.people["administrator"].pk)
    User.objects.filter(pk=cast.people["lan"].pk).update(is_active=False)
    assert give(cast, "administrator", "lan", "chief", cast.na_then).status_code == 403
    assert "is closed" in said(browser(cast, "administrator"), "give_role", cast.people["lan"].pk)
    assert give(cast, "administrator", "stranger", "chief", cast.na_then).status_code == 404
    assert give(cast, "auditor", "pao", "chief", cast.na_then).status_code in (403, 404)
    assert Grant.system("test").filter(role="chief").count() == 1


def test_a_role_that_ended_can_be_given_again_but_not_twice_for_the_same_days(cast):
    by, pao = cast.actor("administrator"), cast.people["pao"]
    later = today() + timedelta(days=30)
    planned = actions.give_grant(user=pao, role="chief", unit=cast.na_then, by=by, valid_from=later)
    with pytest.raises(Refused):
        actions.give_grant(user=pao, role="chief", unit=cast.na_then, by=by)
    assert actions.give_grant(user=pao, role="chief", unit=cast.na_then, by=by, valid_to=later)
    actions.end_grant(grant=planned, by=by)
    with pytest.raises(Refused):
        actions.give_grant(user=pao, role="chief", unit=cast.na_then, by=by, valid_from=later)
    assert actions.give_grant(user=pao, role="chief", unit=cast.na_then, by=by, valid_from=later + timedelta(days=1))


def test_an_inspector_appoints_and_ends_those_who_watch_in_his_area_alone(cast):
    assert give(cast, "inspector", "pao", "auditor", cast.province).status_code == 302
    watching = Grant.system("test").get(user=cast.people["pao"], role="auditor")
    cast.appoint("second", "oversight", cast.province)
    cast.appoint("away", "oversight", cast.other_province)
    client = browser(cast, "inspector")
    end = {name: reverse("end_grant", args=[grant_of(cast, name).pk]) for name in ("second", "away", "minister", "lan")}
    for page in (said(client), said(client, "overseers")):
        assert end["second"] in page and not any(end[name] in page for name in ("away", "minister", "lan"))
    assert reverse("end_grant", args=[watching.pk]) in said(client)
    assert end["second"] not in said(browser(cast, "administrator"), "overseers")
    assert browser(cast, "administrator").post(end["second"]).status_code == 403
    assert [client.post(end[name]).status_code for name in end] == [302, 404, 404, 404]
    assert grant_of(cast, "second").valid_to == today() and not cast.actor("second").grants
    assert client.post(reverse("end_grant", args=[watching.pk])).status_code == 302


def test_the_rule_itself_asks_how_far_an_inspector_reaches(cast):
    cast.appoint("away", "oversight", cast.other_province)
    assert permissions.end(grant=grant_of(cast, "away"), by=cast.actor("inspector"))
    assert permissions.end(grant=grant_of(cast, "away"), by=cast.actor("minister")) is None
    with pytest.raises(Refused):
        actions.end_grant(grant=grant_of(cast, "away"), by=cast.actor("inspector"))


def test_an_inspector_sees_and_withdraws_the_invitations_of_watchers(cast):
    def invited(by, role):
        values = {"username": f"new.{role}", "full_name": f"New {role}", "rank": "", "role": role}
        return actions.invite(**values, unit=cast.province, by=cast.actor(by)).invitation

    watcher, other = invited("inspector", "oversight"), invited("administrator", "commander")
    client = browser(cast, "inspector")
    page = said(client)
    assert reverse("withdraw_invitation", args=[watcher.pk]) in page and "new.commander" not in page
    assert client.post(reverse("withdraw_invitation", args=[other.pk])).status_code == 404
    assert client.post(reverse("withdraw_invitation", args=[watcher.pk])).status_code == 302
    assert Invitation.system("test").get(pk=watcher.pk).withdrawn_at == now()


def test_every_role_and_invitation_is_on_some_page_once(cast, monkeypatch):
    monkeypatch.setattr(views, "PAGE", 4)
    for number in range(5):
        cast.appoint(f"same{number}", "officer", cast.na_then)
        User.objects.filter(pk=cast.people[f"same{number}"].pk).update(full_name="Lò Văn Một")
    for number in range(6):
        Invitation.objects.create(
            token_hash=uuid4().hex,
            username=f"invited{number}",
            full_name="Invited",
            role="officer",
            unit=cast.na_then,
            invited_by_id=cast.people["administrator"].pk,
            invited_at=now() - timedelta(days=number // 2),
            expires_at=now() + timedelta(days=7),
        )
    client = browser(cast, "administrator")

    def walk(pattern, link):
        seen, url = [], reverse("people")
        while url:
            text = client.get(url).content.decode()
            seen += re.findall(pattern, text)
            following = re.search(link, text)
            url = following and following[1].replace("&amp;", "&")
            assert len(seen) < 60
        return seen

    found = walk(r'<span class="sub">([\w.]+)</span>', r'<a href="([^"]+)" rel="next"')
    in_force = Grant.for_(cast.actor("administrator"), "grant.read").in_force(today())
    assert sorted(found) == sorted(in_force.values_list("user__username", flat=True)) and len(found) > 12
    waiting = walk(r"\((invited\d)\)", r'<a href="([^"]+)">More invitations')
    assert sorted(waiting) == [f"invited{number}" for number in range(6)]


def test_the_next_page_follows_a_role_that_was_just_ended_and_belongs_to_its_reader(cast, monkeypatch):
    monkeypatch.setattr(views, "PAGE", 2)
    client = browser(cast, "administrator")
    first = said(client)
    following = re.search(r'<a href="([^"]+)" rel="next"', first)[1]
    before = client.get(following).content.decode()
    last = re.findall(r'<span class="sub">([\w.]+)</span>', first)[-1]
    Grant.system("test").filter(user=cast.people[last]).update(valid_to=today())
    assert re.findall(r'class="sub">([\w.]+)<', before) == re.findall(
        r'class="sub">([\w.]+)<', client.get(following).content.decode()
    )
    cast.appoint("other", "administrator", cast.province)
    assert browser(cast, "other").get(following).status_code == 302
    assert client.get(reverse("people"), {"after": "made-up"}).status_code == 302


@pytest.mark.parametrize("sought", ["đặng xuân", "ĐẶNG", "dang.thi", "xuan", "Xuân Đặng"])
def test_somebody_is_found_by_name_even_after_every_role_ended(cast, sought):
    cast.appoint("dang.thi.xuan", "officer", cast.na_then, valid_to=date(2026, 1, 1))
    User.objects.filter(username="dang.thi.xuan").update(full_name="Đặng Thị Xuân")
    client = browser(cast, "administrator")
    page = said(client, q=sought)
    assert "dang.thi.xuan" in page and reverse("give_role", args=[cast.people["dang.thi.xuan"].pk]) in page
    assert "dang.thi.xuan" not in said(client) and ">pao<" not in page
    assert "Nobody in your area" in said(client, q="stranger"), "the neighbour is not in reach"


def test_an_inspector_finds_by_name_whom_to_appoint_and_lists_only_watchers(cast):
    client = browser(cast, "inspector")
    page = said(client)
    assert ">auditor<" in page and ">pao<" not in page
    found = said(client, q="pao")
    assert reverse("give_role", args=[cast.people["pao"].pk]) in found
    assert reverse("end_grant", args=[grant_of(cast, "pao").pk]) not in found


def test_an_invitation_of_somebody_who_is_here_already_points_to_the_list(cast):
    body = {"full_name": "Pao", "username": "pao", "role": "officer", "unit": cast.phieng_lua.slug}
    answer = browser(cast, "administrator").post(reverse("invite"), body)
    assert answer.status_code == 422 and "People and roles" in answer.content.decode()
    assert browser(cast, "administrator").post(reverse("invite"), body | {"username": "stranger"}).status_code == 200
