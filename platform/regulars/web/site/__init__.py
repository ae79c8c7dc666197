"""The platform's own public pages: what it is, what it offers, and what its problem types mean (on every host)."""

from regulars.web.site import landing, opening, problems, sign_up, terms
from regulars.web.site.blueprint import blueprint
from regulars.web.site.navigation import navigation

__all__ = ["blueprint", "landing", "navigation", "opening", "problems", "sign_up", "terms"]
