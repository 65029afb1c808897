"""What comes a second time: a form that was changed after it was sent, or the same words once more."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from gandan.access import ANONYMOUS, now
from gandan.cases import actions, files, routing, sealing
from gandan.cases.files import File
from gandan.cases.models import Case, CaseIdentity, Draft
from gandan.secrecy import vault
from gandan.secrecy.fields import unlock, words
from gandan.staffing.models import Concern
from gandan.units.models import Unit

_SECOND_CLICK = timedelta(minutes=10)
_PERSON = ("name", "phone", "address")


def is_second_click(case: Case, kind: str, text: str, sent: Sequence[File]) -> bool:
    """Say whether this came a moment ago already: the same words, no file that the matter lacks, and nothing that
    its sender could have read since and be answering now."""
    last = case.events.filter(kind=kind).order_by("-recorded_at").first()
    if last is None or now() - last.recorded_at > _SECOND_CLICK or words(last.text).split() != text.split():
        return False
    if case.events.filter(shown=True, recorded_at__gt=last.recorded_at).exists():
        return False
    return all(holds(case, file) for file in sent)


def holds(case: Case, file: File) -> bool:
    """Say whether a matter has a file with the same bytes. What lies sealed is opened for that."""
    for each in case.attachments.filter(size=file.size):
        if each.sealed_with is None:
            digest = each.sha256
        else:
            try:
                digest = hashlib.sha256(sealing.bytes_of(each)).hexdigest()
            except (FileNotFoundError, vault.Unopened):
                continue
        if digest == file.sha256:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Change:
    """What the form says now and did not say when it was sent; empty where it says the same."""

    text: str = ""
    place: str = ""
    unit: Unit | None = None
    named: str = ""
    person: dict[str, str] | None = None
    unnamed: bool = False
    files: tuple[File, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text or self.place or self.unit or self.named or self.person or self.unnamed or self.files)


def keep(draft: Draft, typed: dict[str, Any]) -> None:
    """Keep what was typed with a draft, sealed as all of it is."""
    draft.data = {**draft.data, **typed}
    draft.save(update_fields=["data"])


def forget(draft: Draft) -> None:
    """Leave nothing in a draft that was sent but the kind of its matter."""
    with transaction.atomic():
        draft.data = {"kind": draft.data.get("kind", "")}
        draft.save(update_fields=["data"])
        draft.files.all().delete()


def case_of(draft: Draft) -> Case:
    """Return the matter that a draft was sent as."""
    found: Case = (
        Case.system("same-submission").select_related("procedure", "holder", "received_by").get(pk=draft.case_id)
    )
    return found


def change_of(draft: Draft, case: Case) -> Change:
    """Return what was changed in an unlocked draft since it was sent as this matter."""
    sealing.open_words(case)
    typed = {name: value.strip() for name, value in draft.data.items() if isinstance(value, str)}
    text, place, named = (typed.get(name, "") for name in ("text", "place", "named"))
    about = Concern.system("same-submission").filter(matter=case.pk, named=named[:200])
    unnamed = typed.get("anonymous") == "yes"
    return Change(
        text=text if text != case.text else "",
        place=place if place != case.place else "",
        unit=_other_unit(typed.get("unit", ""), case),
        named=named if named and not about.exists() else "",
        person=None if unnamed else _other_person(typed, case),
        unnamed=unnamed and not case.anonymous,
        files=tuple(file for file in _files_of(draft) if not holds(case, file)),
    )


def send(draft: Draft, case: Case, change: Change) -> actions.Receipt:
    """Bring what was changed to the matter as `receive` does with other words under the same number: both are kept,
    and Conflict says so."""
    said = [change.text or case.text]
    if change.unit is not None:
        said.append(_("Commune: %(unit)s") % {"unit": change.unit.title})
    if change.named:
        said.append(_("It is about: %(named)s") % {"named": change.named})
    if change.unnamed:
        said.append(_("I want to stay unnamed."))
    return actions.receive(
        submission=draft.pk,
        # The kind may have been corrected since: the files are laid down as the matter has it now.
        procedure=case.procedure,
        unit=case.received_by,
        channel=Case.Channel.WEB,
        text="\n".join(said),
        place=change.place or case.place,
        anonymous=case.anonymous and not change.person,
        by=ANONYMOUS,
        identity=change.person,
        language=get_language() or "vi",
        files=change.files,
    )


def _files_of(draft: Draft) -> list[File]:
    rows = [row for row in draft.files.order_by("pk") if files.path_of(row.sha256).exists()]
    return [sealing.of_draft(draft, row) for row in rows]


def _other_unit(slug: str, case: Case) -> Unit | None:
    unit = Unit.objects.filter(slug=slug).first() if slug else None
    return unit if unit is not None and routing.serving(unit).unit.pk != case.received_by_id else None


def _other_person(typed: dict[str, str], case: Case) -> dict[str, str] | None:
    person = {name: typed.get(name, "") for name in _PERSON}
    if not any(person.values()):
        return None
    row = CaseIdentity.system("same-submission").filter(case=case).first()
    if row is not None:
        unlock([row])
        if person in [{name: getattr(row, name) for name in _PERSON}, *row.others]:
            return None
    return person
