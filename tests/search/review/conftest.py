"""Two reviewers and a viewer before one enrolled dataset."""

import pytest

from tests.search.pages.asked import enroll
from tests.world import make_coloured_people, make_dataset, make_grant, make_user


@pytest.fixture
def user():
    return make_user("ming", role="reviewer")


@pytest.fixture
def second(square):
    other = make_user("lan", role="reviewer")
    make_grant(square, other)
    return other


@pytest.fixture
def square(user):
    return make_dataset("square", title="The square", visible_to=user)


@pytest.fixture
def people(square):
    """One enrolled box a colour, in a dataset that the first reviewer may see."""
    people = make_coloured_people(square)
    enroll(square)
    return people


@pytest.fixture
def browser(client, user):
    client.force_login(user)
    return client
