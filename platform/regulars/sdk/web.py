"""Pages: a blueprint per area, views inside one unit of work, lists with pages, settings that a page changes.

`hook` makes a view for the service of somebody else, in the area `hooks`.
"""

from quart import Blueprint

from regulars.domain.members.export import csv_bytes
from regulars.kernel import ids
from regulars.kernel.ratelimit import Limit as RateLimit
from regulars.kernel.settings.forms import SettingsForm, describe_form
from regulars.kernel.settings.parsing import parse_form
from regulars.web.again import TryAgain, forgiving
from regulars.web.forms import Form
from regulars.web.lists import ListQuery, Pager, make_pager, url_of
from regulars.web.own_rules import keep_photo, photo_url, save_rules, save_settings
from regulars.web.results import Download, Redirect, Result
from regulars.web.toolkit import hook, page
from regulars.web.units import unit_amount
from regulars.web.work import Work

__all__ = [
    "Blueprint",
    "Download",
    "Form",
    "ListQuery",
    "Pager",
    "RateLimit",
    "Redirect",
    "Result",
    "SettingsForm",
    "TryAgain",
    "Work",
    "csv_bytes",
    "describe_form",
    "forgiving",
    "hook",
    "ids",
    "keep_photo",
    "make_pager",
    "page",
    "parse_form",
    "photo_url",
    "save_rules",
    "save_settings",
    "unit_amount",
    "url_of",
]
