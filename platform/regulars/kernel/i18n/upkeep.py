"""Keeps .po files equal to the sources, and finds what is missing or wrong in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from gettext import c2py

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po

from regulars.kernel.i18n.catalogues import read_catalogue
from regulars.kernel.i18n.sources import Domain, Key, forms_of, key_of

_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[a-z%]|\{[\w.]+\}")
_TAG = re.compile(r"</?[a-zA-Z][^>]*>")
_SAMPLE = range(200)


def placeholders(text: str) -> set[str]:
    """Where values are put in: `%(name)s`, `{name}`; `%%` counts as one."""
    return set(_PLACEHOLDER.findall(text))


def translated(domain: Domain, locales: Sequence[str]) -> set[Key]:
    """Texts that a domain's .po files have."""
    files = (file for file in map(domain.file, locales) if file.is_file())
    return {key_of(message) for file in files for message in read_catalogue(file) if message.id}


def update(domain: Domain, locale: str, template: Catalog) -> bool:
    """Bring a .po file up to its sources: new texts untranslated, gone texts away, nothing guessed.

    Args:
        domain: what is translated.
        locale: the file's language; the file is made when there are texts.
        template: the domain's texts.

    Returns:
        Whether the file has changed.
    """
    file = domain.file(locale)
    before = file.read_bytes() if file.is_file() else b""
    if not before and not len(template):
        return False
    catalog = read_catalogue(file) if before else _new(domain, locale)
    made, revised = catalog.creation_date, catalog.revision_date
    catalog.update(template, no_fuzzy_matching=True)
    catalog.creation_date, catalog.revision_date = made, revised
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        write_po(target, catalog, width=0, sort_output=True, ignore_obsolete=True, include_lineno=False)
    return file.read_bytes() != before


def faults(domain: Domain, locale: str, template: Catalog) -> Iterator[str]:
    """What is wrong with a domain's translation into a language, a sentence each. Arguments as for `update`."""
    file = domain.file(locale)
    if not file.is_file():
        if len(template):
            yield f"{file}: is missing, {len(template)} texts are not translated"
        return
    catalog = read_catalogue(file)
    wanted = {key_of(message) for message in template if message.id}
    found = {key_of(message): message for message in catalog if message.id}
    gone = [english for _context, english in found.keys() - wanted] + [str(english) for english in catalog.obsolete]
    yield from (
        f"{file}: {english!r} is missing" for english in sorted(english for _, english in wanted - found.keys())
    )
    yield from (f"{file}: {english!r} is in no source any more" for english in sorted(gone))
    for key, message in found.items():
        if key in wanted:
            yield from (f"{file}: {key[1]!r} {fault}" for fault in faults_of(message, catalog))


def faults_of(message: Message, catalog: Catalog) -> Iterator[str]:
    """What is wrong with one translated text: left out, unsure, other placeholders, tags or outer spaces.

    Args:
        message: with its translation.
        catalog: of the language, for its plural forms.
    """
    if message.fuzzy:
        yield "is marked as unsure (fuzzy)"
    forms, sources = forms_of(message.string), forms_of(message.id)
    if len(sources) > 1 and len(forms) != catalog.num_plurals:
        yield f"has {len(forms)} plural forms instead of {catalog.num_plurals}"
        return
    if not all(forms):
        yield "is not translated"
        return
    singular_only = forms_of_one_number(catalog.plural_expr)
    for number, form in enumerate(forms):
        allowed = [sources[-1], *(sources[:1] if number in singular_only else ())]
        yield from (f"→ {form!r}: {fault}" for fault in mismatches(allowed, form))


def mismatches(allowed: Sequence[str], text: str) -> Iterator[str]:
    """How a text differs from its source where it must not.

    Args:
        allowed: sources; being like one of them is enough.
        text: the translation.
    """
    if placeholders(text) not in [placeholders(one) for one in allowed]:
        yield f"the placeholders are not those of {allowed[0]!r}"
    if sorted(_TAG.findall(text)) not in [sorted(_TAG.findall(one)) for one in allowed]:
        yield f"the tags are not those of {allowed[0]!r}"
    if _edges(text) not in [_edges(one) for one in allowed]:
        yield f"spaces at its start and end are not those of {allowed[0]!r}"


def _new(domain: Domain, locale: str) -> Catalog:
    name = Locale.parse(locale).get_display_name("en")
    return Catalog(locale=locale, domain=domain.name, project=domain.name, header_comment=f"# {name}: {domain.name}")


@cache
def forms_of_one_number(expression: str) -> frozenset[int]:
    """Plural forms that stand for the number 1 alone, so that the number may be left unsaid (not in Lithuanian: 21)."""
    chosen = c2py(expression)
    forms = [chosen(number) for number in _SAMPLE]
    return frozenset(form for form in forms if form == forms[1] and forms.count(form) == 1)


def _edges(text: str) -> tuple[str, str]:
    inner = text.strip()
    return text.partition(inner)[::2] if inner else (text, "")
