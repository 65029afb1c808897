"""A matter packed for the body outside, readable with that body's key only.

Somebody carries the file there without being able to open it: nobody of the house may read a matter that concerns
all of its inspectors.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from django.conf import settings

from gandan.accounts.models import User
from gandan.cases import sealing
from gandan.cases.durable import write_whole
from gandan.cases.models import Case, CaseIdentity
from gandan.obligations.models import Obligation
from gandan.secrecy import vault
from gandan.secrecy.fields import unlock
from gandan.staffing.models import Concern


def path_of(case: Case) -> Path:
    """Return where the parcel of a matter lies: under an id that says nothing, the same one when it is packed again."""
    return Path(settings.GANDAN_OUTSIDE) / f"{case.pk.hex}-{case.round}.zip.age"


def pack(case: Case) -> Path:
    """Write everything of a matter, sealed to GANDAN_OUTSIDE_KEY; it is whole and on the disk when this returns."""
    import pyrage  # type: ignore[import-untyped]

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("matter.json", json.dumps(_words(case), ensure_ascii=False, indent=1, default=str))
        for number, attachment in enumerate(case.attachments.all(), 1):
            unlock([attachment])
            try:
                content = sealing.bytes_of(attachment)
            except (FileNotFoundError, vault.Unopened):
                continue  # told by `gandan check`; the words go all the same
            archive.writestr(f"files/{number}-{attachment.name}", content)
    key = pyrage.x25519.Recipient.from_str(settings.GANDAN_OUTSIDE_KEY)
    goal = path_of(case)
    write_whole(goal, pyrage.encrypt(packed.getvalue(), [key]))
    return goal


def _words(case: Case) -> dict[str, Any]:
    events = list(case.events.all())
    unlock([case, *events])
    person = CaseIdentity.system("parcel").filter(case=case).first()
    if person is not None:
        unlock([person])
    concerns = list(Concern.system("parcel").filter(matter=case.pk).select_related("unit").order_by("kind", "pk"))
    unlock(concerns)
    names = {user.pk: user.title for user in User.objects.filter(pk__in=[c.user_id for c in concerns if c.user_id])}
    owed = Obligation.system("parcel").filter(matter=case.pk).select_related("term").order_by("due_at")
    return {
        "reference": case.reference,
        "kind": case.procedure.name_vi,
        "received_at": case.received_at,
        "received_by": case.received_by.title,
        "title": case.title,
        "text": case.text,
        "place": case.place,
        "person": {n: getattr(person, n) for n in ("name", "phone", "address", "others")} if person else None,
        "about": [
            {"kind": c.kind, "unit": c.unit and c.unit.title, "officer": names.get(c.user_id, ""), "named": c.named}
            for c in concerns
        ],
        "events": [{"kind": e.kind, "at": e.at, "by": e.actor_name, "text": e.text} for e in events],
        "promises": [{"name": o.term.name_vi, "due_at": o.due_at, "kept_at": o.discharged_at} for o in owed],
    }
