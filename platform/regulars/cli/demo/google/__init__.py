"""A stand-in for Google Wallet on this machine, for demonstrations and tests.

It takes what Google's own discovery document describes and nothing else, where `google-api-python-client` is installed.
"""

from regulars.cli.demo.google.server import StandIn

__all__ = ["StandIn"]
