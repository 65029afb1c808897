"""For those who look over others: which names were opened this week, and how long what is kept."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from gandan.access import now
from gandan.access.decorators import needs
from gandan.accounts.models import User
from gandan.secrecy import retention, revealing

SHOWN = 500


@needs("identity.review")
def openings(request: HttpRequest) -> HttpResponse:
    """Every name that was opened within the last seven days in one's reach: by whom, when and why."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = list(revealing.weekly(actor)[:SHOWN])
    names = {user.pk: user.title for user in User.objects.filter(pk__in={row.actor_id for row in rows})}
    found = [{"row": row, "name": names.get(row.actor_id, "")} for row in rows]
    return render(request, "secrecy/openings.html", {"found": found, "total": revealing.weekly(actor).count()})


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
