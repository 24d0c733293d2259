"""No webhook leads into this network, whatever its address, its name server or its answer say."""

import socket
import time

import pytest
from django.core.exceptions import ImproperlyConfigured

from pedsite import env
from pedsite.webhooks import reach
from pedsite.webhooks.errors import BadAddress, Unreachable

INSIDE = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "10.0.0.5",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:0:0:0:0:80ff:fffe",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
]


def answer(*addresses: str):
    """A name server that gives these addresses."""
    families = {True: socket.AF_INET6, False: socket.AF_INET}
    return [
        (
            families[":" in each],
            socket.SOCK_STREAM,
            6,
            "",
            (each, 80, 0, 0)[: 4 if ":" in each else 2],
        )
        for each in addresses
    ]


@pytest.fixture
def opened(monkeypatch):
    """Every address that a socket was opened to; none of them answers."""
    seen: list[str] = []

    def connect(self, address):
        seen.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return seen


@pytest.fixture
def public(settings):
    settings.PEDSITE_WEBHOOK_ALLOW = ["public"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_inner_address_is_refused_as_a_number_and_behind_a_name(
    public, opened, monkeypatch, address
):
    host = f"[{address}]" if ":" in address else address
    with pytest.raises((BadAddress, Unreachable)):
        reach.parse(f"http://{host}/")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kw: answer(address))
    with pytest.raises(Unreachable) as refusal:
        reach.post("http://inner.example/", b"", {}, seconds=1)
    assert "inner.example is no address" in str(refusal.value)
    assert opened == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost"])
def test_other_spellings_of_this_machine_are_refused(public, opened, host):
    with pytest.raises(Unreachable):
        reach.post(f"http://{host}/", b"", {}, seconds=1)
    assert opened == []


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_public_addresses_are_reached(public, opened, monkeypatch, address):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kw: answer(address))
    with pytest.raises(Unreachable, match="ConnectionRefused"):
        reach.post("http://outer.example/", b"", {}, seconds=1)
    assert opened == [address]


def test_a_name_server_that_answers_twice_differently_leads_nowhere_else(
    public, opened, monkeypatch
):
    """Rebinding: public at the first look, this machine at the second."""
    answers = iter([answer("93.184.216.34"), answer("127.0.0.1"), answer("127.0.0.1")])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kw: next(answers))
    with pytest.raises(Unreachable):
        reach.post("http://rebinding.example/", b"", {}, seconds=1)
    assert opened == ["93.184.216.34"]
    with pytest.raises(Unreachable, match="no address"):
        reach.post("http://rebinding.example/", b"", {}, seconds=1)
    assert opened == ["93.184.216.34"]


def test_of_several_addresses_of_a_name_only_allowed_ones_are_tried(public, opened, monkeypatch):
    mixed = answer("127.0.0.1", "93.184.216.34", "169.254.169.254")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kw: mixed)
    with pytest.raises(Unreachable):
        reach.post("http://mixed.example/", b"", {}, seconds=1)
    assert opened == ["93.184.216.34"]


def test_what_the_open_socket_says_is_judged_too(public, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kw: answer("93.184.216.34"))
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: None)
    monkeypatch.setattr(socket.socket, "getpeername", lambda self: ("127.0.0.1", 80))
    with pytest.raises(Unreachable, match="no address"):
        reach.post("http://odd.example/", b"", {}, seconds=1)


def test_a_redirect_is_not_followed(receiver):
    receiver.status = 302
    receiver.headers = {"Location": receiver.url.replace("hear", "inner")}
    assert reach.post(receiver.url, b"{}", {}) == 302
    assert len(receiver.heard) == 1


def test_inner_networks_are_reached_where_they_are_named_and_no_others(settings, receiver):
    settings.PEDSITE_WEBHOOK_ALLOW = ["127.0.0.0/8", "fd00::/8"]
    assert reach.may_reach("127.0.0.1")
    assert reach.may_reach("::ffff:127.0.0.1")
    assert reach.may_reach("fd00::5")
    assert not reach.may_reach("10.0.0.1")
    assert not reach.may_reach("93.184.216.34")
    assert reach.post(receiver.url, b"{}", {}) == 204


def test_where_nothing_is_named_nothing_is_reached(settings, opened):
    settings.PEDSITE_WEBHOOK_ALLOW = []
    with pytest.raises(Unreachable):
        reach.post("http://93.184.216.34/", b"", {}, seconds=1)
    assert opened == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "javascript:alert(1)",
        "//example.org/",
        "http://",
        "https://user:pass@example.org/",
        "https://example.org:99999/",
        "https://example.org:0/",
        "https://exa mple.org/",
        "https://example.org/\r\nHost: inner",
        "https://example.org\\@inner/",
        "https://пример.example/",
        "https://[::1/",
        "https://example.org/" + "x" * 500,
    ],
)
def test_what_is_no_plain_address_is_refused(public, url):
    with pytest.raises(BadAddress):
        reach.parse(url)


def test_a_server_that_sends_a_byte_now_and_then_is_cut_off(receiver):
    def drip(handler):
        for _ in range(30):
            handler.wfile.write(b"H")
            handler.wfile.flush()
            time.sleep(0.05)

    receiver.before = drip
    began = time.monotonic()
    with pytest.raises(Unreachable, match="in time"):
        reach.post(receiver.url, b"{}", {}, seconds=0.3)
    assert time.monotonic() - began < 1


def test_a_large_answer_is_not_read(receiver):
    def pour(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(2000):
                handler.wfile.write(b"x" * 2**16)
        except OSError:
            cut.append(True)

    cut: list[bool] = []
    receiver.before = pour
    assert reach.post(receiver.url, b"{}", {}) == 200
    time.sleep(0.1)
    assert cut


def test_the_setting_takes_networks_and_the_word_public_only(monkeypatch):
    monkeypatch.setenv("ALLOW", "public, 10.0.0.0/8,fd00::/8")
    assert env.networks("ALLOW") == ["public", "10.0.0.0/8", "fd00::/8"]
    monkeypatch.setenv("ALLOW", "example.org")
    with pytest.raises(ImproperlyConfigured, match="ALLOW holds"):
        env.networks("ALLOW")
