"""The nation's list has an index of its own: newest first, whoever holds them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0005_words_indexed")]

    operations = [
        migrations.AddIndex(model_name="case", index=models.Index(fields=["-received_at", "id"], name="case_received"))
    ]
