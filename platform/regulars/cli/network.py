"""The network side of `regulars up`: base domain, port, readiness."""

import errno
import http.client
import ipaddress
import socket

import click


def check_base(base: str) -> None:
    """Refuse a base domain that can have no sub-domains.

    Raises:
        click.ClickException: it is an address; the text names a domain that leads there.
    """
    try:
        ipaddress.ip_address(base)
    except ValueError:
        return
    raise click.ClickException(f"{base} is an address and cannot have sub-domains: use {base}.sslip.io instead.")


def default_bind(base: str) -> str:
    """Choose the address to listen on: this machine for localhost, else every network."""
    return "127.0.0.1" if base == "localhost" or base.endswith(".localhost") else "0.0.0.0"  # noqa: S104 - wanted


def check_port(bind: str, port: int, remedy: str = "--port, or PORT=… with make") -> None:
    """Make sure that a server can listen.

    Args:
        bind: address to listen on.
        port: port to listen on.
        remedy: how to name another one.

    Raises:
        click.ClickException: it cannot; the text says what to do.
    """
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            raise click.ClickException(_port_sentence(bind, port, remedy, error)) from None


def _port_sentence(bind: str, port: int, remedy: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: stop what uses it, or choose another ({remedy})."
    if error.errno == errno.EACCES:
        return f"Port {port} may only be used by root: choose one above 1023 ({remedy})."
    return f"Nothing can listen on {bind}, port {port} ({error.strerror}): correct REGULARS_BIND."


def is_ready(host: str, port: int, name: str) -> bool:
    """Ask `/readyz` of the server that listens on `host` and `port`, under the host name `name`."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Host": f"{name}:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
