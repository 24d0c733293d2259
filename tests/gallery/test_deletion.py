import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import connections, transaction

from gallery import datasets, images, snapshots
from gallery.models import Box, Caption, Dataset, Identity, Image
from tests import world
from tests.gallery.files import folder_of

commits = pytest.mark.django_db(transaction=True)


@commits
def test_the_file_goes_with_the_last_row_that_names_it(tmp_path, do_import, stored):
    root = folder_of(tmp_path / "in", 2)
    do_import("folder", root, "one")
    do_import("folder", root, "two")
    images.delete(list(Image.objects.filter(dataset__name="one")[:1]))
    assert len(stored()) == 3
    assert Box.objects.count() == 3
    images.delete(list(Image.objects.filter(dataset__name="two")))
    assert len(stored()) == 1


@commits
def test_a_deletion_that_is_rolled_back_keeps_the_file(tmp_path, do_import, stored):
    do_import("folder", folder_of(tmp_path / "in", 1))

    def fails():
        with transaction.atomic():
            images.delete(list(Image.objects.all()))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert Image.objects.count() == len(stored()) == 1


@commits
def test_a_file_that_an_image_still_names_is_kept(tmp_path, do_import, stored):
    do_import("folder", folder_of(tmp_path / "in", 1))
    image = Image.objects.get()
    twin = Image.objects.get(pk=image.pk)
    twin.pk, twin.sha256 = None, "0" * 64
    twin.save()
    images.delete([image])
    assert len(stored()) == 1


@commits
def test_deleting_a_dataset_takes_everything_of_it_and_nothing_else(
    tmp_path, do_import, stored, monkeypatch
):
    monkeypatch.setattr(datasets, "DELETE_BATCH", 2)
    root = folder_of(tmp_path / "in", 5)
    do_import("folder", root, "one")
    do_import("folder", root, "two")
    world.make_caption(Box.objects.filter(image__dataset__name="one").first(), "a man")
    one = datasets.get("one")
    snapshots.freeze(one)
    assert len(stored()) == 11
    datasets.delete(one)
    assert list(Dataset.objects.values_list("name", flat=True)) == ["two"]
    assert Image.objects.count() == Box.objects.count() == Identity.objects.count() == 5
    assert Caption.objects.count() == 0
    assert len(stored()) == 5


@commits
def test_importing_while_deleting_never_leaves_a_row_without_its_file(tmp_path, do_import, stored):
    root = folder_of(tmp_path / "in", 6)
    do_import("folder", root)

    def delete_all():
        for image in Image.objects.all():
            images.delete([image])
        connections.close_all()

    for _ in range(4):
        deleting = threading.Thread(target=delete_all)
        deleting.start()
        do_import("folder", root)
        deleting.join()
        names = set(Image.objects.values_list("file", flat=True))
        on_disk = {path.name for path in stored()}
        assert {name.rpartition("/")[2] for name in names} == on_disk


@commits
def test_a_user_who_made_a_dataset_may_leave_without_it(tmp_path, do_import):
    user = world.make_user()
    do_import("folder", folder_of(tmp_path / "in", 1), user=user)
    get_user_model().objects.all().delete()
    assert Dataset.objects.get().created_by is None
