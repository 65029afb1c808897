"""Which links a page offers to the one who reads it. `ui` draws them; the rooms name their addresses."""

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return `navigation` (public menu), `side_navigation` (desk menu) and the addresses that `ui` needs."""
    actor = request.actor  # type: ignore[attr-defined]
    return {
        "navigation": _links(
            ("home", _("Home"), ""),
            ("report", _("Bring something"), ""),
            ("procedures", _("Procedures"), ""),
            ("follow", _("Follow your matter"), ""),
            ("units", _("Who serves me"), ""),
        ),
        "side_navigation": [] if actor.is_anonymous else _side(actor),
        "addresses": {
            name: _address(name)
            for name in (
                "home",
                "desk",
                "theme",
                "account_login",
                "account_logout",
                "keep_alive",
                "demo",
                "own_account",
                "conversions",
                "case_intake",
                "case_list",
            )
        },
        "actor": actor,
        "footer_links": _footer(),
    }


def _footer() -> list[dict[str, Any]]:
    return _links(
        ("privacy", _("How we use your data"), ""),
        ("accessibility", _("Accessibility statement"), ""),
        ("open_data", _("Open data and how we count"), ""),
    )


def _side(actor: Any) -> list[dict[str, Any]]:
    groups = [
        (
            _("Work"),
            [
                ("desk", _("Worklist"), "in", "obligation.read"),
                ("case_list", _("All matters"), "file", "case.read"),
                ("case_intake", _("Record a matter"), "say", "case.receive"),
                ("notices", _("Notices"), "bell", "obligation.read"),
            ],
        ),
        (
            _("Overview"),
            [
                ("command", _("Units and overdue matters"), "chart", "command.read"),
                ("audit_desk", _("Audit"), "search", "audit.read"),
                ("openings", _("Names that were opened"), "search", "identity.review"),
                ("hold_list", _("Matters under a hold"), "lock", "hold.read"),
            ],
        ),
        (
            _("Keeping the register"),
            [
                ("unit_acts", _("Units and reorganisations"), "map", "unit.draft"),
                ("calendar", _("Working calendar"), "cal", "calendar.read"),
                ("terms", _("Terms and their law"), "law", "calendar.read"),
                ("procedure_register", _("Procedures"), "file", "procedure.read"),
                ("people", _("People and roles"), "people", "grant.read grant.oversight"),
                ("overseers", _("Who takes complaints about us"), "shield", "grant.read grant.oversight"),
            ],
        ),
    ]
    shown = []
    for title, links in groups:
        items = [
            {"name": name, "title": text, "icon": icon, "url": _address(name), "count": _waiting(name, actor)}
            for name, text, icon, capability in links
            if actor.can_any(capability.split()) and _address(name)
        ]
        if items:
            shown.append({"title": title, "links": items})
    return shown


def _waiting(name: str, actor: Any) -> int | None:
    """Return how many matters other units have sent here, to be acknowledged; None where nothing is counted."""
    if name != "case_list" or not actor.can("case.receive"):
        return None
    from gandan.cases.models import Transfer

    return Transfer.arriving(actor).count() or None


def _links(*entries: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "title": text, "url": _address(name)} for name, text, _capability in entries if _address(name)
    ]


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
