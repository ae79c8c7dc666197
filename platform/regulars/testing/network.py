"""Tests stay on this machine: whoever connects to another one fails, whatever library it uses."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

LOCAL_NAMES = frozenset({"", "localhost", "ip6-localhost"})


class NoNetwork(AssertionError):
    """A test wanted to reach another machine."""


def stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook (PEP 578) that refuses connections to other machines.

    Args:
        event: what is about to happen.
        arguments: of the event: for `socket.connect` the socket and the address.

    Raises:
        NoNetwork: the address is not one of this machine.
    """
    if event == "socket.connect" and isinstance(arguments[1], tuple) and not _is_local(str(arguments[1][0])):
        raise NoNetwork(f"tests reach this machine only, not {arguments[1][0]}")


def _is_local(host: str) -> bool:
    if host in LOCAL_NAMES or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
