"""Pages: a blueprint per area, views that run inside one unit of work, lists with pages."""

from quart import Blueprint

from regulars.web.again import TryAgain, forgiving
from regulars.web.forms import Form
from regulars.web.lists import ListQuery, Pager, make_pager
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
    "forgiving",
    "make_pager",
    "page",
]
