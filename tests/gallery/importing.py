"""An import taken through its jobs in the process of the test."""

import io
import zipfile

from django.urls import reverse

from gallery import imports, ingest, undo, uploads
from gallery.models import Import
from pedsite.jobs import work


def run(job, step):
    return work.run_here(job, step, io.StringIO())


def sent(user, name, data):
    """An upload that is whole."""
    return uploads.store(user, name, len(data), [data])


def zip_of(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def checked(found):
    run(found.check_job, imports.Checker())
    return Import.objects.get(pk=found.pk)


def imported(user, dataset="street", **wish):
    found = checked(imports.begin(user, imports.Wish(dataset=dataset, **wish)))
    assert found.stage == "checked", found.check_job.error
    run(imports.confirm(found.pk, user), ingest.Importer())
    return Import.objects.get(pk=found.pk)


def undone(found, user):
    run(undo.request(found.pk, user), undo.step)
    return Import.objects.get(pk=found.pk)


def page(client, found):
    return client.get(reverse("gallery:import", args=[found.pk])).content.decode()
