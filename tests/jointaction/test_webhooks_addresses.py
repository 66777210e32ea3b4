"""Where webhooks may be sent: public addresses in their plain spelling, and what is allowed."""

import socket
import time
from ipaddress import ip_address, ip_network

import pytest
from django.core.exceptions import ValidationError

from jointaction.services.webhooks import addresses

PRIVATE = (
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.9.9.9", "169.254.169.254", "0.0.0.0",  # noqa: S104
    "100.64.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.0.1",
    "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "::7f00:1",
    "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:a00:1::1", "2002:7f00:1::",
    "2001:0:a00:1::f5ff:fffe", "2001:0:4136:e378:8000:63bf:80ff:fffe", "100::1", "5f00::1",
    "2001:10::1",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "114.114.114.114", "2606:4700:4700::1111", "2400:3200::1",
    "64:ff9b::808:808", "::ffff:8.8.8.8",
)  # fmt: skip
ODD = (
    "https://0x7f000001/", "https://2130706433/", "https://127.1/", "https://127.0.1/",
    "https://0177.0.0.1/", "https://127.0.0.01/", "https://0x7f.0.0.1/", "https://127.0.0.0x1/",
    "https://1.1.1.1./", "https://hooks.example.cn./", "https://hooks..example.cn/",
    "https://用户.example.cn/", "https://１２７.0.0.1/", "https://ⓛocalhost/", "https://1。1。1。1/",
    "https://user@1.1.1.1/", "https://user:pass@1.1.1.1/", "https://1.1.1.1@127.0.0.1/",
    "https://1.1.1.1:0/", "https://1.1.1.1:22/", "https://1.1.1.1:99999/", "https://1.1.1.1:/",
    "https://1.1.1.1:4 43/", "https://1.1.1.1\\@127.0.0.1/", "https://1.1.1.1/#127.0.0.1",
    "https://%31%32%37.0.0.1/", "https://[::1", "https://::1/", "https://[::1%25eth0]/",
    "https://[::ffff:10.0.0.1%eth0]/", "https://[v1.a]/", "https://", "https:///hook",
    "https:1.1.1.1", "//1.1.1.1/", "HTTPS://1.1.1.1/", "ftp://1.1.1.1/", "file:///etc/passwd", "gopher://1.1.1.1/",
    "https://-a.example.cn/", "https://a_b.example.cn/", " https://1.1.1.1/", "https://1.1.1.1/\n",
    "https://1.1.1.1/a b", "https://1.1.1.1/\0", "https://" + "a" * 64 + ".cn/",
    "https://1.1.1.1/" + "x" * 500, "",
)  # fmt: skip


def code_of(url, seconds=1):
    with pytest.raises(ValidationError) as refusal:
        addresses.check(url, seconds=seconds)
    return refusal.value.code


@pytest.fixture
def names(monkeypatch):
    """The names that can be looked up, and how often each one was."""
    known = {}

    def look_up(host, port, **_options):
        found = known.get(host)
        if found is None:
            raise socket.gaierror
        found = found.pop(0) if isinstance(found[0], list) else found
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_out_of_reach(address, names):
    assert not addresses.may_reach(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert code_of(f"https://{host}/hook") == "not_allowed"
    names["inside.example.cn"] = ["1.1.1.1", address]
    assert code_of("https://inside.example.cn/hook") == "not_allowed"


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_within_reach(address):
    host = f"[{address}]" if ":" in address else address
    assert addresses.check(f"https://{host}:8443/hook?a=b", seconds=1)
    assert code_of(f"http://{host}/hook") == "not_allowed"


@pytest.mark.parametrize("url", ODD)
def test_an_odd_spelling_is_refused_before_anything_is_looked_up(url, names):
    assert code_of(url) == "bad_url"


def test_a_name_that_is_not_known_or_not_answered_in_time_is_refused(names, monkeypatch):
    assert code_of("https://nowhere.example.cn/") == "unresolved"
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: time.sleep(5) or [])
    began = time.monotonic()
    assert code_of("https://slow.example.cn/", seconds=0.1) == "unresolved"
    assert time.monotonic() - began < 2


def test_the_operator_may_allow_networks_and_nothing_beside_them(settings, names):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("10.1.0.0/16"), ip_network("fd00::/64")]
    names["crm"] = ["10.1.2.3"]
    for url in ("http://10.1.0.9:8080/", "https://10.1.0.9/", "http://crm/", "https://[fd00::5]/"):
        assert addresses.check(url, seconds=1)
    for url in ("http://10.2.0.9/", "https://127.0.0.1/", "https://[fd00:0:0:1::5]/"):
        assert code_of(url) == "not_allowed"
