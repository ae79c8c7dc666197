"""Free ports of the loopback interface."""

import random
import socket

from regulars.kernel.embedded.errors import EmbeddedError

_RANGE = range(20000, 32000)  # below the ports that systems give to outgoing connections


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on `port` of `host` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Choose a port that no one listens on; a server that ends can take it again, since no client gets it meanwhile.

    Raises:
        EmbeddedError: none was found in a hundred tries.
    """
    for port in random.sample(_RANGE, 100):
        if is_free(port):
            return port
    raise EmbeddedError("No free port was found on 127.0.0.1: stop some of the many servers that run there.")
