"""How a merchant's own domain stands, in words."""

from __future__ import annotations

from regulars.domain.domains.service import Domain, Problem
from regulars.kernel.i18n import gettext as _
from regulars.web.console.wording import Badge


def domain_state(domain: Domain) -> Badge:
    """How it stands, as a badge."""
    if domain.answers and domain.failing_since is not None:
        return (_("Needs you"), "error", "triangle-alert")
    states: dict[str, Badge] = {
        "waiting": (_("Waiting for its records"), "warning", "clock"),
        "verified": (_("Waiting for its certificate"), "info", "hourglass"),
        "live": (_("Live"), "success", "check"),
        "lost": (_("Taken out"), "error", "unlink"),
    }
    return states[domain.status]


def problem_words(problem: Problem) -> str:
    """What is missing, and what to do; empty for nothing."""
    sentences: dict[Problem, str] = {
        "": "",
        "proof": _("We do not see the TXT record yet. New records can take an hour to be seen everywhere."),
        "address": _("The domain does not lead to us yet. Check the other record; older ones of the name must go."),
        "silent": _("The domain's name servers did not answer. We try again by ourselves."),
        "taken": _("Another shop here still answers on this domain. It is yours when they have given it up."),
        "offering": _("Your offering does not include own domains any more."),
    }
    return sentences[problem]
