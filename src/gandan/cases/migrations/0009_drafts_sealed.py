from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0008_holds_know_who_has_the_matter"),
    ]

    operations = [
        migrations.AddField(
            model_name="draftfile",
            name="sealed_with",
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name="draft",
            name="data",
            field=models.TextField(default=dict),
        ),
        migrations.AlterField(
            model_name="draftfile",
            name="name",
            field=models.TextField(),
        ),
    ]
