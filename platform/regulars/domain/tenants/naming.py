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
    about abuse account account-settings accounts activate admin administrator affiliate affiliates alerts android
    announce announcements api app apps asset assets auth authorize autoconfig autodiscover autodiscovery backup
    beta billing billing-portal blog bot bots broadcast broadcasthost business callback captcha careers cdn
    certificate certs checkout chief client clients cloud cname community compliance config confirm connect console
    contact contacts cookie cookies corp cpanel customer customers dashboard data database db debug default delete
    demo demos dev dev1 developer developers directory dkim dmarc dns dns1 dns2 docs domain domains download email
    emails employees enrol enroll enterprise error events example export faq favicon feedback files firewall forum
    fraud ftp ftps gateway git github gitlab graphql guest guests health healthz help hooks host hostmaster hostname
    hosts html http https idp image images imap img import inbox index info install intern internal intranet invoice
    invoices ios ip ipv4 ipv6 isatap issue issues javascript jobs join js json jwt kb lab landing language legacy
    legal license link links list listen loadbalancer local localdomain localhost log login logout loyalty mail
    maintenance manage management manager marketing media member members merchant merchants message messages metrics
    mobile monitor monitoring mta mx mysql nagios news newsletter no-reply noc noreply notifications ns ns1 ns2 ns3
    ns4 null oauth offers oidc openid operations operator operators ops origin owner owners pages panel partner
    partner-portal partners passkey password passwords pay payment payments pci phishing pin ping pins pki platform
    plugin plugins policy pop pop3 portal postgres postgresql postmaster preview price prices pricing privacy
    private prod production program programs prometheus promotions proxy public qa qr rdp readyz redirect redis
    referral register registration regulars release remote report reports reset resources rest restore reward
    rewards robots root rss rules s3 sale sales sandbox sandboxes scim scripts search secrets secure security server
    server1 service services session sessions settings setup sftp shop shops sign-in sign-out sign-up signin signout
    signup site sitemap sites sms smtp socket spam spf sql src ssh ssl sso staff staging stamp stamps start stat
    static stats status statuspage stg storage store storefront stores subdomain subscribe suggest superuser support
    svn sync sys sysadmin syslog system system-admin team telnet tenant tenants terminal terms terms-of-service test
    test1 test2 testing tests theme themes ticket tickets tls token tokens tools tos tracking trust undefined
    unsubscribe update updates upgrade upload uploads url usenet user username users verification verify version vpn
    vpn1 wallet wallets web web1 web2 webhook webhooks webmail webmaster websocket welcome whois widget widgets
    worker wpad ws www www1 www2 www3 xml xmpp
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
