"""The log cannot be changed, and shows it where somebody did."""

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from pedsite.audit import chain
from pedsite.audit.journal import Action, record
from pedsite.audit.models import Entry, Link, Waiting
from tests import world


def some(count: int = 3) -> list[Entry]:
    user = world.make_user()
    return [record(Action.SEARCH, user=user, text=f"red {n}", results=n) for n in range(count)]


def tamper(statement: str) -> None:
    """As somebody who owns the tables could."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE audit_link DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE audit_link ENABLE TRIGGER USER")


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["audit_entry", "audit_link"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET {column} = {column}",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "SET LOCAL session_replication_role = replica; DELETE FROM {table}",
    ],
)
def test_the_database_refuses_whatever_is_not_an_addition(table, statement):
    some()
    chain.link()
    column = {"audit_entry": "text", "audit_link": "hash"}[table]
    with (
        pytest.raises(DatabaseError, match="only ever added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table=table, column=column))
    assert Entry.objects.count() == Link.objects.count() == 3


@pytest.mark.django_db
def test_every_entry_gets_its_link_and_the_head_says_how_many(capsys):
    some()
    assert Waiting.objects.count() == 3
    assert chain.link() == 3
    assert Waiting.objects.count() == 0
    assert list(Link.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3]
    call_command("verify_audit")
    said = capsys.readouterr().out
    assert "3 entries are as they were written" in said
    assert f"head {chain.head()}" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE audit_entry SET text = 'blue' WHERE id = {id}", "entry {id} is not what"),
        ("UPDATE audit_entry SET at = at + interval '1 s' WHERE id = {id}", "entry {id} is not"),
        ("UPDATE audit_entry SET detail = '{{\"a\": 1}}' WHERE id = {id}", "entry {id} is not"),
        ("DELETE FROM audit_entry WHERE id = {id}", "entry {id} is missing"),
        ("DELETE FROM audit_link WHERE entry_id = {id}", "link 2 is missing"),
        ("UPDATE audit_link SET hash = repeat('0', 64) WHERE entry_id = {id}", "entry {id} is not"),
    ],
)
def test_the_first_entry_that_was_tampered_with_is_named(statement, named):
    second = some()[1]
    chain.link()
    tamper(statement.format(id=second.pk))
    verdict = chain.verify()
    assert not verdict.is_whole
    assert verdict.broken.startswith(named.format(id=second.pk))
    with pytest.raises(CommandError, match=named.format(id=second.pk)):
        call_command("verify_audit")


@pytest.mark.django_db
def test_an_entry_whose_note_was_taken_away_is_told():
    entry = some(1)[0]
    Waiting.objects.all().delete()
    assert chain.verify().broken == f"entry {entry.pk} was never linked"


@pytest.mark.django_db
def test_a_chain_that_was_cut_short_lacks_the_head_that_was_noted():
    entries = some()
    noted = chain.verify().head
    assert chain.verify(noted).is_whole
    last = entries[-1].pk
    tamper(f"DELETE FROM audit_entry WHERE id = {last}")
    tamper(f"DELETE FROM audit_link WHERE entry_id = {last}")
    assert chain.verify().is_whole
    assert noted in chain.verify(noted).broken
    assert chain.verify("no:head").broken


@pytest.mark.django_db(transaction=True)
def test_writers_and_linkers_at_the_same_time_make_one_chain():
    user = world.make_user()
    made, errors = 4 * 10, []

    def write():
        try:
            for number in range(10):
                with transaction.atomic():
                    record(Action.OPEN, user=user, about=f"box {number}")
                chain.link()
        except Exception as exc:
            errors.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    verdict = chain.verify()
    assert verdict.is_whole
    assert (verdict.linked, verdict.waiting) == (made, 0)


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_leaves_no_entry_and_no_hole():
    def fails():
        with transaction.atomic():
            some(1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    some(2)
    verdict = chain.verify()
    assert verdict.is_whole
    assert verdict.linked == 2
