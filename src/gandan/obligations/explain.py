"""One promise as a printed sum, in the reader's language."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from gandan.law import render
from gandan.obligations import replay, terms
from gandan.obligations.models import Obligation


def basis(obligation: Obligation) -> str:
    """Return the citation of the term that set the promise."""
    term = obligation.term
    return str(term.basis_en if get_language() == "en" else term.basis_vi)


def name(obligation: Obligation) -> str:
    term = obligation.term
    return str(term.name_en if get_language() == "en" else term.name_vi)


def lines(obligation: Obligation) -> list[str]:
    """Return the sum line by line, counted anew from the events with the calendar of today."""
    found = replay.fold(obligation.events.order_by("seq"))
    return render(found.deadline(terms.calendar()), get_language() or "vi", grounds=ground)


def ground(code: str) -> str:
    """Return the words of a ground's code; a ground that somebody wrote stays as written."""
    return {"missing_papers": _("waiting for missing papers")}.get(code, code)
