"""The width of a walk: measured against the exact scan, again when the gallery has doubled."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from search import encoders, index, probes, retrieval, tuning
from search.models import Embedding, IndexTuning, Mode
from tests import world
from tests.search import rows
from tests.search.test_index import _drop_indexes, index_names  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db(transaction=True)

DIM = 32


@pytest.fixture
def version(settings):
    settings.PEDSITE_EXACT_ROWS = 300
    return rows.make_serving(dim=DIM)


@pytest.fixture
def gallery(version):
    dataset = world.make_dataset()
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(1500, DIM))
    index.ensure(version.image_encoder)
    return dataset


def test_the_width_that_finds_enough_is_found_kept_and_used(version, gallery):
    encoder = version.image_encoder
    made = tuning.ensure(encoder)
    assert (made.rows, made.asked_with, made.questions) == (1500, "text", 6)
    widths = [point["ef"] for point in made.curve]
    assert widths == list(tuning.LADDER[: len(widths)])
    assert made.recall(Mode.FAST) >= tuning.AIMS[Mode.FAST]
    assert made.recall(Mode.THOROUGH) >= tuning.AIMS[Mode.THOROUGH]
    assert made.ef_fast <= made.ef_thorough == widths[-1]
    assert made.exact_ms > 0
    assert made.exact_rows == int(1500 * made.ms(Mode.FAST) / made.exact_ms)
    assert made.filtered_ms is None  # no camera

    for mode in (Mode.FAST, Mode.THOROUGH):
        # Whatever the two were measured to be here.
        IndexTuning.objects.update(ef_fast=40, ef_thorough=60, exact_ms=1e9)
        IndexTuning.objects.update(curve=[{"ef": e, "recall": 1, "ms": 1} for e in (40, 60)])
        tuning._believed.clear()
        assert not retrieval.by_text("red", user=None, mode=mode).is_exact
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('hnsw.ef_search')")
            assert cursor.fetchone() == ({"fast": "40", "thorough": "60"}[mode],)


def test_it_is_measured_again_only_when_the_gallery_has_doubled(version, gallery):
    encoder = version.image_encoder
    assert tuning.ensure(encoder)
    assert tuning.ensure(encoder) is None
    rows.make_known(gallery, encoder, rows.unit_vectors(1400, DIM, seed=1))
    analyze()
    assert tuning.ensure(encoder) is None
    rows.make_known(gallery, encoder, rows.unit_vectors(200, DIM, seed=2))
    analyze()
    again = tuning.ensure(encoder)
    assert again.rows == 3100
    assert tuning.newest(encoder) == again
    assert IndexTuning.objects.count() == 2


def test_a_walk_that_misses_is_told_from_one_that_finds(version, gallery, monkeypatch):
    """With the walk cut short to one place, the curve says so, and the widest is taken."""
    monkeypatch.setattr(tuning, "LADDER", (1, 2))
    monkeypatch.setattr(index, "MOST_VISITS", 1)
    monkeypatch.setattr(tuning, "TOP", 100)
    made = tuning.measure(version.image_encoder)
    assert [point["ef"] for point in made.curve] == [1, 2]
    assert made.curve[0]["recall"] < 0.9
    assert made.ef_fast == made.ef_thorough == 2


def test_where_nothing_reads_words_boxes_ask(settings):
    settings.PEDSITE_EXACT_ROWS = 300
    eyes = rows.make_serving(name="eyes", image_only=True, dim=DIM)
    rows.make_known(world.make_dataset(), eyes.image_encoder, rows.unit_vectors(500, DIM))
    index.ensure(eyes.image_encoder)
    made = tuning.ensure(eyes.image_encoder)
    assert (made.asked_with, made.questions) == ("picture", 100)


def test_without_an_index_nothing_is_measured(version):
    rows.make_known(world.make_dataset(), version.image_encoder, rows.unit_vectors(50, DIM))
    assert tuning.ensure(version.image_encoder) is None
    assert tuning.measure(version.image_encoder) is None


def test_what_stops_the_job_stops_the_measuring(version, gallery):
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuning.ensure(version.image_encoder, stop)
    assert not IndexTuning.objects.exists()


def test_before_it_is_measured_the_width_grows_with_the_gallery(version):
    encoder = version.image_encoder
    at = {n: tuning.ef(encoder, Mode.FAST, n) for n in (20_000, 100_000, 500_000, 10**8)}
    assert at[100_000] == 200
    assert at[500_000] == 400
    assert 40 <= at[20_000] < 200
    assert at[10**8] == index.MOST_EF
    assert tuning.ef(encoder, Mode.THOROUGH, 100_000) > 200


def test_captions_of_the_gallery_ask_before_those_of_the_model(version):
    golden = probes.stored(50, version.text_encoder)
    assert len(golden) == 6
    dataset = world.make_dataset()
    box = world.make_box(world.make_image(dataset))
    for n in range(40):
        world.make_caption(box, f"a person with {n} hats")
    world.make_caption(box, "hidden", review="hidden")
    world.make_caption(box, "hat,bag", kind="attributes")
    few = probes.stored(20, version.text_encoder)
    assert len(few) == 20
    assert {text.split(" with ")[0] for text in few} == {"a person"}
    assert few[-1] == "a person with 39 hats"
    assert probes.stored(20, version.text_encoder) == few
    assert set(probes.stored(100, version.text_encoder)) >= set(golden)
    assert len(encoders.encode_texts(version, few)) == 20


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE search_embedding")


def test_the_command_prints_the_curve_and_the_page_shows_it(version, gallery, client):
    out = io.StringIO()
    call_command("tune_index", stdout=out)
    lines = out.getvalue().splitlines()
    made = tuning.newest(version.image_encoder)
    assert lines[0] == "ef\trecall@20\tms"
    assert lines[1].split("\t")[0] == str(made.curve[0]["ef"])
    assert lines[-2].startswith("exact\t1.0000")
    assert "1500 vectors, 6 questions" in lines[-1]

    client.force_login(world.make_user())
    page = client.get(version.get_absolute_url()).content.decode()
    assert "Vector index" in page
    assert "6 texts among 1,500 vectors" in page
    assert f'<td class="num">{made.ef_fast}</td>' in page


def test_a_gallery_without_an_index_says_that_none_is_needed(version, client):
    with pytest.raises(CommandError, match="no index"):
        call_command("tune_index")
    client.force_login(world.make_user())
    page = client.get(version.get_absolute_url()).content.decode()
    assert "up to 300 vectors every search compares all" in page


def test_page_api_and_command_search_in_a_mode(version, gallery, client, capsys):
    user = world.make_user(role="admin")
    client.force_login(user)
    url = "/api/v1/search"
    for mode, exact in (("fast", False), ("thorough", False), ("exact", True)):
        answer = client.post(url, {"text": "red", "mode": mode}, content_type="application/json")
        assert (answer.json()["mode"], answer.json()["exact"]) == (mode, exact)
        page = client.get("/search/", {"q": "red", "mode": mode}).content.decode()
        assert ("through the index" in page) is not exact
        found = io.StringIO()
        call_command("search", "red", "--mode", mode, "--top", "3", stdout=found)
        assert len(found.getvalue().splitlines()) == 3
    # Its next page goes on in the same mode.
    assert "mode=exact" in client.get("/search/", {"q": "red", "mode": "exact"}).content.decode()
    assert (
        client.post(url, {"text": "red", "mode": "x"}, content_type="application/json").status_code
        == 400
    )
    assert client.get("/search/", {"q": "red", "mode": "x"}).status_code == 400


def test_where_comparing_all_behind_a_filter_is_slow_the_walk_begins_sooner(version, gallery):
    camera = world.make_camera(gallery)
    some = gallery.images.values("pk")[:1]
    Embedding.objects.filter(box__image__in=some).update(camera=camera)
    made = tuning.measure(version.image_encoder)
    assert made.filtered_ms > 0
    made.curve = [{"ef": made.ef_fast, "recall": 1, "ms": 2}]
    made.exact_ms, made.filtered_ms = 10, 20
    assert made.exact_rows == 150
    made.filtered_ms = None
    assert made.exact_rows == 300
