"""Shutting the words and files of a sealed matter, and opening them for those who may."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from gandan import audit
from gandan.access import Actor, SystemActor, now
from gandan.cases import files, word_index
from gandan.cases.files import File
from gandan.cases.models import Attachment, Case, Draft, DraftFile, PaperRequest, Procedure, Transfer
from gandan.secrecy import keys, vault
from gandan.secrecy.fields import unlock

_KEPT_SECONDS = 60 * 60
"""How long bytes that no row names are kept: somebody may just be sending them."""
_TABLE = "cases_file"


def may_read_words(actor: Actor, case: Case) -> bool:
    """Say whether somebody may read what was said in a matter: everybody who may read it, unless it is sealed;
    then those who work on such matters, but not those who only look over them."""
    return not case.is_sealed or bool(Case.for_(actor, "case.identity").filter(pk=case.pk).exists())


def open_words(case: Case, *parts: Iterable[Any], opened: keys.Opened | None = None) -> None:
    """Open a matter and the parts of it that are given, with one question. The caller has asked who reads."""
    unlock([case, *(row for rows in parts for row in rows)], opened)


def seal_file(matter: UUID, content: bytes) -> tuple[bytes, UUID]:
    """Return the bytes of a file as they are kept, and the key that opens them."""
    key_id, data_key = keys.of_matters([matter])[matter]
    return vault.seal(content, data_key, vault.context(_TABLE, matter, "bytes", key_id)), key_id


def bytes_of(attachment: Attachment) -> bytes:
    """Return the bytes that somebody sent. Raises FileNotFoundError where they are not on the disk, and Unopened
    where their key has been destroyed."""
    kept = files.path_of(attachment.sha256).read_bytes()
    if attachment.sealed_with is None:
        return kept
    opened = keys.by_id([attachment.sealed_with])
    if attachment.sealed_with not in opened:
        raise vault.Unopened("the key of this file was destroyed")
    place = vault.context(_TABLE, attachment.case_id, "bytes", attachment.sealed_with)
    return vault.unseal(kept, opened[attachment.sealed_with], place)


def lay_open(some: Iterable[File]) -> None:
    """Write the files of a matter that is not sealed: before its transaction, in which nobody else may write."""
    for file in some:
        if file.content:
            files.store(file.sha256, file.content)


def laid_down(case: Case, file: File) -> tuple[str, UUID | None]:
    """Write a file as its matter has it, sealed or open; return the digest under which it lies, and its key."""
    if case.is_sealed:
        return _kept_sealed(case.pk, file.content or files.path_of(file.sha256).read_bytes())
    if file.content and not files.path_of(file.sha256).exists():
        files.store(file.sha256, file.content)
    return file.sha256, None


def add_to_draft(draft: Draft, file: File) -> None:
    """Keep a file with a draft, sealed; the same one again is the same."""
    for each in draft.files.filter(size=file.size):
        if of_draft(draft, each).sha256 == file.sha256:
            return
    key_id, key = keys.of_draft(draft.pk)
    sealed = vault.seal(file.content, key, vault.context(_TABLE, draft.pk, "bytes", key_id))
    digest = hashlib.sha256(sealed).hexdigest()
    files.store(digest, sealed)
    draft.files.create(sha256=digest, sealed_with=key_id, name=file.name, media_type=file.media_type, size=file.size)


def of_draft(draft: Draft, row: DraftFile) -> File:
    """Return a file of a draft, opened. Raises FileNotFoundError where it is not on the disk."""
    unlock([row])
    content = files.path_of(row.sha256).read_bytes()
    if row.sealed_with is not None:
        key_id, key = keys.of_draft(draft.pk, row.sealed_with)
        content = vault.unseal(content, key, vault.context(_TABLE, draft.pk, "bytes", key_id))
    return File(hashlib.sha256(content).hexdigest(), row.name, row.media_type, row.size, content)


def _kept_sealed(matter: UUID, content: bytes) -> tuple[str, UUID]:
    sealed, key_id = seal_file(matter, content)
    digest = hashlib.sha256(sealed).hexdigest()
    files.store(digest, sealed)
    return digest, key_id


def reseal(case: Case) -> None:
    """Seal everything of a matter whose kind has just been corrected to a sealed one; its words go nowhere."""
    unlock([case])
    said = case.text
    if not case.text.startswith(case.title.rstrip("…")):
        said = f"{case.title}\n\n{case.text}"
    case.title, case.text, case.folded = neutral_title(case.procedure), said, ""
    case.save(update_fields=["title", "text", "place", "answer", "folded"])
    word_index.keep(case.pk)
    word_index.condense()
    for event in case.events.all():
        event.save(update_fields=["text"])
    for model, names in ((Transfer, ["note"]), (PaperRequest, ["items", "note"])):
        for row in model.system("own-matter").filter(case=case):
            row.case = case
            row.save(update_fields=names)
    for attachment in case.attachments.filter(sealed_with=None):
        clear = attachment.sha256
        if _seal_attachment(case, attachment):
            transaction.on_commit(partial(_remove_unnamed, clear))


def neutral_title(procedure: Procedure) -> str:
    """Return what stands as the title of a sealed matter in lists: its kind, and nothing of what was said."""
    return procedure.name_vi[:200]


def seal_loose_files() -> int:
    """Seal the files of sealed matters that still lie open, as those of an installation that is being upgraded."""
    rows = Attachment.system("sealing").filter(
        sealed_with=None, case__procedure__confidentiality=Procedure.Confidentiality.SEALED
    )
    count = 0
    for attachment in rows.select_related("case", "case__procedure")[:200]:
        with transaction.atomic():
            if _seal_attachment(attachment.case, attachment):
                audit.record(
                    "case.seal_file", by=SystemActor("work"), on=attachment.case, unit=attachment.case.holder_id
                )
                count += 1
    return count


def clear_unnamed_files(at: datetime) -> int:
    """Remove bytes that no matter and no draft names: those of drafts nobody sent, and open ones now sealed.

    What was touched within the last hour stays: its row may be on its way. Returns how many were removed.
    """
    count = 0
    for folder in sorted(Path(settings.MEDIA_ROOT).glob("[0-9a-f][0-9a-f]")):
        found = {path.name: path for path in folder.iterdir() if len(path.name) == 64}
        digests = sorted(found)
        for start in range(0, len(digests), 500):
            some = digests[start : start + 500]
            named: set[str] = set()
            for model in (Attachment, DraftFile):
                named.update(model.system("clearing").filter(sha256__in=some).values_list("sha256", flat=True))
            count += sum(_remove_old(found[digest], at) for digest in some if digest not in named)
    return count


def _remove_unnamed(digest: str) -> None:
    """Remove the open bytes of what has just been sealed, unless another matter or draft names them, or somebody sent
    the same within the last hour: then the round of clearing does it."""
    if not any(model.system("clearing").filter(sha256=digest).exists() for model in (Attachment, DraftFile)):
        _remove_old(files.path_of(digest), now())


def _remove_old(path: Path, at: datetime) -> bool:
    try:
        if at.timestamp() - path.stat().st_mtime < _KEPT_SECONDS:
            return False
        path.unlink()
    except FileNotFoundError:
        return False  # another worker was first
    return True


def _seal_attachment(case: Case, attachment: Attachment) -> bool:
    attachment.case = case
    try:
        clear = files.path_of(attachment.sha256).read_bytes()
        attachment.sha256, attachment.sealed_with = _kept_sealed(case.pk, clear)
    except FileNotFoundError:
        return False  # `gandan backup` and `gandan check` name what is missing
    attachment.save(update_fields=["sha256", "sealed_with", "name"])
    return True


def unsealed() -> int:
    """Return how many rows hold words in the open that should be sealed; 0 where all is as it must be."""
    shut = Q(procedure__confidentiality=Procedure.Confidentiality.SEALED)
    rows = Case.system("check").filter(shut)
    loose = rows.exclude(text="").exclude(text__startswith=vault.MARK).count()
    return int(loose + rows.exclude(folded="").exclude(folded=" ").count())
