from django.db import migrations, models
from django.db.models import Q

CONDITION = Q(from_upload=True) | Q(upload=None, path__startswith="/")


def mark(apps, schema_editor):
    """Paths of the server were always stored whole; every other is one inside an upload."""
    apps.get_model("gallery", "Import").objects.exclude(upload=None, path__startswith="/").update(
        from_upload=True
    )


class Migration(migrations.Migration):
    dependencies = [("gallery", "0003_imports")]

    operations = [
        migrations.AddField(
            model_name="import",
            name="from_upload",
            field=models.BooleanField(default=False, editable=False, verbose_name="from an upload"),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.CheckConstraint(
                condition=CONDITION, name="gallery_import_of_an_upload_or_a_folder"
            ),
        ),
    ]
