"""What a tenant may use: offering, overrides, its own switches and the kill switch, resolved once and kept per host."""

from regulars.kernel.entitlements.cache import SnapshotCache
from regulars.kernel.entitlements.listener import TenantListener
from regulars.kernel.entitlements.rules import Entitlements, Override, entitle
from regulars.kernel.entitlements.snapshot import Built, SnapshotBuilder

__all__ = ["Built", "Entitlements", "Override", "SnapshotBuilder", "SnapshotCache", "TenantListener", "entitle"]
