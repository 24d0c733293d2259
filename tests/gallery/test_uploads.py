"""Uploads in pieces: they go on after any interruption, and stay within the limits."""

from datetime import timedelta

import pytest
from django.utils import timezone

from gallery import sources, tasks, uploads
from gallery.errors import BadFolder, BadUpload, UploadTooLarge, WrongOffset
from gallery.models import Import, Upload
from pedsite.jobs import work
from tests import world


@pytest.fixture
def curator(db):
    return world.make_user("curator", role="curator")


def put_together(upload, tmp_path):
    uploads.write(upload, tmp_path / "whole", lambda: None)
    return (tmp_path / "whole").read_bytes()


def test_pieces_become_the_file(curator, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "PIECE", 4)
    data = bytes(range(30))
    upload = uploads.begin(curator, "a.zip", 30)
    for start in range(0, 30, 4):
        upload = uploads.append(upload, start, data[start : start + 4])
    assert upload.is_whole
    assert put_together(upload, tmp_path) == data


def test_a_piece_goes_on_where_the_upload_ends_and_nowhere_else(curator):
    upload = uploads.begin(curator, "a", 10)
    upload = uploads.append(upload, 0, b"12345")
    for offset in (0, 4, 6):
        with pytest.raises(WrongOffset, match="byte 5"):
            uploads.append(upload, offset, b"12345")
    with pytest.raises(BadUpload, match="over the end"):
        uploads.append(upload, 5, b"123456")
    assert Upload.objects.get().received == 5


def test_a_piece_that_was_stored_but_not_counted_is_replaced_by_its_second_coming(
    curator, tmp_path, monkeypatch
):
    upload = uploads.begin(curator, "a", 6)

    def dies(self, **fields):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Upload, "save", dies)
        with pytest.raises(KeyboardInterrupt):
            uploads.append(upload, 0, b"12345")
    upload.refresh_from_db()
    assert upload.received == 0
    for offset, data in ((0, b"abc"), (3, b"def")):
        upload = uploads.append(upload, offset, data)
    assert put_together(upload, tmp_path) == b"abcdef"


def test_an_upload_that_is_not_whole_is_not_read(curator, tmp_path):
    upload = uploads.begin(curator, "a", 6)
    uploads.append(upload, 0, b"abc")
    with pytest.raises(BadUpload, match="3 bytes of 6"):
        sources.here(upload, lambda: None)


def test_a_file_over_the_limit_is_refused_before_a_byte_of_it(curator, settings):
    settings.PEDSITE_UPLOAD_BYTES = 2**20
    with pytest.raises(UploadTooLarge, match="1 MiB"):
        uploads.begin(curator, "a", 2**20 + 1)


def test_one_user_may_have_so_much_waiting_and_another_their_own(curator, settings):
    settings.PEDSITE_UPLOAD_USER_BYTES = 100
    first = uploads.begin(curator, "a", 60)
    with pytest.raises(UploadTooLarge, match="remove one"):
        uploads.begin(curator, "b", 60)
    uploads.begin(world.make_user(role="curator"), "b", 60)
    uploads.remove(first)
    uploads.begin(curator, "b", 60)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\x\\a.zip", "a.zip"), ("a\x00\n.zip", "a.zip")],
)
def test_a_file_keeps_only_the_last_part_of_its_name(curator, sent, kept):
    assert uploads.begin(curator, sent, 5).name == kept


@pytest.mark.parametrize("name", ["", "..", "/", "a/.."])
def test_a_file_without_a_name_is_refused(curator, name):
    with pytest.raises(BadUpload, match="no name"):
        uploads.begin(curator, name, 5)


def test_a_whole_file_that_ends_early_leaves_nothing(curator, stored):
    with pytest.raises(BadUpload, match="ended before"):
        uploads.store(curator, "a", 100, [b"abc"])
    assert Upload.objects.count() == 0
    assert stored() == []


def test_an_upload_that_nobody_imports_is_removed_after_a_while(curator, stored, settings):
    settings.PEDSITE_UPLOAD_DAYS = 3
    old = uploads.store(curator, "old", 3, [b"old"])
    new = uploads.store(curator, "new", 3, [b"new"])
    busy = uploads.store(curator, "busy", 4, [b"busy"])
    job = work.request("check", task="gallery.check_import", params={}, queue=False)
    Import.objects.create(
        upload=busy,
        from_upload=True,
        created_by=curator,
        dataset_name="x",
        name="busy",
        check_job=job,
    )
    Upload.objects.exclude(pk=new.pk).update(touched_at=timezone.now() - timedelta(days=4))
    copy = sources.here(old, lambda: None)
    tasks.expire_uploads()
    assert set(Upload.objects.values_list("name", flat=True)) == {"new", "busy"}
    assert not copy.exists()
    assert len(stored()) == 2


def test_the_timetable_removes_them(settings):
    assert (
        settings.CELERY_BEAT_SCHEDULE["gallery-expire-uploads"]["task"] == tasks.expire_uploads.name
    )


@pytest.fixture
def root(tmp_path, settings):
    (tmp_path / "open" / "in").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    settings.PEDSITE_IMPORT_ROOTS = [str(tmp_path / "open")]
    return tmp_path / "open"


def test_a_folder_under_a_root_may_be_named_in_both_ways(root):
    assert sources.on_server("in") == sources.on_server(f"{root}/in") == root / "in"


@pytest.mark.parametrize("named", ["../secret", "in/../../secret", "{root}/../secret"])
def test_traversal_out_of_the_roots_is_refused(root, named):
    with pytest.raises(BadFolder, match=r"has `\.\.` in it"):
        sources.on_server(named.format(root=root))


@pytest.mark.parametrize("named", ["/etc", "{secret}", "missing", "{root}-and-more"])
def test_a_folder_outside_the_roots_is_refused_like_one_that_is_not_there(root, named):
    (root.parent / "open-and-more").mkdir()
    with pytest.raises(BadFolder, match="There is no"):
        sources.on_server(named.format(root=root, secret=root.parent / "secret"))


def test_a_link_out_of_the_roots_is_refused(root):
    (root / "link").symlink_to(root.parent / "secret")
    with pytest.raises(BadFolder, match="leads out"):
        sources.on_server("link")


@pytest.mark.parametrize("named", ["", " ", "a\x00b", "a\nb"])
def test_a_folder_without_a_proper_name_is_refused(root, named):
    with pytest.raises(BadFolder):
        sources.on_server(named)


def test_without_roots_no_folder_may_be_named(root, settings):
    settings.PEDSITE_IMPORT_ROOTS = []
    with pytest.raises(BadFolder, match="PEDSITE_IMPORT_ROOTS"):
        sources.on_server(str(root))
