"""Which addresses the portal may be sent to: public ones, and networks that the operator allows.

An odd spelling is refused before anything is looked up, so that no two readers of an address
can understand it differently. A name is resolved once, and every address that it has must be
allowed; the connection is then made to these and no others.
"""

import queue
import re
import socket
import threading
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST = 500
PLAIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:(?P<port>[0-9]{1,5}))?"
    r"([/?][!-~]*)?"
)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a last label that some take for part of a number
UNICAST = IPv6Network("2000::/3")  # all of IPv6 that is given out
NAT64 = IPv6Network("64:ff9b::/96")


def check(url, *, seconds):
    """The addresses behind `url`, as text, in the order to be tried; at most `seconds` are waited.

    Raises ValidationError: `bad_url`, `unresolved`, or `not_allowed` for an address that is
    neither public nor in WEBHOOK_ALLOWED_NETWORKS. Plain http is for the latter alone.
    """
    scheme, host, port = _parts(url)
    found = _literal(host) or _resolved(host, port, seconds)
    if not found:
        raise ValidationError(_("这个域名现在解析不到地址。"), code="unresolved")
    permitted = _is_listed if scheme == "http" else may_reach
    if not all(map(permitted, found)):
        raise ValidationError(
            _("只能通知公网上的 https 地址；内网地址须由平台管理员先行许可。"), code="not_allowed"
        )
    return list(map(str, found))


def may_reach(address):
    """Whether an address is public, or in a network that the operator allows.

    One that carries an IPv4 address inside (mapped, 6to4, Teredo, NAT64) is as good as that.
    """
    if _is_listed(address):
        return True
    if inner := list(_inside(address)):
        return all(map(may_reach, inner))
    if address.version == 6 and address not in UNICAST:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _is_listed(address):
    return any(address in network for network in settings.WEBHOOK_ALLOWED_NETWORKS)


def _inside(address):
    if address.version == 4:
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _parts(url):
    """(scheme, host, port) of an address in its one plain spelling. Raises ValidationError."""
    found = PLAIN.fullmatch(url) if len(url) <= LONGEST else None
    if not found or "\\" in url or "#" in url:
        raise _bad_url()
    scheme, host = found["scheme"], found["host"].lower()
    port = int(found["port"] or (443 if scheme == "https" else 80))
    if not (port in {80, 443} or 1024 <= port < 65536):
        raise _bad_url()
    if _literal(host) is None and not _is_name(host):
        raise _bad_url()
    return scheme, host, port


def _bad_url():
    words = _("写成 https://域名/路径；中文域名写成 xn-- 的形式，不带用户名、片段和少见的端口。")
    return ValidationError(words, code="bad_url")


def _is_name(host):
    labels = host.split(".")
    plain = len(host) <= 253 and all(map(LABEL.fullmatch, labels))
    return plain and not NUMERIC.fullmatch(labels[-1])


def _literal(host):
    """The address that a host is, as a list of one, or None where it is a name or nonsense."""
    try:
        return [IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)]
    except ValueError:
        return None


def _resolved(host, port, seconds):
    """What a name stands for, or nothing. The system's resolver can't be stopped, only left."""
    told = queue.SimpleQueue()
    threading.Thread(target=lambda: told.put(_look_up(host, port)), daemon=True).start()
    try:
        return told.get(timeout=max(seconds, 0))
    except queue.Empty:
        return []


def _look_up(host, port):
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(ip_address(row[4][0]) for row in rows))
    except (OSError, ValueError):
        return []
