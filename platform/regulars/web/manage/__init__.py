"""The merchant's pages, below `/manage` on the tenant's host."""

from regulars.web.manage import access, members, shops, staff
from regulars.web.manage.blueprint import blueprint
from regulars.web.manage.navigation import navigation

__all__ = ["access", "blueprint", "members", "navigation", "shops", "staff"]
