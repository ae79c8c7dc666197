"""What limits are counted by: one visitor is not a new one at each of the addresses of its own line."""

from __future__ import annotations

import pytest

from regulars.web.hosts import Peer

NETWORKS = {
    "192.0.2.7": "192.0.2.7",
    "2001:db8:1:2::1": "2001:db8:1:2::/64",
    "2001:db8:1:2:ffff:ffff:ffff:ffff": "2001:db8:1:2::/64",
    "2001:db8:1:3::1": "2001:db8:1:3::/64",
    "::ffff:192.0.2.7": "192.0.2.7",
    "": "",
    "local": "local",
}


@pytest.mark.parametrize(("ip", "network"), NETWORKS.items())
def test_a_line_is_one_network(ip: str, network: str) -> None:
    assert Peer(ip=ip, authority="", host="", kind="bare").network == network
