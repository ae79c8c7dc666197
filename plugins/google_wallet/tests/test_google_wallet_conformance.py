"""What every plugin has to keep."""

from regulars.testing.conformance import Conformance


class TestConformance(Conformance):
    plugin = "google_wallet"
