"""For those who look over others: how long what is kept."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from gandan.access import now
from gandan.access.decorators import needs
from gandan.secrecy import retention


@needs("account.read", "audit.read")
def retention_table(request: HttpRequest) -> HttpResponse:
    """The periods in force, each with its ground, and how many rows are past theirs."""
    language = "en" if get_language() == "en" else "vi"
    doings = {"delete": _("deleted"), "anonymise": _("emptied of words and names"), "keep": _("kept")}
    lines = [
        {
            "table": line.rule.table,
            "sensitivity": line.rule.sensitivity,
            "do": doings[line.rule.do],
            "days": line.rule.days,
            "counted": line.rule.counted[language],
            "basis": line.rule.basis[language],
            "unverified": line.rule.evidence != "official",
            "version": line.rule.version,
            "since": line.rule.valid_from,
            "due": line.due,
            "held": line.held,
        }
        for line in retention.run(now(), dry_run=True)
    ]
    return render(request, "secrecy/retention.html", {"lines": lines})
