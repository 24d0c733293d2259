"""What the environment makes of the settings, each time in a fresh process."""

import os
import re
import subprocess
import sys

from django.conf import settings

PROJECT = settings.BASE_DIR


def read(expression: str, **environment: str) -> subprocess.CompletedProcess:
    code = f"from pedsite import settings; print({expression})"
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_every_variable_that_is_read_is_documented():
    code = "".join((PROJECT / "pedsite" / name).read_text() for name in ("settings.py", "env.py"))
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', code))
    assert len(names) > 15
    documented = set(re.findall(r"^#?([A-Z0-9_]+)=", (PROJECT / ".env.example").read_text(), re.M))
    assert names - documented == set()


def test_debug_is_off_unless_asked_for():
    assert read("settings.DEBUG").stdout.strip() == "False"
    assert read("settings.DEBUG", DEBUG="1").stdout.strip() == "True"


def test_an_address_of_a_database_is_taken_apart():
    url = "postgresql://vera:s%40cret@db.example:6432/people?sslmode=require"
    entry = read('settings.DATABASES["default"]', DATABASE_URL=url).stdout
    for part in (
        "'people'",
        "'vera'",
        "'s@cret'",
        "'db.example'",
        "'6432'",
        "{'sslmode': 'require'}",
    ):
        assert part in entry


def test_both_kinds_of_queue_address_reach_celery():
    address = "settings.CELERY_BROKER_URL"
    assert read(address, REDIS_URL="redis://q:6379/2").stdout.strip() == "redis://q:6379/2"
    assert read(address, REDIS_URL="unix:///run/q").stdout.strip() == "redis+socket:///run/q"


def test_https_makes_every_cookie_secure_and_redirects():
    names = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT"]
    values = ", ".join(f"settings.{name}" for name in names)
    assert read(values, HTTPS="1").stdout.split() == ["True"] * 3
    assert read(values).stdout.split() == ["False"] * 3


def test_a_bucket_takes_the_place_of_the_folder():
    code = (
        "(__import__('django').setup(), [(one.bucket_name, one.client_config.s3, "
        "one.client_config.request_checksum_calculation) for one in [__import__("
        "'django.core.files.storage', fromlist=['x']).default_storage]][0])[1]"
    )
    done = read(code, S3_BUCKET="people", S3_ENDPOINT_URL="http://store.example", S3_REGION="eu")
    told = "('people', {'addressing_style': 'path'}, 'when_required')"
    assert done.stdout.strip() == told, done.stderr
    done = read(code, S3_BUCKET="people", S3_REGION="eu-central-1")
    told = "('people', {'addressing_style': 'auto'}, 'when_supported')"
    assert done.stdout.strip() == told, done.stderr


def test_a_wrong_value_names_its_variable():
    done = read("settings.LOG_FORMAT", LOG_FORMAT="xml")
    assert done.returncode == 1
    assert "LOG_FORMAT is 'xml', it must be one of text, json" in done.stderr


def test_without_services_of_its_own_a_deployment_must_set_its_key():
    environment = {n: v for n, v in os.environ.items() if n not in ("SECRET_KEY", "EMBEDDED")}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "SECRET_KEY is not set" in done.stderr
