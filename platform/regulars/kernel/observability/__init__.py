"""What the process says about itself: one line per event, with tenant and request, without secrets."""

from regulars.kernel.observability.logs import configure_logging, log_context, new_request_id
from regulars.kernel.observability.redaction import redact_text

__all__ = ["configure_logging", "log_context", "new_request_id", "redact_text"]
