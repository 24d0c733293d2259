"""What the migration sets up beyond Django's own tables."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


def _attribute(name: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {name} FROM pg_attribute "
            "WHERE attrelid = 'search_embedding'::regclass AND attname = 'vector'"
        )
        return cursor.fetchone()[0]


def test_vectors_are_stored_inside_their_row():
    assert _attribute("attstorage") == "p"


def test_the_vector_column_takes_any_number_of_dimensions():
    assert _attribute("atttypmod") == -1
