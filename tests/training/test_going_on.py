"""Going on from a version, on a snapshot with judgements: a run from end to end, small."""

import dataclasses

import numpy as np
import pytest

from gallery import snapshots
from gallery.errors import UnknownSnapshot
from tests import world
from tests.training.test_execution import execute, stop_after
from training import artifacts, continuing, runs, versions
from training.errors import BadTrainingData, UnknownVersion
from training.ml.config import ConfigError, TrainConfig

pytestmark = pytest.mark.usefixtures("work_folder")


@pytest.fixture
def judged(people):
    """One training box is refused another shirt's words, and a nameless one knows nothing else."""
    train = [image.boxes.get() for image in people.images.order_by("pk")]
    stranger = world.make_box(world.make_image(people))
    words = "a person in a red coat"
    said = {
        train[3].pk: snapshots.Verdicts(rejected=(words,)),
        stranger.pk: snapshots.Verdicts(rejected=(words,)),
    }
    where = snapshots.Judged(
        of=said, split_of=lambda box: box.identity.split if box.identity else "train"
    )
    return snapshots.freeze(people, judged=where)


def going_on(settings, **changes):
    return {"start": "first", "steps": 4, "validate_every": 4, "judged": 2, **changes}


def test_a_run_on_a_snapshot_goes_on_from_a_version_and_learns_from_what_was_refused(
    people, tiny, judged
):
    first = runs.request("clip", "people", tiny, name="first", licence="CC0-1.0", queue=False)
    version = execute(first.pk)
    assert_reads_back(version, first)
    small = {name: tiny[name] for name in ("batch", "threads", "augment", "precision")}
    run = runs.request(
        "clip", "people", small | going_on(tiny), name="more", snapshot=judged.number, queue=False
    )
    assert run.snapshot == judged
    assert run.config["backbone"] == tiny["backbone"]  # of the version's own run
    stop_after(run, 1)  # it exports as any other
    curves = run.points.curves()
    assert "rejected" not in first.points.curves()
    assert [step for step, _value in curves["rejected"]] == [1]
    assert curves["rejected"][0][1] > 0
    # What it begins with was judged before the first step, and is what the version was.
    began = dict(curves["valid_r1"])[0]
    assert began == max(value for _step, value in first.points.curves()["valid_r1"])
    assert continuing.licence(TrainConfig.from_dict(run.config)) == "CC0-1.0"


def assert_reads_back(version, run):
    """Its files give its weights back: the same vectors, and the norms know their pictures."""
    from training.ml import warm_start
    from training.ml.dual_encoder import build
    from training.ml.validation import encode_pictures

    config = TrainConfig.from_dict(run.config | {"start": version.name})
    image, text = continuing.towers(config)
    files = [artifacts.fetch(one.file.name, one.sha256) for one in (image, text)]
    table = artifacts.fetch(text.characters.name, text.characters_sha256)
    golden = [artifacts.fetch(one.golden.name, one.golden_sha256) for one in (image, text)]
    state = warm_start.restore(config, *files, table, golden)
    model = build(config)
    pixels = np.random.default_rng(0).integers(0, 256, (12, 32, 16, 3), dtype=np.uint8)
    warm_start.begin(model, state, pixels)
    expected = versions.image_tower(image).encode(pixels)
    assert (encode_pictures(model, pixels) * expected).sum(axis=1) == pytest.approx(1, abs=1e-4)
    model.train()
    import torch

    with torch.no_grad():
        learning = model.image(warm_start.to_pictures(pixels))
    learning = torch.nn.functional.normalize(learning).numpy()
    assert (learning * expected).sum(axis=1) == pytest.approx(1, abs=1e-3)
    # Another version's golden vectors are not those of this model.
    swapped = world.make_version("other", seed=3)
    strange = artifacts.fetch(swapped.text_encoder.golden.name, swapped.text_encoder.golden_sha256)
    with pytest.raises(ConfigError, match="other vectors"):
        warm_start.restore(config, *files, table, [strange])
    wider = dataclasses.replace(config, text_width=32)
    with pytest.raises(ConfigError, match=r"is \(16, 96\) in the version and \(32, 96\) here"):
        warm_start.restore(wider, *files, table, golden)


def test_a_snapshot_that_is_not_there_is_refused(people, tiny):
    with pytest.raises(UnknownSnapshot):
        runs.request("clip", "people", tiny, snapshot=9, queue=False)
    with pytest.raises(BadTrainingData, match="no snapshots"):
        runs.request("clip", "drawn:1:100", snapshot=1, queue=False)


def test_a_version_that_cannot_be_gone_on_from_is_refused_at_once(people, tiny):
    with pytest.raises(UnknownVersion):
        runs.request("clip", "people", tiny | {"start": "nobody"}, queue=False)
    world.make_version("seeing", image_only=True)
    with pytest.raises(BadTrainingData, match="both towers"):
        runs.request("clip", "people", tiny | {"start": "seeing"}, queue=False)
    world.make_version("whole", dim=16)
    with pytest.raises(BadTrainingData, match="leave out"):
        runs.request("clip", "people", {"start": "whole"}, queue=False)
