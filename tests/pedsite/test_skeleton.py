from django.db import connection


def test_the_suite_runs_on_postgres_with_pgvector(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
        assert cursor.fetchone()[0] >= "0.8"
