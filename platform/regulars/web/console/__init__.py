"""The operator's console, on a host of its own."""

from regulars.web.console import (
    access,
    audit,
    jobs,
    mailbox,
    offerings,
    operators,
    overview,
    plugins,
    settings,
    tenant_actions,
    tenant_exceptions,
    tenants,
)
from regulars.web.console.blueprint import blueprint
from regulars.web.console.navigation import navigation

__all__ = [
    "access",
    "audit",
    "blueprint",
    "jobs",
    "mailbox",
    "navigation",
    "offerings",
    "operators",
    "overview",
    "plugins",
    "settings",
    "tenant_actions",
    "tenant_exceptions",
    "tenants",
]
