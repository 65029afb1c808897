"""Results as open data: the same figures as the pages, with what each of them counts."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from gandan.access import today
from gandan.access.decorators import public
from gandan.access.interface import Declined, Words, may_refuse, text
from gandan.cases import results
from gandan.portal import periods, views
from gandan.units.models import Unit, dated

router = Router(tags=["results"])
PAGE = 100
LICENCE = "CC-BY-4.0"


class ResultRow(Schema):
    """The results of one unit. What is not known is null, never 0."""

    unit: str
    slug: str
    former_units_added: int
    received: int
    settled: int
    in_time: int
    promises_ended: int
    median_days: float | None
    open_now: int
    """Matters that nobody has answered today."""
    late_now: int
    """Those of them of which a promise is past its date."""
    ratings: int
    rating_mean: float | None
    rating_stream: str


class Definition(Schema):
    name: str
    text: str


class ResultTable(Schema):
    period: str
    valid_from: date
    valid_until: date
    """The first day that is no longer counted."""
    rows: list[ResultRow]
    next: str | None
    definitions: list[Definition]
    licence: str


_Period = text(6, pattern=r"^(|[0-9]{4}(Q[1-4])?)$")


class ResultAsked(Words):
    period: _Period = ""  # type: ignore[valid-type]
    """A year (2026) or a quarter (2026Q3); the present quarter when none is given."""


class ResultsAsked(ResultAsked):
    after: text(80) = ""  # type: ignore[valid-type]
    limit: Annotated[int, Field(ge=1, le=400)] = PAGE


@router.get("/results", response=ResultTable)
@public("results are published")
@may_refuse(404)
def results_of_all(request: HttpRequest, words: Query[ResultsAsked]) -> Any:
    """Every commune's results of one period, in the order of slugs: no ranking."""
    period = _period(words.period)
    rows = Unit.objects.filter(dated(today()), level=Unit.Level.COMMUNE, slug__gt=words.after).order_by("slug")
    units = list(rows[: words.limit + 1])
    following = units[words.limit - 1].slug if len(units) > words.limit else None
    return _table(period, units[: words.limit], following)


@router.get("/units/{str:slug}/results", response=ResultTable)
@public("results are published")
@may_refuse(404)
def results_of_unit(request: HttpRequest, slug: str, words: Query[ResultAsked]) -> Any:
    """What became of what people brought to one unit, with definitions."""
    unit = Unit.objects.filter(slug=slug).first()
    if unit is None:
        raise Declined(404, _("We know no unit with this address. Search for it by its name."))
    return _table(_period(words.period), [unit], None)


def _period(code: str) -> periods.Period:
    found = periods.read(code) if code else periods.quarter_of(today())
    if found is None:
        raise Declined(404, _("There is no such period. Write a year, 2026, or a quarter, 2026Q3."))
    if not found.has_begun(today()):
        raise Declined(404, _("This period has not begun, so there is nothing to count. Ask for an earlier one."))
    return found


def _table(period: periods.Period, units: list[Unit], following: str | None) -> dict[str, Any]:
    return {
        "period": period.code,
        "valid_from": period.start,
        "valid_until": period.end,
        "rows": results.table(results.of_units(units, period.start, period.end)),
        "next": following,
        "definitions": views.definitions(),
        "licence": LICENCE,
    }
