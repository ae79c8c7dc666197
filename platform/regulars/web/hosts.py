"""Which host and which visitor a request is from, before anything is looked up.

Headers of a proxy are believed only when the proxy is listed in the configuration.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Literal

import idna
from werkzeug.datastructures import Headers

from regulars.kernel.config import Config

HostKind = Literal["bare", "console", "tenant"]
HOST_KINDS: tuple[HostKind, ...] = ("bare", "console", "tenant")
_LONGEST = 253
_LINE_BITS = 64
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_PORT = re.compile(r":[0-9]{1,5}$")


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side of a request.

    Attributes:
        ip: the visitor's address.
        authority: the host header as the visitor sent it, with its port.
        host: normalised host name, empty when the header is missing, doubled or no host name.
        kind: which kind of host that name is; every name that is not ours may be a tenant's.
        request_id: by which the trusted proxy knows the request, empty when it says nothing usable.
    """

    ip: str
    authority: str
    host: str
    kind: HostKind
    request_id: str = ""

    @property
    def network(self) -> str:
        """What limits are counted by: the address; of IPv6 its first 64 bits, since a single line has all the rest."""
        try:
            address = ip_address(self.ip)
        except ValueError:
            return self.ip
        if address.version == 4:
            return self.ip
        return str(address.ipv4_mapped or IPv6Network((address, _LINE_BITS), strict=False))


def identify_peer(headers: Headers, remote: str, config: Config) -> Peer:
    """Find out who asks for which host.

    Args:
        headers: of the request, values decoded as Latin-1.
        remote: address of the other end of the connection.
        config: for the trusted proxies and our own host names.
    """
    trusted = is_within(remote, config.trusted_proxies)
    hosts = headers.getlist("Host")
    forwarded = headers.getlist("X-Forwarded-Host") if trusted else []
    authority = (forwarded or hosts)[0].strip() if len(hosts) == 1 and len(forwarded) <= 1 else ""
    host = normalise_host(authority)
    ip = _forwarded_ip(headers, config.trusted_proxies) if trusted else None
    known_as = headers.get("X-Request-ID", "") if trusted else ""
    request_id = known_as if _REQUEST_ID.fullmatch(known_as) else ""
    return Peer(ip=ip or remote, authority=authority, host=host, kind=kind_of(host, config), request_id=request_id)


def normalise_host(authority: str) -> str:
    """Bring a host header into the form in which hosts are stored.

    Args:
        authority: as it came, decoded as Latin-1: `Café.example.com.:8000`.

    Returns:
        Lower case, without port and trailing dot, in its ASCII form; empty when it is no host name.
    """
    name = _PORT.sub("", authority.strip())
    if name.startswith("[") and name.endswith("]"):
        return name[1:-1].lower() if _ip(name[1:-1]) else ""
    name = name.removesuffix(".")
    if not name.isascii():
        name = _to_ascii(name)
    name = name.lower()
    return name if len(name) <= _LONGEST and _NAME.fullmatch(name) else ""


def kind_of(host: str, config: Config) -> HostKind:
    """Which kind of host a normalised name is: an address and `localhost` are the platform's bare host."""
    if host == config.console_host:
        return "console"
    if host in {config.base_domain, "localhost"} or _ip(host):
        return "bare"
    return "tenant"


def is_within(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether an IP address lies in one of the networks; what is no address lies in none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _to_ascii(name: str) -> str:
    try:
        return idna.encode(name.encode("latin-1").decode("utf-8"), uts46=True).decode("ascii")
    except UnicodeError:  # what idna raises is one too
        return ""


def _ip(text: str) -> bool:
    if text[-1:].isalpha() and ":" not in text:
        return False  # a name, as nearly always; asking `ipaddress` costs more than all the rest here
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _forwarded_ip(headers: Headers, proxies: Sequence[IPv4Network | IPv6Network]) -> str | None:
    """The last address of `X-Forwarded-For` that is none of our proxies: what stands before it anybody can write."""
    chain = [part.strip() for value in headers.getlist("X-Forwarded-For") for part in value.split(",")]
    for address in reversed(chain):
        if not _ip(address):
            return None
        if not is_within(address, proxies):
            return address
    return None
