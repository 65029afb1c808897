from django.db import migrations


def fill(apps, schema_editor):
    """Holds that were placed by a row name nobody who may read them: give them who has their matter."""
    hold, case = apps.get_model("secrecy", "Hold"), apps.get_model("cases", "Case")
    for row in hold.objects.filter(unit_id=None):
        found = case.objects.filter(pk=row.matter).values_list("holder_id", "province_id").first()
        if found is not None:
            row.unit_id, row.province_id = found
            row.save(update_fields=["unit_id", "province_id"])


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0007_passed_to_a_higher_inspector"),
        ("secrecy", "0002_holds_by_whom_and_why"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
