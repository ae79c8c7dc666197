"""What every plugin has to keep: a class of tests, to be subclassed in a plugin's own tests.

```python
class TestConformance(Conformance):
    plugin = "coffee_club"
```
"""

from regulars.testing.conformance.isolation import Isolation
from regulars.testing.conformance.shape import Shape
from regulars.testing.conformance.tables import Tables

__all__ = ["Conformance", "Isolation", "Shape", "Tables"]


class Conformance(Shape, Tables, Isolation):
    """All of it: the shape of the plugin, its tables, and that tenants and switches hold.

    Attributes:
        plugin: name of the plugin; `regulars_plugins` in the pytest configuration names it too.
    """
