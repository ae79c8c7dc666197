"""The platform's public pages."""

from __future__ import annotations

from quart import Blueprint

from regulars.web.areas import SITE

blueprint = Blueprint(SITE.name, __name__, subdomain=SITE.host)
