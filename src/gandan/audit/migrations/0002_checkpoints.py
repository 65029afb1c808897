import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_audit")]

    operations = [
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("hash", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
                ("instance", models.UUIDField()),
                ("key", models.CharField(max_length=16)),
                ("signature", models.CharField(max_length=128)),
            ],
            options={"abstract": False},
        ),
        migrations.AddField(
            model_name="audithead",
            name="instance",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
    ]
