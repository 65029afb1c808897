"""The column of the name as it was written takes a sealed text; `cases` seals what lies in it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("staffing", "0001_staffing")]

    operations = [
        migrations.AlterField(
            model_name="concern",
            name="named",
            field=models.TextField(blank=True),
        ),
    ]
