"""The staff's pages: finding a card, giving stamps, handing out rewards, enrolling."""

from regulars.web.terminal import acting, customer, enrol, place, refund, start
from regulars.web.terminal.blueprint import blueprint
from regulars.web.terminal.navigation import navigation

__all__ = ["acting", "blueprint", "customer", "enrol", "navigation", "place", "refund", "start"]
