"""What the gallery's tests share: jobs done at once, and storage that each test has to itself."""

import io

import pytest
from django.conf import settings

from gallery import ingest
from pedsite.jobs import work


@pytest.fixture(autouse=True)
def own_media(tmp_path, settings):
    """Stored files in the test's own folder, so that it can count them."""
    settings.MEDIA_ROOT = tmp_path / "stored"
    return settings.MEDIA_ROOT


@pytest.fixture
def stored():
    """The files in the storage, each by its path."""

    def files():
        return sorted(path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file())

    return files


@pytest.fixture
def do_import(db, settings, tmp_path):
    """Imports at once; returns the job when it is over. Users may name the test's own folder."""
    settings.PEDSITE_IMPORT_ROOTS = [str(tmp_path)]

    def run(format, path, dataset="set", images=None, user=None, only=None, **options):
        job = ingest.request(
            format,
            str(path),
            dataset,
            str(images) if images else None,
            user,
            queue=False,
            options=options,
        )
        if only:
            job.params["only"] = only
            job.save()
        return work.run_here(job, ingest.Importer(), io.StringIO())

    return run
