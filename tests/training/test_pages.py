"""The pages and the API of models."""

import pytest
from django.urls import reverse

from tests.world import make_user, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client):
    client.force_login(make_user())
    return client


def test_the_list_names_every_version_and_what_it_answers(reader):
    make_version("both")
    make_version("eyes", seed=1, image_only=True)
    page = reader.get(reverse("training:model-list")).content.decode()
    assert page.index("eyes") < page.index("both")
    assert page.count("words and pictures") == 1


def test_an_empty_list_says_how_to_get_a_model(reader):
    page = reader.get(reverse("training:model-list")).content.decode()
    assert "manage.py register_model" in page


def test_the_page_of_a_version_shows_towers_licence_and_metrics(reader):
    version = make_version("both")
    version.metrics = {"english": {"recall_at_1": 0.91234567}, "boxes": 2000, "card": "a text"}
    version.save()
    page = reader.get(version.get_absolute_url()).content.decode()
    assert version.image_encoder.sha256 in page
    assert version.text_encoder.sha256 in page
    for shown in ("32 × 16", "CC0-1.0", "0.9123", "english", "2000", "a text"):
        assert shown in page


def test_a_name_in_a_page_is_text(reader):
    version = make_version("both")
    version.licence = "<script>alert(1)</script>"
    version.save()
    page = reader.get(version.get_absolute_url()).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_unknown_version_is_not_found(reader):
    assert reader.get(reverse("training:model", args=["nobody"])).status_code == 404


@pytest.mark.parametrize("name", ["model-list", "model"])
def test_pages_of_models_need_a_log_in(client, name):
    arguments = ["both"] if name == "model" else []
    answer = client.get(reverse(f"training:{name}", args=arguments))
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("login"))


def test_the_list_costs_the_same_number_of_queries_for_any_number(
    reader, django_assert_max_num_queries
):
    for seed in range(4):
        make_version(f"version{seed}", seed=seed)
    with django_assert_max_num_queries(6):
        reader.get(reverse("training:model-list"))


def test_the_api_lists_versions_with_their_towers(reader):
    make_version("both")
    make_version("eyes", seed=1, image_only=True)
    body = reader.get("/api/v1/models").json()
    assert [(one["name"], one["dim"]) for one in body["results"]] == [("eyes", 16), ("both", 16)]
    eyes, both = body["results"]
    assert eyes["text"] is None
    assert both["text"]["preprocessing"] == {"lower": False}
    assert both["image"]["preprocessing"]["height"] == 32


def test_the_api_needs_a_user(client):
    answer = client.get("/api/v1/models")
    assert answer.status_code in (401, 403)
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize(
    "model",
    ["embeddingspace", "encoder", "evaluation", "modelversion", "trainingrun", "metricpoint"],
)
def test_the_admin_shows_every_model_of_this_app(admin_client, model):
    make_version("both")
    assert admin_client.get(reverse(f"admin:training_{model}_changelist")).status_code == 200


def test_the_admin_cannot_exchange_files_or_vectors(admin_client):
    version = make_version("both")
    encoder = version.image_encoder
    page = admin_client.get(reverse("admin:training_encoder_change", args=[encoder.pk]))
    assert page.status_code == 200
    assert 'type="file"' not in page.content.decode()
    answer = admin_client.post(
        reverse("admin:training_encoder_change", args=[encoder.pk]), {"name": "changed"}
    )
    assert answer.status_code == 403
    assert admin_client.get(reverse("admin:training_encoder_add")).status_code == 403
