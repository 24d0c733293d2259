"""A case of one reviewer with two boxes, and a member who sees one of them."""

import pytest

from search.cases import casework
from tests.world import make_box, make_dataset, make_grant, make_image, make_user


@pytest.fixture
def user():
    return make_user("ming", role="reviewer")


@pytest.fixture
def member(user, case):
    other = make_user("lan", role="reviewer")
    casework.share(case, "lan", user)
    return other


@pytest.fixture
def case(user):
    return casework.start(user, "The red coat", "F-17")


@pytest.fixture
def boxes(user):
    """In a dataset each, both the owner's."""
    return [
        make_box(make_image(make_dataset(name, visible_to=user), name=f"{name}.png"))
        for name in ("open", "secret")
    ]


@pytest.fixture
def filled(case, user, boxes):
    casework.add_hits(case, [box.pk for box in boxes], user)
    casework.add_search(case, "q=a+red+coat&sort=newest&cursor=x", user)
    casework.add_note(case, "Seen at the gate.\n<b>twice</b>", user)
    return case


@pytest.fixture
def granted(member, boxes):
    """The member, who may see the first box."""
    make_grant(boxes[0].image.dataset, member)
    return member


@pytest.fixture
def browser(client, user):
    client.force_login(user)
    return client
