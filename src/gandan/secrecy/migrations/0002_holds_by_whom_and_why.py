from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("secrecy", "0001_keys"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="hold",
            name="hold_once_an_order",
        ),
        migrations.AddField(
            model_name="hold",
            name="lifted_because",
            field=models.TextField(blank=True, verbose_name="why it was lifted"),
        ),
        migrations.AddField(
            model_name="hold",
            name="lifted_by_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="hold",
            name="placed_by_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="hold",
            name="province_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="hold",
            name="reason",
            field=models.TextField(blank=True, verbose_name="reason"),
        ),
        migrations.AddField(
            model_name="hold",
            name="unit_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at", None)), fields=("matter", "ground"), name="hold_once_an_order"
            ),
        ),
    ]
