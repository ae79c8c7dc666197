"""Names of tenants: what may be a sub-domain."""

from __future__ import annotations

import re

from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import gettext as _

SANDBOX_SUFFIX = "--test"
MAX_SLUG = 40
_SLUG = re.compile(rf"(?=.{{2,{MAX_SLUG}}}$)[a-z0-9]+(-[a-z0-9]+)*")

RESERVED = frozenset(
    """
    about abuse account accounts admin administrator api app apps asset assets auth autoconfig autodiscover beta billing
    blog broadcasthost business careers cdn cloud community connect console contact dashboard data demo dev developer
    developers dns docs download email error events example files forum ftp gateway healthz help hooks hostmaster
    imap info internal invoice invoices isatap jobs lab legal list local localhost localdomain log login logout mail
    manage marketing media member members metrics mobile mx news newsletter ns ns1 ns2 ns3 ns4 oauth offers openid
    operator partner partners pay payment payments platform plugin plugins pop pop3 portal postmaster pricing privacy
    private proxy public readyz regulars reports root sales sandbox search secure security server shop shops signin
    signup sign-in sign-up site sites smtp sso ssl staff staging start stat static stats status storage store storefront
    stores support sys sysadmin system team tenant tenants terminal terms test tests theme themes tls tools upload
    uploads usenet user users vpn wallet wallets web webhook webhooks webmail webmaster welcome wpad www www1 www2 www3
    """.split()  # noqa: SIM905 -- words in lines read better than a hundred quoted strings
)
"""Sub-domains that the platform keeps for itself, or that would deceive somebody."""


def check_slug(slug: str) -> None:
    """Refuse what cannot be a tenant's sub-domain.

    Two hyphens in a row are the platform's own (sandboxes), and of internationalised names.

    Args:
        slug: the wanted name.

    Raises:
        InvalidInput: with a sentence under the field `slug`.
    """
    if not _SLUG.fullmatch(slug):
        sentence = _(
            "Use 2 to %(most)s lower-case letters, digits and single hyphens, with a letter or digit at both ends.",
            most=MAX_SLUG,
        )
        raise InvalidInput(sentence, fields={"slug": sentence})
    if slug in RESERVED:
        sentence = _("The name “%(name)s” is reserved, please choose another one.", name=slug)
        raise InvalidInput(sentence, fields={"slug": sentence})


def tenant_host(slug: str, base_domain: str) -> str:
    """The host name of a tenant on the platform's domain."""
    return f"{slug}.{base_domain}"


def sandbox_slug(slug: str) -> str:
    """The name of a tenant's sandbox."""
    return f"{slug}{SANDBOX_SUFFIX}"
