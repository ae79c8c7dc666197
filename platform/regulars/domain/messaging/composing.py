"""Writing a mail: three templates (subject, text, HTML) in the reader's language and the merchant's looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regulars.contracts.context import TenantSnapshot
from regulars.kernel.i18n import N_, LazyText, use_locale
from regulars.kernel.templating.brand import button_colors
from regulars.kernel.templating.chrome import MailFrame
from regulars.kernel.templating.engine import TemplateEngine
from regulars.kernel.text import one_line

_SANDBOX = LazyText(N_("This mail comes from a sandbox for tests."))


@dataclass(frozen=True, slots=True)
class MailText:
    """A written mail."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a mail.

    Attributes:
        name: may be empty.
        locale: language that the mail is written in; where it is not the tenant's (or empty), the tenant's default.
    """

    email: str
    name: str
    locale: str


def write(
    engine: TemplateEngine,
    tenant: TenantSnapshot,
    template: str,
    recipient: Recipient,
    *,
    home_url: str,
    footer: Sequence[LazyText],
    values: Mapping[str, Any],
) -> MailText:
    """Fill a mail's templates: `<template>.subject.txt`, `<template>.txt` and `<template>.html`.

    They see `mail` (the frame), `tenant`, `recipient` and the values. What people typed is a value, never a template.

    Args:
        engine: looks templates up in the tenant's theme.
        tenant: in whose name.
        template: path without ending, `mails/welcome` or for a plugin `stamps/mails/milestone`.
        recipient: who reads it.
        home_url: the tenant's address.
        footer: lines at the end; why the reader gets this mail comes first.
        values: what the templates need.

    Raises:
        jinja2.TemplateNotFound: one of the three is missing.
    """
    locale = _spoken(tenant, recipient.locale)
    with use_locale(locale, tenant.timezone, tenant.wording.get(locale, {})):
        known = {**values, "tenant": tenant, "recipient": recipient}
        subject = one_line(engine.mail(tenant.theme, f"{template}.subject.txt", **known))
        primary, content = button_colors(tenant.branding.primary_color)
        frame = MailFrame(
            subject=subject,
            brand=tenant.name,
            home_url=home_url,
            locale=locale,
            primary=primary,
            primary_content=content,
            footer=[str(line) for line in (*footer, *((_SANDBOX,) if tenant.is_sandbox else ()))],
        )
        text = engine.mail(tenant.theme, f"{template}.txt", mail=frame, **known)
        html = engine.mail(tenant.theme, f"{template}.html", mail=frame, **known)
    return MailText(subject, text, html)


def _spoken(tenant: TenantSnapshot, locale: str) -> str:
    """The reader's language when the tenant speaks it, otherwise the tenant's."""
    return locale if locale in tenant.locales else tenant.default_locale
