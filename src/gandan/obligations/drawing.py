"""The table of the worklist, drawn without a template: it is the page that everybody opens all day.

Every text is escaped. What it draws is, byte for byte, what `benchmarks/plain/worklist_table.html` draws; a test
compares the two.
"""

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from gandan.obligations.worklist import Row
from gandan.ui.templatetags.gandan import clock_chip

_ANY = UUID(int=0)
_LATE = ' class="late"'


def table(rows: Sequence[Row]) -> SafeString:
    """Return the table of a page of promises, in the reader's language."""
    language = "en" if get_language() == "en" else "vi"
    matter, owed, due, owner = (escape(text) for text in (_("Matter"), _("What is owed"), _("Due"), _("Owner")))
    closed, nobody = escape(_("A matter that you may not open")), escape(_("Nobody yet"))
    begin, end = _address("obligation", language)
    head = "".join(f'<th role="columnheader" scope="col">{title}</th>' for title in (matter, owed, due, owner))
    parts = [
        '<div class="sheet"><table class="table table--stack inbox" role="table">'
        f'<caption class="vh">{escape(_("Open promises, nearest deadline first"))}</caption>\n'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n<tbody role="rowgroup">'
    ]
    for row in rows:
        promise, summary, term = row.obligation, row.summary, row.obligation.term
        if summary.title:
            first, last = _address(row.url_name, language)
            title = (
                f'<a href="{first}{promise.matter}{last}">{escape(summary.title)}</a>'
                f'<span class="sub">{escape(summary.reference)} · {escape(summary.note)}</span>'
            )
        else:
            title = closed
        name, basis = (term.name_en, term.basis_en) if language == "en" else (term.name_vi, term.basis_vi)
        waiting = f'<span class="sub">{escape(row.waiting_for)}</span>' if row.waiting_for else ""
        chip = clock_chip(row.clock, row.due_at, show_due=True)
        parts.append(
            f'<tr role="row"{_LATE if row.clock.kind == "late" else ""}>'
            f'<th role="rowheader" scope="row" data-l="{matter}" class="wide">{title}</th>\n'
            f'<td role="cell" data-l="{owed}"><a href="{begin}{promise.pk}{end}">{escape(name)}</a>'
            f'<span class="sub">{escape(basis)}</span></td>\n'
            f'<td role="cell" data-l="{due}" class="due">{chip}{waiting}</td>\n'
            f'<td role="cell" data-l="{owner}">'
            f"{escape(promise.assignee.title) if promise.assignee else f'<b>{nobody}</b>'}"
            f'<span class="sub">{escape(promise.owed_by.title)}</span></td></tr>'
        )
    parts.append("</tbody>\n</table></div>")
    return mark_safe("".join(parts))  # noqa: S308 - every text above is escaped


@lru_cache(maxsize=64)
def _address(name: str, language: str) -> tuple[str, str]:
    """Return what stands before and after the key in the address of a page, in a language."""
    before, _key, after = reverse(name, args=[_ANY]).partition(str(_ANY))
    return before, after
