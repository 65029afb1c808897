"""Figures of old units on the map of a later day: exactly, or honestly not at all.

`lossy_merge` is the rule by which the field's leading statistics system merges units (it keeps the latest
value and deletes the others). It stays here as a rejected reference: our tests must fail on it.
"""

import unicodedata
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandan.inference.correspondence import Link, check_links, compose, restate
from gandan.units import register
from gandan.units.restating import TableError, restate_table

pytestmark = pytest.mark.agnostic
BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)
THREE = [Link("a", "n"), Link("b", "n"), Link("c", "n")]


def lossy_merge(values, links):
    """The rejected rule: of all values that reach a unit, the last one written survives."""
    return {link.new: values[link.old] for link in links if link.old in values}


def test_four_seven_and_two_are_thirteen_on_the_new_map_and_stay_themselves_on_the_old():
    values = {"a": 4, "b": 7, "c": 2}
    found = restate(values, THREE)["n"]
    assert (found.value, found.imputed, found.unknown) == (13, 0, 0)
    assert lossy_merge(values, THREE)["n"] != 13
    assert {code: each.value for code, each in restate(values, []).items()} == values


def test_a_unit_that_goes_on_and_absorbs_two_keeps_its_own():
    links = [Link("c", "c"), Link("a", "c"), Link("b", "c")]
    assert restate({"a": 4, "b": 7, "c": 2}, links)["c"].value == 13


def test_missing_is_not_zero():
    found = restate({"a": 4, "c": 2}, THREE)["n"]
    assert (found.value, found.reported, found.expected) == (6, 2, 3)


def test_a_ratio_is_restated_from_its_parts():
    found = restate({"a": (1, 4), "b": (6, 7), "c": (0, 2)}, THREE, how="ratio")["n"]
    assert found.value == Fraction(7, 13)


def test_a_part_of_unknown_size_is_a_break_and_never_a_number():
    found = restate({"a": 13}, [Link("a", "m", "unknown"), Link("a", "n", "unknown")])
    assert found["m"].value is None and found["n"].value is None and found["m"].is_break


def test_a_declared_share_says_how_much_is_imputed():
    links = [Link("a", "m", "share", Fraction(2, 5)), Link("a", "n", "share", Fraction(3, 5)), Link("b", "n")]
    found = restate({"a": 10, "b": 4}, links)
    assert (found["m"].value, found["m"].imputed) == (4, 1)
    assert (found["n"].value, found["n"].imputed) == (10, Fraction(3, 5))


def test_links_that_lose_or_double_a_unit_are_refused():
    for wrong in ([Link("a", "m"), Link("a", "n")], [Link("a", "m", "share", Fraction(1, 3))]):
        with pytest.raises(ValueError, match="neither one whole"):
            check_links(wrong)


@st.composite
def histories(draw):
    """A chain of merges, divisions and renames over five units."""
    living, counter, steps = [f"u{n}" for n in range(5)], 5, []
    for _ in range(draw(st.integers(1, 6))):
        links, following = [], []
        order = draw(st.permutations(living))
        while order:
            size = draw(st.integers(1, min(3, len(order))))
            group, order = order[:size], order[size:]
            counter += 2
            if size == 1 and draw(st.booleans()):
                share = Fraction(draw(st.integers(1, 9)), 10)
                links += [
                    Link(group[0], f"u{counter}", "share", share),
                    Link(group[0], f"u{counter + 1}", "share", 1 - share),
                ]
                following += [f"u{counter}", f"u{counter + 1}"]
            else:
                links += [Link(unit, f"u{counter}") for unit in group]
                following.append(f"u{counter}")
        steps.append(links)
        living = following
    return steps


@given(histories(), st.lists(st.integers(0, 1000), min_size=5, max_size=5))
def test_totals_are_equal_on_every_map(steps, figures):
    values = {f"u{n}": figure for n, figure in enumerate(figures)}
    links = steps[0]
    for step in steps[1:]:
        assert sum(each.value for each in restate(values, links).values()) == sum(figures)
        links = compose(links, step)
    check_links(links)
    assert sum(each.value for each in restate(values, links).values()) == sum(figures)


@pytest.fixture(scope="module")
def book():
    return register.from_reference()


def test_a_table_of_lai_chau_keeps_its_total(book):
    old = [e for e in book.alive(BEFORE) if book.name(book.name(e.parent).parent).code == "12"]
    table = "code,cases\n" + "\n".join(f"{e.code},{n}" for n, e in enumerate(old))
    rows = restate_table(table.encode(), book, BEFORE, AFTER).splitlines()[1:]
    assert len(rows) == 38
    assert sum(int(row.split(",")[3]) for row in rows) == sum(range(106))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "row 1: the table is empty"),
        (b"code\n03386\n", "one column only"),
        (b"code,n\n03386,4\n03386,5\n", "row 3: the code 03386 stands in row 2"),
        (b"code,n\n03386,four\n", "row 2, column n: 'four' is not a number"),
        (b"code,n\n03386,4,5\n", "row 2: 3 cells"),
        (b"code,n\n\n99999,4\n", "row 3: no unit"),
        (b"code,n\n", "row 2: the table has headings and no rows"),
        (b"code,name\n03386,X\n", "row 1: the table has a code and a name, but no figures"),
        (b"code,n\n3388,4\n", "row 2: '3388' is no official code.*taken the zero in front: 03388"),
        (b"code,n\n03388,1.234\n", "row 2, column n: '1.234' may mean 1234 or 1 and 234 thousandths"),
        (b'code,n\n03388,"12,345"\n', "row 2, column n: '12,345' may mean 12345 or 12 and 345 thousandths"),
        (b'code,n,m\n03388,"4,5",4.5\n03386,1.234,1\n', "row 3, column n: '1.234' may mean"),
        ("mã,tên,n\n03388,Phường Đoàn Kết,4\n".encode(), "row 2: on 30/06/2025 the code 03388 meant Phường Quyết Tiến"),
        ("mã,vụ\n03386,Ậ".encode("utf-16-le"), "UTF-8|one column|cells"),
        ("code,n\nPhường,4\n".encode("cp1258", "replace"), "row 2: the file is not UTF-8|no official code"),
    ],
)
def test_a_faulty_table_is_answered_by_its_rows(book, data, words):
    with pytest.raises(TableError, match=words):
        restate_table(data, book, BEFORE, AFTER)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_every_honest_kind_are_read(book, encoding):
    text = "code;n\n03386;1.234,5\n03388;\n"
    row = restate_table(text.encode(encoding), book, BEFORE, AFTER).splitlines()[1]
    assert row.startswith("03388,Phường Đoàn Kết,1/5,1234.5,")


@pytest.mark.parametrize(
    ("rows", "total"),
    [
        ("03386\t1.234.567\n03388\t1", "1234568"),
        ("03386;1.234\n03388;1", "1235"),
        ("03386;1.234\n03388;0,5", "1234.5"),
        ("03386,1.234\n03388,2.5", "3.734"),
        ('03386,"1,234"\n03388,2.5', "1236.5"),
        ("03386,0.125\n03388,2", "2.125"),
        ('03386,"1,234.5"\n03388,1', "1235.5"),
        ("03386,-4\n03388,6", "2"),
    ],
)
def test_a_thousand_is_told_from_thousandths_by_the_rest_of_the_table(book, rows, total):
    sign = next(each for each in "\t;," if each in rows)
    row = restate_table(f"code{sign}n\n{rows}\n".encode(), book, BEFORE, AFTER).splitlines()[1]
    assert row.split(",")[3] == total


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("heading", ["Tên đơn vị", "name", "Xã, phường"])
@pytest.mark.parametrize("name", ["Phường Quyết Tiến", "P. Quyết Tiến", "quyet tien", ""])
def test_a_column_of_names_is_checked_and_not_counted(book, form, heading, name):
    table = unicodedata.normalize(form, f'Mã,"{heading}",Số vụ\n03388,{name},4\n')
    lines = restate_table(table.encode(), book, BEFORE, AFTER).splitlines()
    assert lines[0] == "code,name,reported,Số vụ,Số vụ imputed share,Số vụ unknown share"
    assert lines[1] == "03388,Phường Đoàn Kết,1/5,4,0,0"


def test_an_empty_cell_of_a_unit_that_no_act_touched_stays_empty(book):
    """A province that went on as it was has no link to a later map; its empty figure is still its own."""
    told = restate_table(b"code;reports;residents\n12;7;\n11;1;2\n", book, BEFORE, AFTER).splitlines()
    assert [line.split(",") for line in told[1:]] == [
        ["11", "Tỉnh Điện Biên", "1/1", "1", "0", "0", "2", "0", "0", "1/1", "1/1"],
        ["12", "Tỉnh Lai Châu", "0/1", "7", "0", "0", "", "0", "0", "1/1", "0/1"],
    ]


def test_of_several_figures_each_says_how_many_units_reported_it(book):
    table = b"code,a,b\n03388,1,2\n03386,1,\n"
    told = [line.split(",") for line in restate_table(table, book, BEFORE, AFTER).splitlines()]
    assert told[0][-2:] == ["a reported", "b reported"]
    assert (told[1][2], told[1][3], told[1][6], told[1][-2:]) == ("1/5", "2", "2", ["2/5", "1/5"])


def test_a_ratio_follows_from_the_figures_beside_it(book):
    """A row without one of its two parts counts in neither: 11 over 10 beside a ratio of 0.4 would be no quotient."""
    told = restate_table(b"code,num,den\n03388,4,10\n03386,7,\n12,1,\n", book, BEFORE, AFTER, how="ratio").splitlines()
    assert told[0].endswith("den unknown share,ratio")
    assert told[1] == "03388,Phường Đoàn Kết,1/5,4,0,0,10,0,0,0.4"
    assert told[2] == "12,Tỉnh Lai Châu,0/1,,0,0,,0,0,"


@pytest.mark.parametrize("first", ["03388,5", "3388,5", "'03388;5", "O3388\t5", "12,5", "3388.0,5"])
def test_a_first_row_that_is_no_heading_is_not_lost(book, first):
    with pytest.raises(TableError, match="row 1: the table has no headings"):
        restate_table(f"{first}\n03391,7\n".encode(), book, BEFORE, AFTER)


def test_no_figure_stands_at_a_unit_that_is_no_more(book):
    with pytest.raises(TableError, match="row 3: Quận Ba Đình is no more after 30/06/2025.*districts have none"):
        restate_table(b"code,a\n03388,4\n001,5\n", book, BEFORE, AFTER)
    assert restate_table(b"code,a\n001,5\n", book, date(2025, 4, 1), BEFORE).splitlines()[1].endswith("1/1,5,0,0")
    assert restate_table(b"code,a\n03388,4\n001,\n", book, BEFORE, AFTER).count("\n") == 2, "nothing is lost with it"
    begin = date(2020, 1, 1)
    closed = register.Register(
        [
            register.Entry("a", "00001", "Cũ", "Xã", "commune", "", begin, date(2026, 1, 1)),
            register.Entry("b", "00002", "Còn", "Xã", "commune", "", begin, None),
        ],
        [],
        begin,
        "installation",
    )
    with pytest.raises(TableError, match="row 2: Xã Cũ is no more after 31/12/2025"):
        restate_table(b"code,a\n00001,4\n00002,5\n", closed, date(2025, 12, 31), date(2026, 1, 1))


def test_recorded_parts_that_make_no_whole_are_told_in_a_sentence():
    begin, day = date(2020, 1, 1), date(2026, 1, 1)
    entries = [register.Entry("a", "00001", "Cũ", "Xã", "commune", "", begin, day)]
    entries += [register.Entry(k, f"0000{k}", k, "Xã", "commune", "", day, None) for k in "234"]
    third = Fraction("0.33333333")
    book = register.Register(entries, [register.Passing("a", k, day, "share", third) for k in "234"], begin, "x")
    with pytest.raises(TableError, match=r"the recorded parts of Xã Cũ \(00001\) do not make one whole"):
        restate_table(b"code,a\n00001,9\n", book, date(2025, 12, 31), day)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("12345678901234567.25", "12345678901234567.25"),
        ("0.0000001", "0.0000001"),
        ("-0.5", "-0.5"),
        ("9007199254740993", "9007199254740993"),
        ("100", "100"),
    ],
)
def test_a_number_is_printed_in_full(book, written, told):
    row = restate_table(f"code,a\n03388,{written}\n".encode(), book, BEFORE, AFTER).splitlines()[1]
    assert row == f"03388,Phường Đoàn Kết,1/5,{told},0,0"


def test_a_number_without_end_has_sixteen_digits_after_the_whole(book):
    told = restate_table(b"code,a,b\n03388,20000000000000000001,3\n", book, BEFORE, AFTER, how="ratio")
    assert told.splitlines()[1].endswith(",6666666666666666667")
    told = restate_table(b"code,a,b\n03388,20000000000000000000,3\n", book, BEFORE, AFTER, how="ratio")
    assert told.splitlines()[1].endswith(",6666666666666666666.6666666666666667")


def test_a_new_figure_is_never_split_onto_old_units(book):
    with pytest.raises(register.RegisterError, match="forward in time only"):
        restate_table(b"code,n\n03388,4\n", book, AFTER, BEFORE)
