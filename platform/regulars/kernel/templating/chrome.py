"""What stands around a page: brand, navigation, languages, messages. The layouts read nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

FlashKind = Literal["success", "info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry of a navigation, menu, tab bar or row of filter chips.

    Attributes:
        label: translated text.
        icon: a Lucide icon's name, empty for none.
        active: whether it leads to where the reader is.
        badge: a short count beside the label.
        group: heading above it in the side bar; entries of one group stand together.
        post: in menus: a form is sent instead of a link followed.
        danger: in menus: shown as something that takes away.
    """

    label: str
    url: str
    icon: str = ""
    active: bool = False
    badge: str = ""
    group: str = ""
    post: bool = False
    danger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language that the reader may switch to.

    Attributes:
        code: locale, such as `en` or `lt`.
        name: in its own words: `Lietuvių`.
        url: where the choice is posted to, as `locale`, together with `next`.
        next: the page to come back to, empty for the area's start.
    """

    code: str
    name: str
    url: str
    next: str = ""
    active: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flash:
    """A toast: what just succeeded or failed, with its undoing where there is one.

    Attributes:
        action_url: address that a form is posted to ("Undo"), empty without an action.
    """

    text: str
    kind: FlashKind = "success"
    action_label: str = ""
    action_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chrome:
    """Everything around a page, made by the web layer for each request.

    Attributes:
        name: the brand shown: the merchant's, or the platform's on its own pages.
        locale: language of the page.
        brand_css_url: the tenant's style sheet with its revision; empty on the platform's own pages.
        theme_color: `#rrggbb` for the browser's frame on phones.
        look: the theme's settings: key → value in force; images as addresses, empty without one.
        fonts: families that the page needs besides the platform's own, keys of `brand.FONTS`.
        preview: `light` or `dark` for a still picture of the page, without scripts, in that scheme; empty otherwise.
        nav: tab bar (portal), side bar (manage, console), top links (site).
        account: menu of the signed-in person; on the site: its buttons, the last one primary.
        legal: small links at the foot of the page.
        search_url: where the shell's search goes; empty for none.
        sandbox, live_url: whether this is a sandbox, and the address of its live side.
        powered_by: the platform's name, empty where the offering removes it.
        verify_by: day until which the reading owner's address must prove right, in words; empty when it need not.
    """

    name: str
    locale: str = "en"
    home_url: str = "/"
    logo_url: str = ""
    icon_url: str = ""
    brand_css_url: str = ""
    theme_color: str = ""
    look: Mapping[str, str | int | float] = field(default_factory=dict)
    fonts: Sequence[str] = ()
    preview: Literal["", "light", "dark"] = ""
    languages: Sequence[Language] = ()
    nav: Sequence[Link] = ()
    account: Sequence[Link | Literal["-"]] = ()
    legal: Sequence[Link] = ()
    user_name: str = ""
    user_role: str = ""
    search_url: str = ""
    flashes: Sequence[Flash] = ()
    sandbox: bool = False
    live_url: str = ""
    powered_by: str = ""
    verify_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFrame:
    """What stands around a mail's text.

    Attributes:
        preheader: the line that mail programs show beside the subject.
        primary, primary_content: `#rrggbb` of buttons and of the text on them (see `brand.button_colors`).
        footer: lines at the end: address, why the reader gets this mail.
        unsubscribe_url: empty for mails that cannot be unsubscribed (log-in codes).
    """

    subject: str
    brand: str
    home_url: str
    locale: str = "en"
    preheader: str = ""
    logo_url: str = ""
    primary: str = "#4f46e5"
    primary_content: str = "#ffffff"
    footer: Sequence[str] = ()
    unsubscribe_url: str = ""
