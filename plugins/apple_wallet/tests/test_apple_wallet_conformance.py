"""What every plugin has to keep."""

from regulars.testing.conformance import Conformance


class TestConformance(Conformance):
    plugin = "apple_wallet"
