"""What is written of running the site is true of it: lines that can be run are run."""

import ast
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import get_commands
from django.test import Client

from pedsite.accounts import keys
from pedsite.jobs import queues
from tests import world
from tests.search.pages.asked import enroll

DOCS = settings.BASE_DIR / "pedsite" / "docs"
READERS = {"text", "flag", "integer", "path", "listing", "networks"}
# Read by what starts the site, before there are settings.
ELSEWHERE = {"ENV_FILE", "PORT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
# Variables of compose itself, and of the services beside the site.
FOREIGN = {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"}


def read_settings() -> set[str]:
    """Names that settings.py takes from the environment."""
    tree = ast.parse((settings.BASE_DIR / "pedsite/settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and getattr(call.func.value, "id", "") == "env"
        and call.func.attr in READERS
    }


def told_settings() -> set[str]:
    example = (settings.BASE_DIR / ".env.example").read_text()
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))


def test_every_setting_is_in_the_reference_and_no_other():
    assert len(read_settings()) > 40
    assert read_settings() - told_settings() == set()
    assert told_settings() - read_settings() - ELSEWHERE == set()


def test_the_guide_names_settings_and_commands_that_there_are():
    text = (DOCS / "production.md").read_text()
    named = set(re.findall(r"^    ([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    assert len(named) > 5
    assert named - told_settings() == set()
    commands = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert commands - set(get_commands()) == set()
    for link in re.findall(r"\]\(([^)#h][^)#]*)", text):
        assert (DOCS / link).exists(), link


def test_the_compose_file_names_settings_commands_and_volumes_that_there_are():
    composed = yaml.safe_load((DOCS / "compose.yaml").read_text())
    services = composed["services"]
    for name, service in services.items():
        variables = set(service.get("environment", {})) - FOREIGN
        assert variables - told_settings() == set(), name
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in composed["volumes"]
        assert set(service.get("depends_on", [])) <= set(services)
        command = service.get("command", [])
        if "manage.py" in command:
            assert command[2] in get_commands()
    asked = [s["command"][4] for s in services.values() if "--queues" in s.get("command", [])]
    assert sorted(",".join(asked).split(",")) == queues.names()


def test_the_units_are_units(tmp_path):
    """Checked by systemd itself where it is installed; the commands in any case."""
    units = sorted((DOCS / "systemd").iterdir())
    assert len(units) == 2
    for unit in units:
        text = unit.read_text()
        for command in re.findall(r"^Exec\w+=\S+ manage\.py (\w+)", text, re.MULTILINE):
            assert command in get_commands()
        # What is called exists on no machine but the one it is for.
        (tmp_path / unit.name).write_text(
            text.replace("/srv/pedsite/site/.venv/bin/python", "/bin/true").replace(
                "User=pedsite", "User=root"
            )
        )
    if shutil.which("systemd-analyze"):
        for name in ("pedsite-web.service", "pedsite-worker@training.service"):
            source = name.replace("@training", "@")
            if name != source:
                (tmp_path / name).write_text((tmp_path / source).read_text())
            told = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)],
                capture_output=True,
                text=True,
            )
            assert f"{name}:" not in told.stderr, told.stderr


@pytest.mark.django_db
def test_every_line_for_old_clients_runs_as_it_stands():
    user = world.make_user("ming")
    _key, secret = keys.issue(user, "test")
    mall = world.make_dataset("mall", visible_to=user)
    world.make_coloured_people(mall, ["red", "blue"])
    enroll(mall)
    client = Client(headers={"authorization": f"Bearer {secret}"})
    lines = list(curl_lines(DOCS / "old-clients.md"))
    assert len(lines) == 8
    for line in lines:
        answer = run(line, client)
        assert answer.status_code == 200, (line, answer.content)
        told = answer.json()
        pages = [each["page"] for each in told["answers"]] if "answers" in told else [told]
        assert all("hits" in page or "results" in page for page in pages), line


def curl_lines(path: Path):
    for block in re.findall(r"```\n(.*?)```", path.read_text(), re.DOTALL):
        yield from block.replace("\\\n", " ").strip().splitlines()


def run(line: str, client: Client):
    """A curl command, given to the test client."""
    words = iter(shlex.split(line)[1:])
    body, fields, address = None, {}, ""
    for word in words:
        if word == "-H":
            next(words)
        elif word == "-d":
            body = next(words)
        elif word == "-F":
            name, _, value = next(words).partition("=")
            fields[name] = picture() if value.startswith("@") else value
        else:
            address = word.removeprefix("$SITE")
    if body is not None:
        return client.post(address, body, content_type="application/json")
    return client.post(address, fields) if fields else client.get(address)


def picture() -> SimpleUploadedFile:
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(world.plain_crop("red")).save(buffer, "JPEG")
    return SimpleUploadedFile("someone.jpg", buffer.getvalue(), "image/jpeg")
