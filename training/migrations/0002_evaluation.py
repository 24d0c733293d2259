import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gallery", "0002_box_hidden"),
        ("jobs", "0001_initial"),
        ("training", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "split",
                    models.CharField(
                        choices=[
                            ("train", "train"),
                            ("validation", "validation"),
                            ("test", "test"),
                        ],
                        max_length=10,
                        verbose_name="split",
                    ),
                ),
                (
                    "protocol",
                    models.CharField(
                        choices=[
                            ("all_pairs", "all pairs"),
                            ("sequential", "earlier samples only"),
                        ],
                        max_length=10,
                        verbose_name="protocol",
                    ),
                ),
                ("language", models.CharField(blank=True, max_length=2, verbose_name="language")),
                (
                    "look",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="look at the test split"
                    ),
                ),
                ("metrics", models.JSONField(blank=True, default=dict, verbose_name="metrics")),
                ("details", models.JSONField(blank=True, default=dict, verbose_name="details")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evaluation",
                        to="jobs.job",
                        verbose_name="job",
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evaluations",
                        to="gallery.snapshot",
                        verbose_name="snapshot",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evaluations",
                        to="training.modelversion",
                        verbose_name="version",
                    ),
                ),
            ],
            options={
                "verbose_name": "evaluation",
                "verbose_name_plural": "evaluations",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("look__isnull", False), ("split", "test")),
                            models.Q(
                                models.Q(("split", "test"), _negated=True), ("look__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="training_evaluation_counts_looks_at_test",
                    )
                ],
            },
        ),
    ]
