"""Teachers as system 2 has them: one `.bin` of torch tensors for each picture."""

import pickle

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from gallery import snapshots
from tests.world import make_box, make_caption, make_dataset, make_image
from training import teachers
from training.ml import teacher_bin
from training.models import Teacher

NAMES = ("Part1/1/0.jpg", "Part1/1/1.jpg", "Part1/2/0.jpg")


pytestmark = pytest.mark.usefixtures("work_folder")


@pytest.fixture
def pedes(db):
    """Dataset "pedes": 3 pictures, each of one person with 2 captions, attributes and a prompt."""
    dataset = make_dataset("pedes")
    for number, name in enumerate(NAMES):
        box = make_box(make_image(dataset, name=name))
        make_caption(box, f"first caption of {number}")
        make_caption(box, f"second caption of {number}")
        make_caption(box, f"woman,coat {number}", kind="attributes")
        make_caption(box, f"a prompt for {number}", kind="prompt")
        make_caption(box, f"第 {number} 个女人", language="zh")
    return dataset


def rows(count: int, seed: int, dim: int = 6) -> torch.Tensor:
    made = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return torch.from_numpy(made / np.linalg.norm(made, axis=1, keepdims=True))


def embeddings(number: int, captions: int = 2) -> dict[str, torch.Tensor]:
    return {
        "image_embedding": rows(1, 10 * number),
        "text_embedding_attr": rows(1, 10 * number + 1),
        "text_embedding_captions": rows(captions, 10 * number + 2),
        "text_embedding_prompt_caption": rows(1, 10 * number + 3),
    }


@pytest.fixture
def bins(tmp_path):
    """What system 2 writes beside its pictures."""
    for number, name in enumerate(NAMES):
        path = tmp_path / "embeddings" / f"{name}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(embeddings(number), path)
    return tmp_path / "embeddings"


def take(folder, name="old"):
    call_command("import_teacher", str(folder), "--dataset", "pedes", "--name", name)
    return teachers.get(name)


def entries(dataset):
    return list(snapshots.read(snapshots.freeze(dataset)))


def test_every_vector_finds_its_picture_or_text(pedes, bins):
    teacher = take(bins)
    assert (teacher.dim, teacher.image_count, teacher.text_count) == (6, 3, 12)
    store = teachers.store(teacher)
    for number, entry in enumerate(entries(pedes)):
        said = embeddings(number)
        (row,) = store.image_rows([entry["box"]])
        assert store.images[row] == pytest.approx(said["image_embedding"][0].numpy(), abs=1e-6)
        texts = [f"second caption of {number}", f"woman,coat {number}", f"a prompt for {number}"]
        wanted = [
            said["text_embedding_captions"][1],
            said["text_embedding_attr"][0],
            said["text_embedding_prompt_caption"][0],
        ]
        found = store.texts[store.text_rows(texts)]
        assert found == pytest.approx(np.stack([row.numpy() for row in wanted]), abs=1e-6)
        assert list(store.text_rows([f"第 {number} 个女人"])) == [-1]


def test_what_was_taken_leaves_as_it_came(pedes, bins, tmp_path):
    take(bins)
    call_command("export_teacher", "old", str(tmp_path / "out"))
    for number, name in enumerate(NAMES):
        found = torch.load(tmp_path / "out" / f"{name}.bin", weights_only=True)
        said = embeddings(number)
        assert found.keys() == said.keys()
        for key, tensor in said.items():
            assert found[key].shape == tensor.shape
            assert torch.allclose(found[key], tensor, atol=1e-6), key


def test_a_file_with_another_number_of_captions_gives_its_picture_alone(pedes, bins, capsys):
    torch.save(embeddings(0, captions=3), bins / f"{NAMES[0]}.bin")
    teacher = take(bins)
    assert (teacher.image_count, teacher.text_count) == (3, 10)
    assert "3 vectors for 2 texts of kind caption" in capsys.readouterr().err


def test_pictures_without_a_file_are_counted_and_have_no_vector(pedes, bins, capsys):
    (bins / f"{NAMES[1]}.bin").unlink()
    teacher = take(bins)
    assert teacher.image_count == 2
    assert "1 without" in capsys.readouterr().out


class Evil:
    def __reduce__(self):
        return print, ("a pickle has run code",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps(Evil()), "does not read"),
        (b"", "does not read"),
        ({"image_embedding": Evil()}, "does not read"),
        ({"text_embedding_attr": rows(1, 0)}, "holds no image_embedding"),
        ({"image_embedding": rows(2, 0)}, "do not fit together"),
        ({"image_embedding": rows(1, 0)[0]}, "not (n, D)"),
        ({"image_embedding": rows(1, 0) * float("nan")}, "not finite"),
        ({"image_embedding": rows(1, 0, dim=9)}, "9 dimensions, not 6"),
    ],
)
def test_a_file_that_is_something_else_is_refused_by_name(pedes, bins, capsys, content, words):
    path = bins / f"{NAMES[2]}.bin"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    assert take(bins).image_count == 2
    told = capsys.readouterr()
    assert f"{NAMES[2]}: " in told.err
    assert words in told.err
    assert "a pickle has run code" not in told.out


def test_a_folder_without_embeddings_makes_no_teacher(pedes, tmp_path):
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(CommandError):
            take(folder)
    assert not Teacher.objects.exists()


def test_of_a_picture_with_two_people_one_is_written(pedes, bins, tmp_path, capsys):
    image = pedes.images.get(name=NAMES[0])
    second = make_box(image, (0, 0, 10, 10))
    teacher = take(bins, name="two")
    assert teacher.image_count == 4
    assert list(teachers.store(teacher).image_rows([second.pk])) != [-1]
    call_command("export_teacher", "two", str(tmp_path / "out"))
    told = capsys.readouterr()
    assert "3 written" in told.out
    assert "it has several boxes" in told.err


def test_a_name_that_leads_out_of_the_folder_is_not_written(pedes, bins, tmp_path, capsys):
    take(bins)
    pedes.images.filter(name=NAMES[0]).update(name="../../outside.jpg")
    call_command("export_teacher", "old", str(tmp_path / "a" / "out"))
    assert not (tmp_path / "outside.jpg.bin").exists()
    assert "cannot be a path" in capsys.readouterr().err


def test_embeddings_of_any_length_are_made_one_long(tmp_path):
    torch.save({"image_embedding": rows(1, 0) * 220}, tmp_path / "a.bin")
    assert np.linalg.norm(teacher_bin.read(tmp_path / "a.bin").image) == pytest.approx(1)
