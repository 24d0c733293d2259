from django.db import migrations, models


def mark(apps, schema_editor):
    """Checks of imports look at the whole."""
    checks = apps.get_model("jobs", "Job").objects.filter(task="gallery.check_import")
    checks.update(is_retriable=False)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="is_retriable",
            field=models.BooleanField(default=True),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
