"""The administration shows vectors and who serves, and changes neither."""

import pytest
from django.urls import reverse

from search.models import Embedding, ServingVersion
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def row():
    version = rows.make_serving()
    rows.make_known(world.make_dataset("street"), version.image_encoder, rows.unit_vectors(3, 16))
    return Embedding.objects.first()


def test_lists_and_rows_open(admin_client, row):
    for page in (
        reverse("admin:search_embedding_changelist"),
        reverse("admin:search_embedding_change", args=[row.pk]),
        reverse("admin:search_servingversion_changelist"),
        reverse("admin:search_servingversion_change", args=[ServingVersion.objects.first().pk]),
    ):
        assert admin_client.get(page).status_code == 200


def test_a_vector_is_not_printed(admin_client, row):
    page = admin_client.get(reverse("admin:search_embedding_change", args=[row.pk]))
    assert f"{row.vector[0]:.4f}" not in page.content.decode()


def test_nothing_can_be_added_changed_or_deleted(admin_client, row):
    for model in ("embedding", "servingversion"):
        assert admin_client.get(reverse(f"admin:search_{model}_add")).status_code == 403
    for action in ("change", "delete"):
        url = reverse(f"admin:search_embedding_{action}", args=[row.pk])
        assert admin_client.post(url, {"post": "yes"}).status_code == 403
    assert Embedding.objects.count() == 3
