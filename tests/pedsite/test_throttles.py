"""Rates are counted by key."""

import pytest
from django.core.cache import cache
from rest_framework.settings import api_settings

from pedsite import throttles
from pedsite.accounts import keys
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _slow(monkeypatch):
    rates = {**api_settings.DEFAULT_THROTTLE_RATES, "user": "3/minute"}
    monkeypatch.setattr(throttles.KeyRateThrottle, "THROTTLE_RATES", rates)
    cache.clear()
    yield
    cache.clear()


def statuses(client, count: int, secret: str | None = None) -> list[int]:
    headers = {"HTTP_AUTHORIZATION": f"Bearer {secret}"} if secret else {}
    return [client.get("/api/v1/datasets", **headers).status_code for _ in range(count)]


def test_one_key_does_not_use_up_what_another_of_the_same_user_has(client):
    user = world.make_user()
    (_one, first), (_two, second) = keys.issue(user, "first"), keys.issue(user, "second")
    assert statuses(client, 5, first) == [200, 200, 200, 429, 429]
    assert statuses(client, 1, second) == [200]
    client.force_login(user)
    assert statuses(client, 4) == [200, 200, 200, 429]


def test_who_is_sent_away_is_told_when_to_come_again(client):
    _key, secret = keys.issue(world.make_user(), "only")
    statuses(client, 3, secret)
    refused = client.get("/api/v1/datasets", HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert refused.json()["code"] == "throttled"
    assert 0 < int(refused["Retry-After"]) <= 60
