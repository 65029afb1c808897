"""Who may do what: given by others, within their reach, for a time."""

from datetime import date, timedelta

import pytest

from gandan.access import Refused, clock, now, today
from gandan.access.clock import VIETNAM
from gandan.accounts.models import User
from gandan.cases.models import Case
from gandan.staffing import actions
from gandan.staffing.models import Grant, Invitation

pytestmark = pytest.mark.django_db


def test_a_grant_reaches_the_units_beneath_and_no_neighbour(cast):
    commander = cast.actor("commander")
    reach = commander.reach("obligation.read")
    assert reach.covers(cast.na_then.pk, cast.province.pk) and reach.covers(cast.phieng_lua.pk, cast.province.pk)
    assert not reach.covers(cast.far_away.pk, cast.other_province.pk)
    pao = cast.actor("pao").reach("case.read")
    assert pao.covers(cast.na_then.pk) and not pao.covers(cast.phieng_lua.pk, cast.province.pk)


def test_an_expired_and_a_future_grant_open_nothing(cast):
    cast.appoint("gone", "officer", cast.na_then, valid_to=date(2026, 11, 23))
    cast.appoint("coming", "officer", cast.na_then, valid_from=date(2026, 11, 24))
    cast.appoint("last_day", "officer", cast.na_then, valid_to=date(2026, 11, 24))
    assert not cast.actor("gone").can("case.read")
    assert not cast.actor("coming").can("case.read")
    assert cast.actor("last_day").can("case.read")


def test_nobody_gives_himself_a_role_or_reaches_beyond_his_area(cast):
    by = cast.actor("administrator")
    for user, role, unit in (
        ("administrator", "chief", cast.na_then),
        ("pao", "chief", cast.far_away),
        ("pao", "oversight", cast.province),
        ("pao", "auditor", cast.province),
    ):
        with pytest.raises(Refused):
            actions.give_grant(user=cast.people[user], role=role, unit=unit, by=by)
    assert actions.give_grant(user=cast.people["pao"], role="chief", unit=cast.na_then, by=by).role == "chief"
    with pytest.raises(Refused):
        actions.give_grant(user=cast.people["pao"], role="officer", unit=cast.na_then, by=cast.actor("chief"))


def test_only_oversight_appoints_those_who_watch(cast):
    by = cast.actor("inspector")
    assert actions.give_grant(user=cast.people["lan"], role="auditor", unit=cast.province, by=by)
    with pytest.raises(Refused):
        actions.give_grant(user=cast.people["lan"], role="chief", unit=cast.na_then, by=by)


def test_an_invitation_opens_once_and_in_time(cast):
    invited = actions.invite(
        username="Moi.Den",
        full_name="Người Mới",
        rank="",
        role="officer",
        unit=cast.na_then,
        by=cast.actor("administrator"),
    )
    assert invited.token not in str(Invitation.system("test").values())
    user = actions.accept_invitation(token=invited.token, password="một câu dài dễ nhớ")
    assert user.username == "moi.den" and user.check_password("một câu dài dễ nhớ")
    with pytest.raises(Refused):
        actions.accept_invitation(token=invited.token, password="một câu dài dễ nhớ")
    late = actions.invite(
        username="muon", full_name="Muộn", rank="", role="officer", unit=cast.na_then, by=cast.actor("administrator")
    )
    with clock.at(now() + timedelta(days=8)):
        assert actions.open_invitation(late.token) is None
    assert actions.open_invitation("wrong") is None


def test_a_taken_user_name_is_refused_without_saying_whose_it_is(cast):
    invited = actions.invite(
        username="pao", full_name="Khác", rank="", role="officer", unit=cast.na_then, by=cast.actor("administrator")
    )
    with pytest.raises(Refused):
        actions.accept_invitation(token=invited.token, password="một câu dài dễ nhớ")
    assert User.objects.filter(username="pao").count() == 1


def test_an_ended_role_ends_at_once(cast):
    grant = Grant.system("test").get(user=cast.people["pao"])
    actions.end_grant(grant=grant, by=cast.actor("administrator"))
    assert not cast.actor("pao").can("case.read")
    with pytest.raises(Refused):
        actions.end_grant(grant=grant, by=cast.actor("administrator"))


def test_who_left_lately_is_still_a_party_to_concerns_about_the_unit(cast):
    cast.appoint("moved", "officer", cast.na_then, valid_to=date(2025, 6, 1))
    cast.appoint("moved", "oversight", cast.province, valid_from=date(2025, 6, 1))
    assert cast.na_then.pk in cast.actor("moved").affiliations
    with clock.at(now().astimezone(VIETNAM) + timedelta(days=400)):
        assert cast.na_then.pk not in cast.actor("moved").affiliations


def test_a_role_at_a_unit_that_has_ended_opens_nothing(cast):
    cast.brings(unit=cast.na_then)
    assert Case.for_(cast.actor("pao"), "case.read").exists()
    type(cast.na_then).objects.filter(pk=cast.na_then.pk).update(valid_to=today())
    pao = cast.actor("pao")
    assert not pao.grants and not pao.can("case.read") and not Case.for_(pao, "case.read").exists()
