"""POST to an address that a user named, without being led into this network.

The name is looked up once, each address that comes is judged, and the socket is opened to that
very address: a name server that answers otherwise a moment later changes nothing. No redirect is
followed, no proxy of the environment is asked, nothing of the answer but its status is read.
"""

import socket
import ssl
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from pedsite.webhooks.errors import BadAddress, Unreachable

# Seconds for a connection, and for everything.
CONNECT_S = 5.0
TOTAL_S = 15.0
# Addresses of one name that are tried.
MOST_TRIED = 3
PUBLIC = "public"
LONGEST = 500
# IPv6 addresses that stand for the IPv4 address in their last four bytes.
_CARRIERS = [ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("::/96")]


def parse(url: str) -> SplitResult:
    """A webhook's address, taken apart.

    Raises:
        BadAddress: not http or https, no host, a name or password in it, a port that is none, too
            long, or the number of a machine that must not be reached.
    """
    if len(url) > LONGEST or not url.isascii() or any(c <= " " for c in url) or "\\" in url:
        raise BadAddress(_("Not an address of at most 500 characters, without blanks."))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadAddress(_("Not an address of the form https://host/path.")) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise BadAddress(_("Not an address of the form https://host/path."))
    if "@" in parts.netloc:
        raise BadAddress(_("Leave name and password out of the address: messages are signed."))
    with suppress(ValueError):
        if not may_reach(str(ip_address(parts.hostname))):
            raise BadAddress(_refusal(parts.hostname))
    return parts


def may_reach(address: str) -> bool:
    """Whether PEDSITE_WEBHOOK_ALLOW lets a message go to an IP address.

    "public" there stands for what the whole internet routes; anything else (this machine, private
    and link-local networks, addresses of cloud metadata) is reached only where its network is
    named. An IPv6 address that carries an IPv4 address is judged as that.
    """
    ip = _unwrapped(ip_address(address))
    for word in settings.PEDSITE_WEBHOOK_ALLOW:
        if word == PUBLIC:
            if ip.is_global and not (ip.is_multicast or ip.is_reserved):
                return True
        elif ip in ip_network(word):
            return True
    return False


def post(url: str, body: bytes, headers: dict[str, str], seconds: float = TOTAL_S) -> int:
    """The HTTP status that answers, a redirect's too. It ends after `seconds`, come what may.

    Raises:
        Unreachable: no answer, or the address must not be reached.
    """
    try:
        parts = parse(url)
    except BadAddress as exc:
        raise Unreachable(str(exc)) from exc
    kind = _Tls if parts.scheme == "https" else _Plain
    connection = kind(str(parts.hostname), parts.port, timeout=min(CONNECT_S, seconds))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # Timeouts of sockets count from the last byte; who sends one now and then outlives them.
    late = threading.Event()
    ending = threading.Timer(seconds, _cut, [connection, late])
    ending.daemon = True
    ending.start()
    try:
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    except TimeoutError as exc:
        raise Unreachable(_("No answer in time.")) from exc
    except ssl.SSLError as exc:
        raise Unreachable(_("TLS failed: %(reason)s") % {"reason": exc.reason}) from exc
    except (OSError, HTTPException, ValueError, AttributeError) as exc:
        # The timer may take the socket away under any of these calls.
        if late.is_set():
            raise Unreachable(_("No answer in time.")) from exc
        raise Unreachable(_("No answer: %(reason)s") % {"reason": type(exc).__name__}) from exc
    finally:
        ending.cancel()
        connection.close()


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A socket to a host, opened to an address that was judged, and to no other.

    Raises:
        Unreachable: the name is unknown, or all that it leads to must not be reached.
        OSError: none of its addresses takes the connection.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise Unreachable(_("The name %(host)s is unknown.") % {"host": host}) from exc
    allowed = [each for each in found if may_reach(str(each[4][0]))]
    if not allowed:
        raise Unreachable(_refusal(host))
    problem: OSError | None = None
    for family, kind, protocol, _name, address in allowed[:MOST_TRIED]:
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(timeout)
            opened.connect(address)
            # What the kernel says, whatever led here.
            if not may_reach(opened.getpeername()[0]):
                raise Unreachable(_refusal(host))
        except OSError as exc:
            problem = exc
            opened.close()
        except Unreachable:
            opened.close()
            raise
        else:
            return opened
    raise problem or OSError(host)


class _Plain(HTTPConnection):
    def connect(self) -> None:
        self.sock = connect(self.host, self.port, self.timeout)


class _Tls(HTTPSConnection):
    def connect(self) -> None:
        plain = connect(self.host, self.port, self.timeout)
        # First the name, then the handshake: `post` must be able to cut it short.
        self.sock = self._context.wrap_socket(
            plain, server_hostname=self.host, do_handshake_on_connect=False
        )
        self.sock.do_handshake()


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    # fe80::1%eth0 is judged without its zone.
    ip = IPv6Address(int(ip))
    if ip.ipv4_mapped or ip.sixtofour:
        return ip.ipv4_mapped or ip.sixtofour
    if ip.teredo:
        return ip.teredo[1]
    if any(ip in carrier for carrier in _CARRIERS) and int(ip) > 1:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _refusal(host: str) -> str:
    # The number that a name leads to is not told: it would draw a map of this network.
    return _("%(host)s is no address that webhooks of this site may reach.") % {"host": host}


def _cut(connection: HTTPConnection, late: threading.Event) -> None:
    late.set()
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
