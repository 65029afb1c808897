from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0006_received_in_order"),
    ]

    operations = [
        migrations.AlterField(
            model_name="caseevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("received", "Received"),
                    ("accepted", "Accepted"),
                    ("taken", "Taken in hand"),
                    ("assigned", "Assigned"),
                    ("noted", "Note"),
                    ("asked", "Missing papers asked for"),
                    ("supplied", "Papers supplied"),
                    ("extended", "Term extended"),
                    ("answered", "Answered"),
                    ("closed", "Closed"),
                    ("reopened", "Reopened"),
                    ("sent", "Sent to another body"),
                    ("acknowledged", "Receipt acknowledged"),
                    ("recalled", "Taken back before it was acknowledged"),
                    ("corrected", "Kind corrected"),
                    ("passed_on", "Passed on"),
                    ("withdrawn", "Withdrawn"),
                    ("succeeded", "Passed to the successor unit"),
                    ("moved_up", "Passed to a higher inspector"),
                    ("message_in", "Message from the citizen"),
                    ("message_out", "Message to the citizen"),
                    ("apologised", "Apology with a new date"),
                ],
                max_length=14,
            ),
        ),
    ]
