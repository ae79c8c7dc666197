"""The JSON API: views below `/api/v1/{store,storefront}/loyalty/<plugin>/` with strict bodies and documented answers.

They go into a blueprint of the area `store_api` or `storefront_api`.
"""

from regulars.web.api.models import Asked, Page, Sent
from regulars.web.api.toolkit import ApiWork, Operation, Reply, api

__all__ = ["ApiWork", "Asked", "Operation", "Page", "Reply", "Sent", "api"]
