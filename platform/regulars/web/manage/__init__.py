"""The merchant's pages, below `/manage` on the tenant's host."""

from regulars.web.manage import (
    access,
    apikeys,
    audit,
    dashboard,
    domains,
    first_steps,
    languages,
    links,
    look,
    member_changes,
    members,
    plugins,
    program,
    program_changes,
    program_new,
    shops,
    staff,
    wording,
    wording_word,
)
from regulars.web.manage.blueprint import blueprint
from regulars.web.manage.navigation import navigation

__all__ = [
    "access",
    "apikeys",
    "audit",
    "blueprint",
    "dashboard",
    "domains",
    "first_steps",
    "languages",
    "links",
    "look",
    "member_changes",
    "members",
    "navigation",
    "plugins",
    "program",
    "program_changes",
    "program_new",
    "shops",
    "staff",
    "wording",
    "wording_word",
]
