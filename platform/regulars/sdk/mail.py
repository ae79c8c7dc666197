"""Mail to members: `work.service(PostOffice)` in a job writes and queues one from the plugin's own templates."""

from regulars.domain.messaging.office import PostOffice
from regulars.kernel.i18n import LazyText

__all__ = ["LazyText", "PostOffice"]
