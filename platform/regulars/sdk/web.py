"""Pages: a blueprint per area, views that run inside one unit of work, lists with pages."""

from quart import Blueprint

from regulars.domain.members.export import csv_bytes
from regulars.kernel import ids
from regulars.web.again import TryAgain, forgiving
from regulars.web.forms import Form
from regulars.web.lists import ListQuery, Pager, make_pager, url_of
from regulars.web.results import Download, Redirect, Result
from regulars.web.toolkit import page
from regulars.web.work import Work

__all__ = [
    "Blueprint",
    "Download",
    "Form",
    "ListQuery",
    "Pager",
    "Redirect",
    "Result",
    "TryAgain",
    "Work",
    "csv_bytes",
    "forgiving",
    "ids",
    "make_pager",
    "page",
    "url_of",
]
