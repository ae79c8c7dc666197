"""The audit log: whoever changes something on a page or by the API leaves a line; hooks of the ledger need not."""

from regulars.domain.audit.service import record

__all__ = ["record"]
