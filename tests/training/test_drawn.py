"""Drawn people as training data: who fits what, who is held out, and what is kept on disk."""

import json

import numpy as np
import pytest

from gallery.synthetic.attributes import ANY, FACTS, FIELDS, NONE
from tests.world import tiny_bundle
from training import drawn, model_card
from training.drawn import CROPS_EACH, Drawn, fits, load_or_draw, prepare, stated_facts
from training.ml import checkpoint, engine
from training.ml.config import TrainConfig

SIZE = {"height": 32, "width": 16}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("drawn")


@pytest.fixture(scope="module")
def crops(folder):
    return load_or_draw(7, 40, folder, **SIZE, processes=1)


def test_a_text_fits_the_pictures_whose_people_have_all_that_it_states(crops):
    rng = np.random.default_rng(0)
    batch = crops.batch(np.arange(40), 40, rng)
    for text in range(40):
        facts = [FACTS[row] for row in np.flatnonzero(batch.stated[text] > 0)]
        facts += [(FACTS[row][0], ANY) for row in np.flatnonzero(batch.stated[text] < 0)]
        expected = [person.fits(facts) for person in crops.people]
        assert batch.positive[text].tolist() == expected
        assert expected[text], "a caption fits its own picture"


def test_a_hat_of_any_kind_fits_whoever_has_one_and_states_nothing_else(crops):
    stated = stated_facts([[("hat", ANY), ("gender", "woman")]])
    told = {FACTS[row]: int(stated[0, row]) for row in np.flatnonzero(stated[0])}
    assert told == {("hat", NONE): -1, ("gender", "woman"): 1}
    expected = [person.hat != NONE and person.gender == "woman" for person in crops.people]
    assert fits(stated, crops.has)[0].tolist() == expected
    assert any(expected)
    assert not all(expected)


def test_all_of_a_person_is_learned_from_but_captions_say_what_can_be_seen(crops):
    for row, column in np.ndindex(crops.attributes.shape):
        field = list(FIELDS)[column]
        value = FIELDS[field][crops.attributes[row, column]]
        assert value == getattr(crops.people[row], field)
    _, facts = crops.describe(np.arange(40), np.random.default_rng(0))
    for row, stated in enumerate(facts):
        assert {field for field, _ in stated} <= crops.visible[row]


def test_crops_of_one_person_share_all_but_the_moment(crops):
    one, other = crops.people[0].to_dict(), crops.people[1].to_dict()
    differing = {field for field in one if one[field] != other[field]}
    assert differing <= {"pose", "view"}
    assert crops.people[0].to_dict() != crops.people[CROPS_EACH].to_dict()


def test_a_complete_file_is_read_and_an_incomplete_one_drawn_again(crops, folder):
    again = load_or_draw(7, 40, folder, **SIZE, processes=1)
    assert (again.pixels == crops.pixels).all()
    index = folder / "drawn-7-40-32x16.json"
    stored = json.loads(index.read_text())
    index.unlink()
    np.lib.format.open_memmap(folder / "drawn-7-40-32x16.npy", "w+", np.uint8, (40, 32, 16, 3))
    redrawn = load_or_draw(7, 40, folder, **SIZE, processes=2)
    assert (redrawn.pixels == crops.pixels).all()
    assert json.loads(index.read_text()) == stored


def test_nobody_of_the_probe_is_trained_on(folder, monkeypatch):
    monkeypatch.setattr(drawn, "PROBE_CROPS", 20)
    monkeypatch.setattr(drawn, "PROBE_TEXTS", 10)
    data, probe = prepare(Drawn.parse("drawn:9:21"), folder, **SIZE, processes=1)
    assert (len(data), len(probe.pixels), len(probe.texts)) == (21, 19, 10)
    # An odd count ends in the middle of a person, whose other crop is in neither.
    whole = load_or_draw(9, 41, folder, **SIZE)
    assert (probe.pixels == whole.pixels[22:]).all()


@pytest.mark.parametrize(
    "name",
    ["drawn:1", "drawn:a:10", "drawn:1:1", "other:1:10", "drawn:1:-4", "drawn:1:4000000000000"],
)
def test_a_name_that_is_no_drawn_data_is_refused(name):
    with pytest.raises(ValueError, match=name):
        Drawn.parse(name)


def test_somebody_with_given_facts_is_possible_as_a_whole():
    rng = np.random.default_rng(3)
    facts = [("upper", "dress"), ("bag_colour", "red"), ("hat_colour", "green")]
    person = model_card.someone_who(facts, rng)
    assert person.fits(facts)
    assert (person.gender, person.lower, person.lower_colour) == ("woman", "none", "none")
    assert "none" not in (person.bag, person.hat)


def test_facts_that_nobody_has_together_are_refused():
    with pytest.raises(ValueError, match="nobody can be"):
        model_card.someone_who(
            [("hat", "none"), ("hat_colour", "red")], np.random.default_rng(0), tries=50
        )


def test_every_free_query_states_2_to_5_facts_of_the_vocabulary():
    free = json.loads(model_card.FREE_QUERIES.read_text("utf-8"))
    assert {language: len(queries) for language, queries in free.items()} == {"en": 50, "zh": 50}
    for queries in free.values():
        assert len({query["text"] for query in queries}) == 50
        for query in queries:
            assert 2 <= len(query["facts"]) <= 5
            assert all(tuple(fact) in FACTS for fact in query["facts"])


def test_a_version_is_measured_in_both_languages_and_its_card_says_so(tmp_path, monkeypatch):
    few = {"en": [{"text": "a man in red", "facts": [["gender", "man"], ["upper_colour", "red"]]}]}
    few["zh"] = [{"text": "红衣男人", "facts": [["gender", "man"], ["upper_colour", "red"]]}]
    path = tmp_path / "free.json"
    path.write_text(json.dumps(few))
    monkeypatch.setattr(model_card, "FREE_QUERIES", path)
    bundle = tiny_bundle(tmp_path / "bundle", height=32, width=16)
    metrics = model_card.measure(bundle, tmp_path / "work", crops=30, queries=12)
    assert metrics["boxes"] == 34
    for language in ("en", "zh"):
        found = metrics[language]
        assert found["queries"] == 12
        shares = [found["first_hit_agrees"], found["agrees_within_10"], found["eer"], found["r1"]]
        assert all(0 <= share <= 1 for share in shares)
        assert found["first_hit_agrees"] <= found["agrees_within_5"] <= found["agrees_within_10"]
    text = model_card.card(bundle.about | {"metrics": metrics, "licence": "MIT", "notes": "x"})
    assert f"| {metrics['en']['first_hit_agrees']:.3f} |" in text


def test_each_phase_trains_its_tower_and_leaves_the_other_alone(crops, tmp_path):
    backbone = {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8], "depths": [1]}
    config = TrainConfig(
        **SIZE,
        dim=160,
        text_first=2,
        image_first=2,
        steps=1,
        batch=8,
        texts=6,
        backbone=backbone | {"layer_type": "basic"},
        parts=2,
        text_width=16,
        text_heads=2,
        text_layers=1,
        byte_width=4,
        warmup=1,
        log_every=1,
        checkpoint_every=1,
        precision="fp32",
        memory_format="channels_last",
        threads=1,
    )
    terms: dict[int, set[str]] = {}
    weights: dict[int, dict[str, np.ndarray]] = {}

    def report(step, values):
        if "loss" in values:
            terms[step] = set(values)

    def should_stop():
        state = checkpoint.load(tmp_path / engine.LAST)
        weights[state["step"]] = {name: value.numpy() for name, value in state["model"].items()}
        return False

    probe = crops.probe(np.arange(20), 10, np.random.default_rng(0))
    watch = engine.Watch(report=report, should_stop=should_stop)
    engine.train(config, crops, probe, tmp_path, watch=watch)

    assert "contrastive" not in terms[2]
    assert "text_attributes" not in terms[3]
    assert {"contrastive", "text_attributes", "image_attributes"} <= terms[5]

    def moved(start, end, tower):
        names = [name for name in weights[start] if name.startswith(tower)]
        return any((weights[start][name] != weights[end][name]).any() for name in names)

    assert (moved(1, 2, "text"), moved(1, 2, "image")) == (True, False)
    assert (moved(2, 4, "text"), moved(2, 4, "image")) == (False, True)
    assert (
        weights[1]["image.facts.space.directions"] == weights[4]["image.facts.space.directions"]
    ).all()
