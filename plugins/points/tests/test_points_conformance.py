"""What every plugin has to keep."""

from regulars.sdk import Purchase
from regulars.testing.conformance import Conformance
from regulars.testing.till import Till


class TestConformance(Conformance):
    plugin = "points"

    async def fill(self, till: Till) -> None:
        await till.enrol(f"new@{till.world.tenant.slug}.example")
        await till.sale(unit="points", purchase=Purchase(amount_minor=2599, currency="EUR"))
