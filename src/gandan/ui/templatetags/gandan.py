"""Words, figures, dates and small drawings that templates share. Load with `{% load gandan %}`."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Protocol

from django import template
from django.forms.boundfield import BoundField
from django.template.base import token_kwargs
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape, format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext

register = template.Library()

ICONS = frozenset(
    [
        "back",
        "bell",
        "cal",
        "card",
        "chart",
        "check",
        "clock",
        "close",
        "down",
        "edit",
        "eye",
        "file",
        "hand",
        "history",
        "home",
        "in",
        "info",
        "key",
        "law",
        "link",
        "lock",
        "mail",
        "map",
        "menu",
        "moon",
        "next",
        "out",
        "people",
        "phone",
        "pin",
        "plus",
        "print",
        "rate",
        "say",
        "search",
        "sent",
        "shield",
        "sun",
        "task",
        "unit",
        "up",
        "user",
        "warn",
    ]
)
"""The names that `icon` knows; their drawings are `frontend/icons/*.svg`."""

CLOCK_KINDS = ("idle", "soon", "late", "hold", "done_in_time", "done_late")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw an icon beside words; with a label it stands for the words itself."""
    if name not in ICONS:
        raise ValueError(f"there is no icon named {name!r}; see gandan.ui.templatetags.gandan.ICONS")
    described = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon" {} focusable="false" width="24" height="24"><use href="{}#{}"/></svg>',
        described,
        static("ui/icons.svg"),
        name,
    )


# Numbers


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _written(number: Decimal, places: int | None) -> str:
    if places is None:
        places = min(max(0, -int(number.normalize().as_tuple().exponent)), 6)
    number = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    whole, _, rest = f"{abs(number):,f}".partition(".")
    group, point = (",", ".") if get_language() == "en" else (".", ",")
    text = whole.replace(",", group) + (point + rest if rest else "")
    return f"\u2212{text}" if number < 0 else text


@register.filter
def number(value: Any, places: int | str | None = None) -> str:
    """Write a number as the language does: 1.234,5 or 1,234.5; nothing for nothing."""
    found = _decimal(value)
    if found is None:
        return ""
    return _written(found, None if places is None else int(places))


@register.filter
def percent(share: Any, places: int | str = 1) -> str:
    """Write a share between 0 and 1 as a percentage: 0.94 is 94,0%; nothing for nothing."""
    found = _decimal(share)
    return "" if found is None else _written(found * 100, int(places)) + "%"


@register.filter
def human_size(size: Any) -> str:
    """Write a number of bytes in kB (thousands) or MB."""
    found = _decimal(size)
    if found is None:
        return ""
    if found < 1000:
        return ngettext("%(size)s byte", "%(size)s bytes", int(found)) % {"size": _written(found, 0)}
    if found < 999_500:
        return f"{_written(found / 1000, 0)} kB"
    return f"{_written(found / 1_000_000, 1)} MB"


@register.filter
def code16(code: Any) -> str:
    """Write a follow-up code in groups of four: 1234 5678 9012 3456."""
    text = re.sub(r"\s", "", str(code or ""))
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _spaced(phone: str) -> str:
    digits = re.sub(r"[^\d+]", "", phone)
    for length, groups in ((10, (4, 3, 3)), (11, (4, 4, 3))):
        if len(digits) == length and digits.startswith("0"):
            parts, start = [], 0
            for group in groups:
                parts.append(digits[start : start + group])
                start += group
            return " ".join(parts)
    return phone.strip()


@register.filter
def phone(value: Any) -> str:
    """Write a telephone number as a link that dials it."""
    text = str(value or "").strip()
    if not text:
        return ""
    dialled = re.sub(r"[^\d+]", "", text)
    return format_html('<a class="tel num" href="tel:{}">{}</a>', dialled, _spaced(text))


# Dates and times


def _local(value: Any) -> date | datetime | None:
    if isinstance(value, datetime):
        return timezone.localtime(value) if timezone.is_aware(value) else value
    return value if isinstance(value, date) else None


def _time_element(value: date | datetime | time, text: str) -> SafeString:
    return format_html('<time class="num" datetime="{}">{}</time>', value.isoformat(), text)


@register.filter
def vn_date(value: Any) -> str:
    """Write a day, in Vietnam's time: 20/11/2026; in English 20 November 2026."""
    moment = _local(value)
    if moment is None:
        return ""
    day = moment.date() if isinstance(moment, datetime) else moment
    return _time_element(day, date_format(day, "DATE_FORMAT"))


@register.filter
def vn_time(value: Any) -> str:
    """Write the time of day of an instant in Vietnam: 17:00."""
    moment = value if isinstance(value, time) else _local(value)
    if not isinstance(moment, datetime | time):
        return ""
    return _time_element(moment, f"{moment:%H:%M}")


@register.filter
def vn_datetime(value: Any) -> str:
    """Write an instant in Vietnam's time: 20/11/2026, 17:00."""
    moment = _local(value)
    if not isinstance(moment, datetime):
        return vn_date(value)
    return _time_element(moment, date_format(moment, "DATETIME_FORMAT"))


@register.filter
def due(value: Any) -> str:
    """Write a due instant: the midnight that ends a day is told as the end of that day."""
    moment = _local(value)
    if not isinstance(moment, datetime):
        return vn_date(value)
    return _due(moment, get_language())


@lru_cache(maxsize=4096)
def _due(moment: datetime, _language: str) -> str:
    """One due instant in one language; the rows of a list share most of them."""
    if moment.time() != time.min:
        return vn_datetime(moment)
    text = gettext("end of %(day)s") % {"day": date_format(moment.date() - timedelta(days=1), "DATE_FORMAT")}
    return _time_element(moment, text)


# The clock of a duty


class Clock(Protocol):
    """What the chip reads: `gandan.law.ClockState` has this shape."""

    @property
    def kind(self) -> str: ...
    @property
    def days(self) -> int: ...
    @property
    def hours(self) -> int: ...
    @property
    def used_share(self) -> float: ...
    @property
    def in_hours(self) -> bool: ...


def clock_words(state: Clock, due_at: datetime | None = None) -> str:
    """Say how a clock stands, in words that need no colour."""
    in_hours = bool(getattr(state, "in_hours", False)) and state.hours < 48
    match state.kind:
        case "hold":
            return gettext("clock paused")
        case "done_in_time":
            return gettext("done in time")
        case "done_late":
            if in_hours or state.days == 0:
                return _counted_hours(state.hours, "done_late")
            return ngettext("done, %(n)s day late", "done, %(n)s days late", state.days) % _n(state.days)
        case "late":
            if in_hours or state.days == 0:
                return _counted_hours(state.hours, "late")
            return ngettext("%(n)s day overdue", "%(n)s days overdue", state.days) % _n(state.days)
        case "idle" | "soon":
            if in_hours:
                return _counted_hours(state.hours, "left")
            if state.days == 0:
                return _due_today(due_at)
            return ngettext("%(n)s day left", "%(n)s days left", state.days) % _n(state.days)
    raise ValueError(f"a clock knows {', '.join(CLOCK_KINDS)}, not {state.kind!r}")


def _n(count: int) -> dict[str, str]:
    return {"n": number(count)}


def _counted_hours(hours: int, what: str) -> str:
    if hours == 0:
        return {
            "left": gettext("less than an hour left"),
            "late": gettext("less than an hour overdue"),
            "done_late": gettext("done, less than an hour late"),
        }[what]
    sentence = {
        "left": ngettext("%(n)s hour left", "%(n)s hours left", hours),
        "late": ngettext("%(n)s hour overdue", "%(n)s hours overdue", hours),
        "done_late": ngettext("done, %(n)s hour late", "done, %(n)s hours late", hours),
    }[what]
    return sentence % _n(hours)


def _due_today(due_at: datetime | None) -> str:
    moment = _local(due_at)
    if isinstance(moment, datetime) and moment.time() != time.min:
        return gettext("due today %(time)s") % {"time": f"{moment:%H:%M}"}
    return gettext("due today")


_RING = (
    '<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">'
    '<circle class="clock__track" cx="10" cy="10" r="7"/>'
    '<circle class="clock__arc" cx="10" cy="10" r="7" pathLength="100" stroke-dasharray="{} 100"/></svg>'
)


@register.simple_tag
def clock_chip(state: Clock, due_at: datetime | None = None, show_due: bool = False) -> SafeString:
    """Draw a clock: words, then a ring for the share of time used, then colour; on demand the due date beneath.

    Written here, not as a template: a list draws one in each of its rows.
    """
    kind = {"done_in_time": "done", "done_late": "done-late"}.get(state.kind, state.kind)
    ring = _RING.format(max(0, min(100, round(float(state.used_share) * 100))))
    date = ""
    # A paused clock has no due date: it moves with the pause.
    if show_due and due_at and kind != "hold":
        when = due(due_at)
        said = gettext("was due %(when)s") % {"when": when} if kind.startswith("done") else when
        date = f' <span class="clock__due">{said}</span>'
    words = escape(clock_words(state, due_at))
    return mark_safe(  # noqa: S308 - the words are escaped, the date is an element of ours
        f'<span class="clock-line"><span class="clock clock--{kind}">{ring}{words}</span>{date}</span>'
    )


# Forms


@register.simple_tag
def widget_class(widget: dict[str, Any], base: str) -> SafeString:
    """Return the class attribute of a form control: its base class, its error class, its own classes."""
    attributes = widget["attrs"]
    classes = [base]
    if attributes.get("aria-invalid"):
        classes.append(f"{base}--error")
    classes += str(attributes.get("class") or "").split()
    return format_html('class="{}"', " ".join(classes))


@register.simple_tag
def widget_attributes(widget: dict[str, Any], leave_out: str = "", described_by: str = "") -> SafeString:
    """Return a control's attributes without `class` and those left out; `described_by` is added to the description."""
    hidden = {"class", *leave_out.split()}
    attributes = {name: value for name, value in widget["attrs"].items() if name not in hidden}
    if described_by:
        attributes["aria-describedby"] = f"{attributes.get('aria-describedby', '')} {described_by}".strip()
    parts = []
    for name, value in attributes.items():
        if value is True:
            parts.append(format_html(" {}", name))
        elif value is not False and value is not None:
            parts.append(format_html(' {}="{}"', name, value))
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped above


def _forms(context: template.Context) -> list[Any]:
    forms = [context["form"]] if context.get("form") is not None else []
    return forms + [form for form in (context.get("forms") or []) if form not in forms]


def _faults(forms: Iterable[Any]) -> list[dict[str, str]]:
    """Return what is wrong, in the order of the fields. Sentences that say the same name their fields."""
    found = []
    for form in forms:
        if getattr(form, "is_bound", False):
            found += [(str(text), field) for field in form for text in field.errors]
            found += [(str(text), None) for text in form.non_field_errors()]
    said = Counter(text for text, _ in found)
    return [
        {
            "text": f"{field.label}: {text}" if field and said[text] > 1 else text,
            "target": first_control(field) if field else "",
        }
        for text, field in found
    ]


@register.filter
def first_control(field: BoundField) -> str:
    """Return the id of the first control of a field: where a link to the field leads."""
    identifier = field.id_for_label or ""
    if identifier:
        return identifier
    return f"{field.auto_id}_0" if field.auto_id else ""


@register.inclusion_tag("ui/components/error_summary.html", takes_context=True)
def error_summary(context: template.Context) -> dict[str, Any]:
    """List what must be corrected in the context's `form` and `forms`, each with a link to its field."""
    return {"faults": _faults(_forms(context))}


@register.simple_tag(takes_context=True)
def error_title(context: template.Context) -> str:
    """Return the beginning of a title when something must be corrected, else nothing."""
    return gettext("Error: ") if _faults(_forms(context)) else ""


@register.filter
def kind_of(field: BoundField) -> str:
    """Return how a field is laid out: "check" for one tick box, "group" for several controls, else "single"."""
    if field.widget_type == "checkbox":
        return "check"
    return "group" if field.use_fieldset else "single"


# Tables


class TableNode(template.Node):
    def __init__(self, nodelist: template.NodeList, arguments: dict[str, Any]) -> None:
        self.nodelist = nodelist
        self.arguments = arguments

    def render(self, context: template.Context) -> SafeString:
        values = {name: expression.resolve(context) for name, expression in self.arguments.items()}
        return _table(self.nodelist.render(context), **values)


@register.tag("table")
def do_table(parser: template.base.Parser, token: template.base.Token) -> TableNode:
    """`{% table caption="…" %}<thead>…</thead><tbody>…</tbody>{% endtable %}`: a table that becomes cards on phones.

    Write plain rows: roles, scopes and the labels shown on phones are added. Arguments: `caption` (required),
    `show_caption`, `stack` (default true), `css` (further classes).
    """
    bits = token.split_contents()[1:]
    arguments = token_kwargs(bits, parser)
    if bits or "caption" not in arguments or set(arguments) - {"caption", "show_caption", "stack", "css"}:
        raise template.TemplateSyntaxError("table takes caption=… and optionally show_caption=, stack=, css=")
    nodelist = parser.parse(("endtable",))
    parser.delete_first_token()
    return TableNode(nodelist, arguments)


_PART = re.compile(r"<(/?)(thead|tbody|tfoot|tr|th|td)\b([^>]*)>")
_ROLES = {"thead": "rowgroup", "tbody": "rowgroup", "tfoot": "rowgroup", "tr": "row", "td": "cell"}
_SPAN = re.compile(r'colspan="(\d+)"')


def _table(body: str, caption: str, show_caption: bool = False, stack: bool = True, css: str = "") -> SafeString:
    classes = " ".join(["table", *(["table--stack"] if stack else []), *css.split()])
    caption_class = "" if show_caption else ' class="vh"'
    title = escape(caption)
    # A table that stays wide scrolls inside its frame, by keyboard too.
    scroller = "" if stack else f' tabindex="0" role="group" aria-label="{title}"'
    return mark_safe(  # noqa: S308 - the body was rendered by a template, the caption is escaped
        f'<div class="sheet"{scroller}><table class="{classes}" role="table">'
        f"<caption{caption_class}>{title}</caption>{_labelled(body)}</table></div>"
    )


def _labelled(body: str) -> str:
    """Add to rows and cells the roles that restyled tables lose, and to each cell the heading of its column."""
    headings = _headings(body)
    section, column = "", 0

    def add(match: re.Match[str]) -> str:
        nonlocal section, column
        closing, name, attributes = match.groups()
        if closing:
            return match.group()
        if name in ("thead", "tbody", "tfoot"):
            section = name
        elif name == "tr":
            column = 0
        given = ""
        if name == "th":
            scope = "col" if section == "thead" else "row"
            given = f' role="{"columnheader" if scope == "col" else "rowheader"}"'
            if "scope=" not in attributes:
                given += f' scope="{scope}"'
        else:
            given = f' role="{_ROLES[name]}"'
        if name in ("th", "td"):
            if section != "thead" and "data-l=" not in attributes and column < len(headings) and headings[column]:
                given += f' data-l="{headings[column]}"'
            span = _SPAN.search(attributes)
            column += int(span.group(1)) if span else 1
        return f"<{name}{given}{attributes}>"

    return _PART.sub(add, body)


def _headings(body: str) -> list[str]:
    head = re.search(r"<thead\b.*?</thead>", body, re.DOTALL)
    if not head:
        return []
    headings: list[str] = []
    for attributes, content in re.findall(r"<th\b([^>]*)>(.*?)</th>", head.group(), re.DOTALL):
        text = " ".join(strip_tags(content).split()).replace('"', "&quot;")
        span = _SPAN.search(attributes)
        headings += [text] * (int(span.group(1)) if span else 1)
    return headings
