"""Which role may do what: the one table that everything else reads.

`ordinary` capabilities open matters that concern nobody in the service; `concerned` ones open matters that
are about a unit or an officer. An oversight inspector has only the latter, an auditor reads both, and every
other role has none of the latter: to them such a matter does not exist.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _


class Role(StrEnum):
    DUTY_OFFICER = "duty_officer"
    OFFICER = "officer"
    CHIEF = "chief"
    DISPATCHER = "dispatcher"
    COMMANDER = "commander"
    OVERSIGHT = "oversight"
    AUDITOR = "auditor"
    REGISTRAR = "registrar"
    ADMINISTRATOR = "administrator"


ROLE_NAMES = {
    Role.DUTY_OFFICER: _("Duty officer"),
    Role.OFFICER: _("Officer"),
    Role.CHIEF: _("Chief of the commune police"),
    Role.DISPATCHER: _("Province dispatcher"),
    Role.COMMANDER: _("Province commander"),
    Role.OVERSIGHT: _("Oversight inspector"),
    Role.AUDITOR: _("Auditor"),
    Role.REGISTRAR: _("Registrar"),
    Role.ADMINISTRATOR: _("Administrator"),
}


@dataclass(frozen=True, slots=True)
class Rights:
    ordinary: frozenset[str]
    concerned: frozenset[str] = frozenset()


_DUTY = frozenset(
    {"case.receive", "case.read", "case.identity", "case.note", "case.handover", "obligation.read", "unit.read"}
)
_OFFICER = _DUTY | {"case.take", "case.ask", "case.answer", "case.settle"}
_CHIEF = _OFFICER | {"case.assign", "case.extend", "case.close", "results.read", "unit.contact"}
_CASEWORK = frozenset(
    {
        "case.receive",
        "case.read",
        "case.note",
        "case.handover",
        "case.take",
        "case.ask",
        "case.answer",
        "case.settle",
        "case.assign",
        "case.extend",
        "case.close",
        "case.identity",
        "obligation.read",
    }
)

RIGHTS: dict[str, Rights] = {
    Role.DUTY_OFFICER: Rights(_DUTY),
    Role.OFFICER: Rights(_OFFICER),
    Role.CHIEF: Rights(_CHIEF),
    Role.DISPATCHER: Rights(
        frozenset({"case.receive", "case.read", "case.assign", "case.handover", "obligation.read", "unit.read"})
    ),
    Role.COMMANDER: Rights(frozenset({"case.read", "obligation.read", "results.read", "command.read", "unit.read"})),
    Role.OVERSIGHT: Rights(
        frozenset({"unit.read", "grant.oversight", "identity.review", "hold.read", "hold.place"}),
        _CASEWORK | {"concern.record", "identity.reveal", "identity.review", "hold.read", "hold.place"},
    ),
    Role.AUDITOR: Rights(
        frozenset(
            {
                "case.read",
                "obligation.read",
                "results.read",
                "command.read",
                "audit.read",
                "identity.review",
                "hold.read",
                "unit.read",
                "grant.read",
                "calendar.read",
                "procedure.read",
            }
        ),
        frozenset({"case.read", "obligation.read", "identity.review", "hold.read"}),
    ),
    Role.REGISTRAR: Rights(
        frozenset(
            {
                "unit.read",
                "unit.draft",
                "unit.enact",
                "unit.contact",
                "calendar.read",
                "calendar.edit",
                "procedure.read",
                "procedure.edit",
            }
        )
    ),
    Role.ADMINISTRATOR: Rights(
        frozenset({"account.read", "account.invite", "account.close", "grant.read", "grant.give", "grant.end"})
    ),
}

CAPABILITIES = frozenset().union(*(r.ordinary | r.concerned for r in RIGHTS.values()))
