"""Who might be the same person, and which box looks unlike the rest; the page that shows it."""

import numpy as np
import pytest
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse
from rest_framework.test import APIClient

from gallery.models import Action, Box, Identity
from search import likeness, vectors
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db
PEOPLE = "/datasets/street/people/"
AXES = np.eye(16, dtype=np.float32)


@pytest.fixture
def curator(client):
    user = world.make_user("carla", role="curator")
    client.force_login(user)
    return user


@pytest.fixture
def version():
    return rows.make_serving()


def seen(dataset, version, identity, direction, count=1, tilt=0.1):
    """Boxes of somebody around one direction."""
    made = []
    for number in range(count):
        box = world.make_box(world.make_image(dataset), identity=identity)
        vector = AXES[direction] + tilt * AXES[8 + number % 8]
        with transaction.atomic():
            unit = vector / np.linalg.norm(vector)
            vectors.write(dataset, version.image_encoder, [(box.pk, unit.astype(np.float32))])
        made.append(box)
    return made


@pytest.fixture
def crowd(curator, version):
    """Anna, seen five times and once by mistake; her twin Berta, Carl far away, a stranger."""
    street = world.make_dataset("street", visible_to=curator)
    anna, berta, carl = (world.make_identity(street, name) for name in ("anna", "berta", "carl"))
    hers = seen(street, version, anna, 0, 5)
    (wrong,) = seen(street, version, anna, 3)
    seen(street, version, berta, 0, 2, tilt=0.2)
    seen(street, version, carl, 5, 2)
    (stranger,) = seen(street, version, None, 0, tilt=0.3)
    park = world.make_dataset("park")
    seen(park, version, world.make_identity(park, "hidden twin"), 0)
    return {"anna": anna, "berta": berta, "hers": hers, "wrong": wrong, "stranger": stranger}


def test_the_odd_box_comes_first_and_the_likest_person_too(crowd, curator, version):
    look = likeness.look(crowd["anna"], curator)
    assert look.version == version.name
    assert [each.box.pk for each in look.sightings if each.is_odd] == [crowd["wrong"].pk]
    assert look.sightings[0].box == crowd["wrong"]
    named = [other.box.identity and other.box.identity.key for other in look.alike]
    assert named == ["berta", None, "carl"]
    assert look.alike[0].likeness > look.alike[-1].likeness


def test_other_datasets_hidden_boxes_and_those_without_vectors_stay_out(crowd, curator):
    Box.objects.filter(pk=crowd["stranger"].pk).update(review="hidden")
    bare = world.make_box(world.make_image(crowd["anna"].dataset), identity=crowd["anna"])
    look = likeness.look(crowd["anna"], curator)
    assert look.waiting == 1
    assert bare.pk in [each.box.pk for each in look.sightings if each.likeness is None]
    assert [other.box.identity.key for other in look.alike] == ["berta", "carl"]


def test_of_two_boxes_nobody_can_tell_which_is_odd(crowd, curator):
    assert likeness.look(crowd["berta"], curator).odd == 0


def page(client, identity):
    return client.get(reverse("search:person", args=[identity.pk]))


def change(client, identity, **given):
    address = reverse("gallery:person-change", args=[identity.pk])
    return client.post(address, given, follow=True)


def test_the_page_merges_whom_it_suggests_and_parts_who_is_odd(client, crowd):
    anna = crowd["anna"]
    text = page(client, anna).content.decode()
    assert "1 box looks unlike the rest" in text
    assert text.index("Person berta") < text.index("Person carl")
    change(client, anna, action="part", box=[crowd["wrong"].pk], key="dora")
    change(client, anna, action="merge", person=[crowd["berta"].pk])
    change(client, anna, action="assign", box=[crowd["stranger"].pk])
    assert anna.boxes.count() == 8
    assert set(Identity.objects.values_list("key", flat=True)) >= {"anna", "dora"}
    change(client, anna, action="rename", key="ann")
    change(client, anna, action="split", split="test")
    anna.refresh_from_db()
    assert (anna.key, anna.split) == ("ann", "test")
    change(client, anna, action="unassign", box=[crowd["stranger"].pk])
    assert Box.objects.get(pk=crowd["stranger"].pk).identity is None


def test_a_merge_over_two_splits_asks_which(client, crowd):
    anna, berta = crowd["anna"], crowd["berta"]
    Identity.objects.filter(pk=anna.pk).update(split="train")
    Identity.objects.filter(pk=berta.pk).update(split="test")
    assert "which split?" in page(client, anna).content.decode()
    text = change(client, anna, action="merge", person=[berta.pk]).content.decode()
    assert "different splits" in text
    change(client, anna, action="merge", person=[berta.pk], agreed="train")
    assert Identity.objects.get(key="anna").split == "train"


def test_without_a_version_the_page_shows_the_boxes_and_says_why(client, curator):
    person = world.make_identity(world.make_dataset("street", visible_to=curator), "anna")
    box = world.make_box(world.make_image(person.dataset), identity=person)
    text = page(client, person).content.decode()
    assert "No model version answers" in text
    assert f"/pictures/boxes/{box.pk}.jpg" in text


def test_programs_read_the_same(crowd, curator):
    api = APIClient()
    api.force_authenticate(curator)
    told = api.get(f"/api/v1/identities/{crowd['anna'].pk}/likeness").json()
    assert told["boxes"][0] == told["boxes"][0] | {"box": crowd["wrong"].pk, "is_odd": True}
    assert told["alike"][0]["key"] == "berta"


def test_people_are_listed_merged_split_and_shared_out(client, crowd):
    anna, berta = crowd["anna"], crowd["berta"]
    text = client.get(PEOPLE).content.decode()
    assert "6 boxes" in text
    fragment = client.get(
        "/datasets/street/people/", {"key": "ber"}, headers={"HX-Request": "true"}
    )
    assert "berta" in fragment.content.decode()
    assert "anna" not in fragment.content.decode()
    post = f"{PEOPLE}change/"
    client.post(post, {"action": "merge", "person": [anna.pk, berta.pk]})
    assert anna.boxes.count() == 8
    client.post(post, {"action": "split", "split": "test", "person": [anna.pk]})
    given = {"action": "shares", "train": 100, "validation": 0, "test": 0, "seed": 1}
    client.post(post, given)
    assert dict(Identity.objects.filter(dataset__name="street").values_list("key", "split")) == {
        "anna": "test",
        "carl": "train",
    }
    refused = client.post(post, given | {"train": "x"}, follow=True)
    assert "train: Enter a number" in refused.content.decode()


def test_a_command_shares_people_out(crowd, capsys):
    call_command("assign_splits", dataset="street", train=2, validation=0, test=1)
    assert capsys.readouterr().out == "train\t2\t2 new\nvalidation\t0\t0 new\ntest\t1\t1 new\n"


def test_nobody_else_sees_or_changes_a_person(client, crowd):
    anna = crowd["anna"]
    reads = [f"/people/{anna.pk}/", "/datasets/street/people/"]
    writes = [f"/people/{anna.pk}/change/", "/datasets/street/people/change/"]
    client.force_login(world.make_user("sue", role="curator"))
    for address in reads:
        assert client.get(address).status_code == 404
    for address in writes:
        assert client.post(address, {"action": "rename", "key": "x"}).status_code == 404
    api = APIClient()
    api.force_authenticate(world.make_user("tom", role="curator"))
    assert api.get(f"/api/v1/identities/{anna.pk}/likeness").status_code == 404
    reviewer = world.make_user("rob", role="reviewer")
    world.make_grant(anna.dataset, reviewer)
    client.force_login(reviewer)
    for address in reads:
        assert client.get(address).status_code == 200
        assert "bulk" not in client.get(address).content.decode()
    for address in writes:
        assert client.post(address, {"action": "rename", "key": "x"}).status_code == 403
    assert not Action.objects.exists()
