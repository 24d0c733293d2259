"""Pages of inspections: numbers, questions worst first, right and wrong, and for whose eyes."""

import re

import pytest
from django.utils import translation

from gallery.models import Box
from pedsite.jobs import work as jobs
from search import inspections
from search.models import Inspection
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db

METHOD = {
    "recall": {"1": 1.0, "2": 0.5},
    "map": {"found": 0.75, "class_size": 0.25},
    "first_right": 0.5,
    "bytes": 64.0,
    "model_bytes": 0,
    "ms": {"p50": 1.25, "p95": 2.5},
    "learned_s": 0.0,
    "code_bytes": None,
    "reranked": False,
}


@pytest.fixture
def user(client):
    user = world.make_user("viewer")
    client.force_login(user)
    return user


@pytest.fixture
def people(user):
    dataset = world.make_dataset("street", visible_to=user)
    boxes = world.make_coloured_people(dataset)
    for colour, box in boxes.items():
        # The second of them comes after the first.
        twin = boxes["red"].identity if colour == "blue" else None
        box.identity = twin or world.make_identity(dataset, colour)
        box.save()
    return boxes


def question(box, found, precision, text="", person=True) -> dict:
    return {
        "box": box.pk,
        "text": text,
        "person": box.identity_id if person else None,
        "found": {way: [[hit.pk, score] for hit, score in found] for way in ("exact", "lopq")},
        "precision": {"exact": precision, "lopq": precision},
    }


@pytest.fixture
def made(people):
    red, blue, green, white = (people[colour] for colour in ("red", "blue", "green", "white"))
    job = jobs.request(inspections.KIND, task=inspections.TASK, params={}, queue=False)
    return Inspection.objects.create(
        job=job,
        version=rows.make_serving(),
        dataset=red.image.dataset,
        asked_with="picture",
        protocol="leave_one_out",
        options={"top": 2, "reranked": 400, "code_bytes": [4], "queries": 4, "seed": 0},
        numbers={
            "vectors": 6, "dim": 16, "queries": 4, "judged": 3, "is_whole": True,
            "lengths": [1, 1],
            "methods": [METHOD | {"name": "exact"}, METHOD | {"name": "lopq", "code_bytes": 4}],
        },
        questions=[
            question(red, [(blue, 0.91), (green, 0.8)], 1.0),
            question(blue, [(green, 0.7), (red, 0.6)], 0.5),
            question(green, [(white, 0.5), (red, 0.4)], 0.0),
            question(white, [(red, 0.5), (blue, 0.4)], None, person=False),
        ],
    )  # fmt: skip


def url(made, number=None) -> str:
    return made.get_absolute_url() + ("" if number is None else f"questions/{number}/")


def judged(page: str) -> list[tuple[str, str]]:
    """Rank and verdict of every hit."""
    tiles = re.findall(r'<li class="tile judged ?([a-z-]*).*?<b class="num">(\d+)</b>', page, re.S)
    return [(rank, verdict.removeprefix("judged--")) for verdict, rank in tiles]


def test_the_page_shows_the_numbers_and_the_worst_questions_first(client, made):
    page = client.get(url(made)).content.decode()
    assert "exact (MIPS)" in page
    assert "LOPQ" in page
    assert "0.750" in page
    assert "0.250" in page
    order = re.findall(r"questions/(\d)/\?way=exact\"><img", page)
    assert order == ["2", "1", "0", "3"]
    listed = client.get("/inspections/").content.decode()
    assert url(made) in listed
    assert "Inspect</button>" not in listed


def test_hits_are_framed_right_or_wrong_with_rank_and_score(client, made):
    page = client.get(url(made, 1)).content.decode()
    assert judged(page) == [("1", "wrong"), ("2", "right")]
    assert "1 of 2 hits are right" in page
    assert "0.700" in page
    assert ">right</span>" in page
    assert ">wrong</span>" in page
    assert 'aria-current="true">exact' in page
    assert 'aria-current="true">LOPQ' in client.get(url(made, 1) + "?way=lopq").content.decode()


def test_one_walks_from_the_worst_to_the_best(client, made):
    first = client.get(url(made, 2)).content.decode()
    assert 'rel="prev"' not in first
    assert "1 of 4, the worst first" in first
    seen, number = [], 2
    while number is not None:
        seen.append(number)
        page = client.get(url(made, number)).content.decode()
        found = re.search(r'rel="next" href="[^"]*questions/(\d)/', page)
        number = int(found.group(1)) if found else None
    assert seen == [2, 1, 0, 3]


def test_where_nobody_is_known_nothing_is_right_or_wrong(client, made):
    page = client.get(url(made, 3)).content.decode()
    assert judged(page) == [("1", ""), ("2", "")]
    assert "Nobody known is asked for" in page


def test_a_text_about_nobody_known_is_about_its_box(client, made, people):
    red, blue = people["red"], people["blue"]
    made.questions = [question(red, [(blue, 0.5), (red, 0.4)], 0.5, text="a hat", person=False)]
    made.save()
    page = client.get(url(made, 0)).content.decode()
    assert judged(page) == [("1", "wrong"), ("2", "right")]
    assert "“a hat”" in page


def test_what_is_hidden_or_deleted_since_is_not_shown(client, made, people):
    Box.objects.filter(pk=people["green"].pk).update(review="hidden")
    page = client.get(url(made, 1)).content.decode()
    assert judged(page) == [("2", "right")]
    assert "1 hit is gone or hidden since" in page
    assert f"/crops/{people['green'].pk}" not in page
    people["blue"].delete()
    assert "The box that asked is gone" in client.get(url(made, 1)).content.decode()


def test_nobody_sees_an_inspection_of_a_dataset_that_is_not_shared(client, made):
    client.force_login(world.make_user("stranger"))
    for address in (url(made), url(made, 0)):
        assert client.get(address).status_code == 404
    assert url(made) not in client.get("/inspections/").content.decode()
    client.logout()
    assert client.get(url(made)).status_code == 302
    assert client.get("/inspections/").status_code == 302


def test_a_question_that_is_not_there_is_not_found(client, made):
    assert client.get(url(made, 4)).status_code == 404


def test_operators_start_one_and_others_may_not(client, made):
    form = {
        "version": made.version.name, "dataset": "street", "asked_with": "picture",
        "protocol": "leave_one_out",
    }  # fmt: skip
    assert client.post("/inspections/new/", form).status_code == 403
    operator = world.make_user(role="operator")
    client.force_login(operator)
    refused = client.post("/inspections/new/", form, follow=True).content.decode()
    assert "Choose a version and a dataset" in refused
    world.make_grant(made.dataset, operator)
    answer = client.post("/inspections/new/", form)
    newest = Inspection.objects.order_by("-pk").first()
    assert answer.url == newest.get_absolute_url()
    assert (newest.created_by, newest.job.task) == (operator, "search.inspect")
    page = client.get(answer.url).content.decode()
    assert "It is still being made" in page
    bad = form | {"asked_with": "text", "protocol": "held_out"}
    told = client.post("/inspections/new/", bad, follow=True).content.decode()
    assert "Texts have no camera" in told


def test_the_page_speaks_chinese(client, made):
    # What a request makes the language stays so behind it.
    with translation.override("en"):
        page = client.get(url(made, 1), headers={"accept-language": "zh-hans"}).content.decode()
    assert ">正确</span>" in page
    assert "最差的在前" in page
