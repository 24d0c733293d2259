"""Three reviewers before a dataset of people with and without names."""

import pytest

from search.review import asked, judging
from tests import world


@pytest.fixture
def dataset(db):
    return world.make_dataset("mall", kind="person")


@pytest.fixture
def reviewers(dataset):
    made = [world.make_user(name, role="reviewer") for name in ("ming", "lan", "wei")]
    for user in made:
        world.make_grant(dataset, user)
    return made


@pytest.fixture
def box_of(dataset):
    def box(key="", split="", caption=""):
        person = None
        if key:
            found = dataset.identities.filter(key=key).first()
            person = found or world.make_identity(dataset, key, split=split)
        made = world.make_box(world.make_image(dataset), (0, 0, 9, 20), identity=person)
        if caption:
            world.make_caption(made, caption)
        return made

    return box


@pytest.fixture
def say(reviewers):
    """Each given verdict is another reviewer's, on one box."""

    def judge(text, box, *said, like=None):
        query = asked.of_words(text, like and like.pk, reviewers[0])
        for user, verdict in zip(reviewers, said, strict=False):
            judging.judge(query, [box.pk], verdict, user)
        return query.findings.get(box=box)

    return judge
