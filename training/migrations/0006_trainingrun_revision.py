from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("training", "0005_run_ending")]

    operations = [
        migrations.AddField(
            model_name="trainingrun",
            name="revision",
            field=models.CharField(blank=True, max_length=100, verbose_name="code revision"),
        ),
    ]
