"""Forwards nothing: drafts live for three days, and what lies open is sealed when it is written next or is gone.

Backwards the words are opened again; files of drafts, which lie sealed on the disk, are added anew by their senders.
"""

from django.db import migrations

from gandan.secrecy import keys, vault


def unseal(apps, schema_editor):
    apps.get_model("cases", "DraftFile").objects.exclude(sealed_with=None).delete()
    for draft in apps.get_model("cases", "Draft").objects.filter(data__startswith=vault.MARK):
        _id, key = keys.of_draft(draft.pk, vault.key_id_of(draft.data))
        draft.data = vault.text_of(draft.data, key, table="cases_draft", row=draft.pk, field="data")
        draft.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [("cases", "0009_drafts_sealed")]

    operations = [migrations.RunPython(migrations.RunPython.noop, unseal)]
