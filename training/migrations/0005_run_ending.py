from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0004_evaluation_predictions"),
    ]

    operations = [
        migrations.AddField(
            model_name="trainingrun",
            name="finish_requested",
            field=models.BooleanField(default=False, verbose_name="ends after this epoch"),
        ),
        migrations.AddField(
            model_name="trainingrun",
            name="pace",
            field=models.JSONField(blank=True, default=dict, editable=False, verbose_name="pace"),
        ),
    ]
