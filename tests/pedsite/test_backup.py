"""A site that is stored in a file, lost, and put back, on the real PostgreSQL."""

import io
import json
import tarfile

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from gallery.models import Box, Dataset
from pedsite import backup
from pedsite.accounts.models import User
from search import retrieval
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    dataset = world.make_dataset("street")
    people = world.make_coloured_people(dataset)
    rows.make_serving(version := world.make_version())
    rows.enroll(dataset, version)
    return people


def hits() -> list[tuple[int, float]]:
    return [(hit.box.pk, hit.score) for hit in retrieval.by_text("red", user=None).hits]


def run(*words, **options) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def changed(path, name, content) -> None:
    """The same backup with another content of one member."""
    with tarfile.open(path) as archive:
        members = {each.name: archive.extractfile(each).read() for each in archive.getmembers()}
    members[name] = content
    with tarfile.open(path, "w") as archive:
        for member, data in members.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def test_what_was_lost_is_found_again(site, tmp_path):
    before, kept = hits(), sorted(backup._stored(default_storage))
    assert before
    assert kept
    path = tmp_path / "site.tar"
    text = run("backup", path)
    assert f"the database and {len(kept)} files" in text
    assert path.stat().st_mode & 0o077 == 0
    Box.objects.filter(pk=before[0][0]).delete()
    Dataset.objects.update(title="another")
    world.make_user("late")
    default_storage.delete(kept[0])
    default_storage.delete(kept[1])
    default_storage.save(kept[1], ContentFile(b"another"))
    cache.set("of the site before", 1)
    text = run("restore", path, replace=True)
    assert f"with {len(kept)} files" in text
    assert hits() == before
    assert not User.objects.filter(username="late").exists()
    assert Dataset.objects.get().title != "another"
    assert cache.get("of the site before") is None
    assert sorted(backup._stored(default_storage)) == kept


def test_an_empty_database_needs_no_word(site, tmp_path):
    before = hits()
    path = tmp_path / "site.tar"
    run("backup", path)
    with pytest.raises(CommandError, match=r"The database holds \w+ and more"):
        run("restore", path)
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    run("restore", path)
    assert hits() == before


def test_a_damaged_backup_changes_nothing(site, tmp_path):
    before = hits()
    path = tmp_path / "site.tar"
    run("backup", path)
    run("backup", tmp_path / "bare.tar", without_media=True)
    assert not backup.read(tmp_path / "bare.tar").files
    with pytest.raises(CommandError, match="is there already"):
        run("backup", path)
    changed(path, "database.dump", b"another")
    with pytest.raises(CommandError, match=r"database\.dump is not what was backed up"):
        run("restore", path, replace=True)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CommandError, match="no whole backup"):
        run("restore", path, replace=True)
    with pytest.raises(CommandError, match="no whole backup"):
        run("restore", tmp_path / "none.tar", replace=True)
    assert hits() == before


def test_a_backup_that_does_not_fit_is_refused_by_name(site, tmp_path):
    path = tmp_path / "site.tar"
    run("backup", path)
    with tarfile.open(path) as archive:
        told = json.load(archive.extractfile("manifest.json"))
    newer = told | {"migrations": [*told["migrations"], "search.9999_flights"]}
    changed(path, "manifest.json", json.dumps(newer).encode())
    with pytest.raises(CommandError, match=r"newer pedsite, which has search\.9999_flights"):
        run("restore", path, replace=True)
    fewer = told | {"tables": [name for name in told["tables"] if name != "gallery_box"]}
    changed(path, "manifest.json", json.dumps(fewer).encode())
    with pytest.raises(CommandError, match="tables that the backup lacks: gallery_box"):
        run("restore", path, replace=True)
    climbing = told | {"files": {"../out": "0" * 64}}
    changed(path, "manifest.json", json.dumps(climbing).encode())
    with pytest.raises(CommandError, match=r"lacks media/\.\./out"):
        run("restore", path, replace=True)


def test_a_failing_dump_leaves_no_file(site, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "_database", lambda: "there-is-none")
    with pytest.raises(CommandError, match="pg_dump failed"):
        run("backup", tmp_path / "site.tar")
    assert not list(tmp_path.glob("site*"))
