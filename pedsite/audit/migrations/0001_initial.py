from django.db import migrations, models

# Whoever adds an entry notes that it waits for its link. Everything else is refused, also in the
# sessions that replication opens (ALWAYS): the owner of the tables can take the triggers away, and
# the chain then tells what was changed.
TRIGGERS = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to: % of % is refused',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_note_waiting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_waiting (entry_id) SELECT id FROM made;
    RETURN NULL;
END $$;

CREATE TRIGGER audit_entry_made AFTER INSERT ON audit_entry
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION audit_note_waiting();
CREATE TRIGGER audit_entry_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_link_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_link
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_kept;
ALTER TABLE audit_link ENABLE ALWAYS TRIGGER audit_link_kept;
"""

NO_TRIGGERS = """
DROP TRIGGER audit_link_kept ON audit_link;
DROP TRIGGER audit_entry_kept ON audit_entry;
DROP TRIGGER audit_entry_made ON audit_entry;
DROP FUNCTION audit_note_waiting();
DROP FUNCTION audit_refuse();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Link",
            fields=[
                ("number", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ("entry_id", models.BigIntegerField(unique=True)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name": "link of the audit chain",
                "verbose_name_plural": "links of the audit chain",
            },
        ),
        migrations.CreateModel(
            name="Waiting",
            fields=[
                ("entry_id", models.BigIntegerField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "entry that waits for its link",
                "verbose_name_plural": "entries that wait for their links",
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="when")),
                ("user_id", models.BigIntegerField(null=True)),
                ("username", models.CharField(blank=True, max_length=150, verbose_name="who")),
                ("key", models.CharField(blank=True, max_length=12, verbose_name="key")),
                (
                    "via",
                    models.CharField(
                        choices=[
                            ("page", "page"),
                            ("api", "API"),
                            ("admin", "administration"),
                            ("command", "command"),
                            ("worker", "worker"),
                        ],
                        max_length=8,
                        verbose_name="by way of",
                    ),
                ),
                ("address", models.GenericIPAddressField(null=True, verbose_name="address")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("search", "searched"),
                            ("open", "opened"),
                            ("export", "exported"),
                            ("change", "changed"),
                            ("job", "asked for work"),
                            ("forget", "forgot"),
                            ("login", "logged in"),
                            ("logout", "logged out"),
                            ("refused", "was refused"),
                            ("key", "used a key"),
                        ],
                        max_length=8,
                        verbose_name="did",
                    ),
                ),
                ("about", models.CharField(blank=True, max_length=200, verbose_name="about")),
                ("text", models.TextField(blank=True, verbose_name="words")),
                ("purpose", models.CharField(blank=True, max_length=200, verbose_name="purpose")),
                (
                    "version",
                    models.CharField(blank=True, max_length=100, verbose_name="model version"),
                ),
                ("results", models.PositiveBigIntegerField(null=True, verbose_name="results")),
                ("detail", models.JSONField(default=dict, verbose_name="detail")),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(fields=["action", "-id"], name="audit_entry_by_action"),
                    models.Index(fields=["username", "-id"], name="audit_entry_by_user"),
                    models.Index(fields=["at"], name="audit_entry_by_time"),
                ],
            },
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
