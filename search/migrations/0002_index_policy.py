import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0001_initial"),
        ("training", "0003_teacher"),
    ]

    operations = [
        migrations.AddField(
            model_name="embedding",
            name="load",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="embedding",
            index=models.Index(
                condition=models.Q(("load__gt", 0)),
                fields=["encoder", "load"],
                name="search_embedding_by_load",
            ),
        ),
        migrations.CreateModel(
            name="IndexTuning",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rows", models.PositiveBigIntegerField(verbose_name="vectors")),
                (
                    "asked_with",
                    models.CharField(
                        choices=[("text", "text"), ("picture", "picture")],
                        max_length=10,
                        verbose_name="asked with",
                    ),
                ),
                ("questions", models.PositiveIntegerField(verbose_name="questions")),
                ("curve", models.JSONField(verbose_name="curve")),
                ("exact_ms", models.FloatField(verbose_name="exact scan, ms")),
                ("ef_fast", models.PositiveIntegerField(verbose_name="width when fast")),
                ("ef_thorough", models.PositiveIntegerField(verbose_name="width when thorough")),
                ("measured_at", models.DateTimeField(auto_now_add=True, verbose_name="measured")),
                (
                    "encoder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="training.encoder",
                    ),
                ),
            ],
            options={
                "verbose_name": "index tuning",
                "verbose_name_plural": "index tunings",
                "indexes": [models.Index(fields=["encoder", "-id"], name="search_tuning_newest")],
            },
        ),
        # Indexes of before cover all rows, which later loads would have to go into one by one.
        # The next enrollment builds those that are worth it.
        migrations.RunSQL(
            """
            DO $$ DECLARE found record; BEGIN
                FOR found IN SELECT indexrelid::regclass AS name FROM pg_index
                    WHERE indrelid = 'search_embedding'::regclass
                    AND indexrelid::regclass::text LIKE 'search\\_embedding\\_hnsw\\_%'
                LOOP EXECUTE 'DROP INDEX ' || found.name; END LOOP;
            END $$
            """,
            migrations.RunSQL.noop,
        ),
    ]
