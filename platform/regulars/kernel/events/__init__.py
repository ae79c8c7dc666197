"""Events: facts that are announced after commit, through the outbox; subscribers are jobs."""

from regulars.kernel.events.publish import announce, publish

__all__ = ["announce", "publish"]
