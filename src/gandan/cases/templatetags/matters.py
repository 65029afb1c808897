"""Names and forms of the actions on a matter."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

register = template.Library()

NAMES = {
    "take": _("Take it in hand"),
    "accept": _("Accept formally"),
    "assign": _("Assign to an officer"),
    "note": _("Write a note"),
    "message": _("Write to the person"),
    "ask": _("Ask for missing papers"),
    "supply": _("The papers have come"),
    "extend": _("Extend the term"),
    "apologise": _("Apologise and name a new date"),
    "send": _("Send it where it belongs"),
    "acknowledge": _("Acknowledge receipt"),
    "answer": _("Answer"),
    "close": _("Close"),
    "reopen": _("Reopen"),
}


@register.simple_tag
def action_name(name: str) -> str:
    return str(NAMES[name])


@register.simple_tag
def action_url(name: str, case: Any) -> str:
    return reverse(f"case_{name}", args=[case])


@register.simple_tag(takes_context=True)
def action_form(context: Any, name: str) -> Any:
    return context["forms_by_name"].get(name)
