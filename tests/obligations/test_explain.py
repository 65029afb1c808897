"""Every due date can be printed as a sum, in both languages, and read off again."""

import re
from datetime import date, time, timedelta

import pytest
from django.utils import translation

from gandan.access import clock
from gandan.obligations import actions, explain
from tests.cast import NOBODY
from tests.obligations.promises import at, do, midnight, one, start

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _vietnamese():
    with translation.override("vi"):
        yield


def lines(matter, language="vi", code=""):
    with translation.override(language):
        return explain.lines(one(matter, code))


def test_the_sum_names_its_start_each_skipped_day_and_the_result(cast):
    matter, _ = start(cast, when="2026-11-20")
    told = lines(matter)
    assert "09:00 20/11/2026" in told[0] and "26/11/2026" in told[-1]
    assert any("24/11/2026" in line for line in told)
    assert "26 November 2026" in lines(matter, "en")[-1]


def test_a_remote_commune_is_told_why_it_has_more_time(cast):
    matter, _ = start(cast, "CR-01", event="received", unit=cast.phieng_lua, when=at("2026-11-16", time(22, 40)))
    told = "\n".join(lines(matter))
    assert "48 giờ" in told and "vùng sâu, vùng xa" in told and "22:40 18/11/2026" in told


def test_a_pause_and_an_extension_stand_in_the_sum_with_their_grounds(cast):
    matter, _ = start(cast, "RE-07")
    do(actions.suspend, "2026-11-16", matter=matter, ground="missing_papers")
    assert any("chờ bổ sung giấy tờ" in line for line in lines(matter))
    do(actions.resume, "2026-11-18", matter=matter)
    do(actions.extend, "2026-11-18", obligation=one(matter), extension="extend_once", ground="mất điện cả ngày")
    told = "\n".join(lines(matter))
    assert "chờ bổ sung giấy tờ" in told and "mất điện cả ngày" in told
    assert told.endswith("19/11/2026.")


def test_the_last_day_of_the_sum_is_the_stored_date(cast):
    """Counted from the printed text alone: the last line names the day that ends at the stored midnight."""
    for day in range(3, 28):
        for procedure, event in (("RE-01", "complete"), ("FB-01", "received"), ("CO-01", "received")):
            matter, opened = start(cast, procedure, event=event, when=date(2026, 1, day))
            for promise in opened:
                (printed,) = re.findall(r"\d\d/\d\d/\d{4}", lines(matter, code=promise.clock)[-1])
                assert promise.due_at == midnight("-".join(reversed(printed.split("/")))) + timedelta(days=1)


def test_what_happened_is_told_with_names_numbers_and_both_times(cast):
    matter, _ = start(cast, by=cast.actor("pao"))
    do(actions.suspend, "2026-11-17", matter=matter, ground="missing_papers", decision="5/TB")
    do(actions.resume, "2026-11-18", matter=matter)
    do(actions.transfer, "2026-11-19", obligation=one(matter), to_unit=cast.phieng_lua, ground="1670/NQ")
    with clock.at(at("2026-11-25")):
        late = {"matter": matter, "at": at("2026-11-20"), "by": cast.actor("lan"), "late_entry": True}
        actions.hand_over(**late, to_unit=cast.na_then, ground="9/GBN")
    told = explain.events(one(matter))
    assert [event["by"] for event in told] == ["Pao", "", "", "", "Lan"]
    assert "5/TB" in told[1]["text"]
    assert "Xã Nà Then" in told[3]["text"] and "Xã Phiêng Lúa" in told[3]["text"] and "1670/NQ" in told[3]["text"]
    assert "9/GBN" in told[4]["text"] and "25/11/2026" in told[4]["text"]


def test_a_changed_calendar_is_told_with_the_former_date(cast):
    matter, _ = start(cast, when="2026-11-23")
    actions.declare_day(
        day=date(2026, 11, 26), kind="holiday", name_vi="Nghỉ lụt", name_en="Flood", decree="9/QĐ", by=NOBODY
    )
    told = explain.events(one(matter))[-1]["text"]
    assert "9/QĐ" in told and "27/11/2026" in told and "30/11/2026" in told
