"""Who looks at the pages of search, and what there is to find."""

import pytest

from tests.search.pages.asked import enroll
from tests.world import (
    make_coloured_people,
    make_dataset,
    make_user,
)


@pytest.fixture
def user():
    return make_user("ming")


@pytest.fixture
def browser(client, user):
    client.force_login(user)
    return client


@pytest.fixture
def people(user):
    """One enrolled box a colour, in a dataset that the user may see."""
    dataset = make_dataset("square", title="The square", visible_to=user)
    people = make_coloured_people(dataset)
    enroll(dataset)
    return people
