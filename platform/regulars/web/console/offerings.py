"""Offerings: the matrix of features, changing one, copying one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from pydantic import Field

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.contracts.paging import PageRequest
from regulars.domain.tenants import offerings as service
from regulars.domain.tenants.catalogue import KnownFeature
from regulars.domain.tenants.console import TenantFilter, list_tenants
from regulars.domain.tenants.features import with_lower_grades
from regulars.domain.tenants.offerings import OfferingInfo
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import ngettext
from regulars.web.again import TryAgain, faults_of
from regulars.web.console.blueprint import ReasonForm, blueprint, operator_page, renew
from regulars.web.console.wording import limit_text
from regulars.web.results import Redirect, Result
from regulars.web.work import ConsoleWork

LIST = "/offerings"
UNLIMITED = ""


@dataclass(frozen=True, slots=True)
class Column:
    """An offering in the matrix; `tenants` is how many live merchants have it."""

    offering: OfferingInfo
    title: str
    tenants: int
    url: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A feature or limit: one cell for each offering, in their order.

    Attributes:
        cells: for a feature whether it is included, for a limit its text.
        is_known: whether it means something in this installation.
    """

    name: str
    title: str
    alias: str
    cells: Sequence[bool | str]
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class MatrixGroup:
    """Rows under a heading."""

    title: str
    rows: Sequence[MatrixRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingsPage(PageContext):
    """The matrix."""

    template: ClassVar[str] = "console/offerings.html"
    columns: Sequence[Column]
    groups: Sequence[MatrixGroup]


@dataclass(frozen=True, slots=True)
class FeatureBox:
    """A feature that can be ticked."""

    feature: KnownFeature
    title: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class LimitBox:
    """A limit that can be typed; an empty value is unlimited."""

    name: str
    title: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingFormPage(PageContext):
    """Change an offering.

    Attributes:
        others: features that it lists but this installation does not know; they stay.
        effects: what the change would do, one sentence each; with them the form asks for a confirmation.
        values: field → what is shown.
        errors: field → sentence.
    """

    template: ClassVar[str] = "console/offering_form.html"
    column: Column
    boxes: Sequence[FeatureBox]
    limits: Sequence[LimitBox]
    others: Sequence[str]
    effects: Sequence[str] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingCopyPage(PageContext):
    """Make an offering from another one."""

    template: ClassVar[str] = "console/offering_copy.html"
    column: Column
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class OfferingForm(ReasonForm):
    """What is ticked and typed; limits are read by their names."""

    features: list[str] = Field(default_factory=list, max_length=500)
    confirmed: bool = False


class CopyForm(ReasonForm):
    """The new offering."""

    code: str = Field(default="", max_length=100)
    title: str = Field(default="", max_length=100)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What an offering is to become: known features and limits only."""

    features: frozenset[str]
    limits: Mapping[str, int | None]


@blueprint.get("/offerings")
@operator_page
async def offering_matrix(work: ConsoleWork) -> Result:
    """The matrix."""
    offerings = await service.list_offerings(work.session)
    catalogue = work.services.catalogue
    unknown = sorted({name for one in offerings for name in one.features} - catalogue.features.keys())
    kinds = (
        ("host", _("Platform")),
        ("plugin", _("Extensions")),
        ("flag", _("Parts of extensions")),
    )
    groups = [
        MatrixGroup(title, [_feature_row(one, offerings) for one in catalogue.features.values() if one.kind == kind])
        for kind, title in kinds
    ]
    groups.append(MatrixGroup(_("Limits"), [_limit_row(name, _(title), offerings) for name, title in _limits(work)]))
    if unknown:
        rows = [MatrixRow(name, name, "", [name in one.features for one in offerings], False) for name in unknown]
        groups.append(MatrixGroup(_("Sold, but not installed here"), rows))
    columns = [await _column(work, one) for one in offerings]
    return OfferingsPage(columns=columns, groups=[group for group in groups if group.rows])


@blueprint.get("/offerings/<code>")
@operator_page
async def offering_form(work: ConsoleWork, code: str) -> Result:
    """The form with what is stored."""
    offering = await _find(work, code)
    return await _form_page(work, offering, _Wish(offering.features, offering.limits))


@blueprint.post("/offerings/<code>")
@operator_page
async def change_offering(work: ConsoleWork, code: str) -> Result:
    """Change it; what it takes from merchants is said first."""
    offering = await _find(work, code)
    form = await work.form(OfferingForm)
    sent = (await work.request.form).to_dict()
    wish = _Wish(offering.features, offering.limits)
    try:
        wanted = form.require()
        wish = _read_wish(work, offering, wanted.features, sent)
        effects = await _effects(work, offering, wish)
        if effects and not wanted.confirmed:
            page = await _form_page(work, offering, wish)
            return replace(page, effects=effects, values={"reason": wanted.reason})
        await _apply(work, offering, wish, wanted.reason)
    except InvalidInput as error:
        page = replace(await _form_page(work, offering, wish, sent), errors=faults_of(error), values=form.values)
        raise TryAgain(work, page) from error
    renew(work)
    work.flash(_("Saved. It holds from the next click of every merchant who has it."))
    return Redirect(LIST)


@blueprint.get("/offerings/<code>/copy")
@operator_page
async def offering_copy_form(work: ConsoleWork, code: str) -> Result:
    """Ask for code and title."""
    column = await _column(work, await _find(work, code))
    return OfferingCopyPage(column=column, values={"code": f"{code}_2"})


@blueprint.post("/offerings/<code>/copy")
@operator_page
async def copy_offering(work: ConsoleWork, code: str) -> Result:
    """Make a copy; it ranks right above its original."""
    offering = await _find(work, code)
    form = await work.form(CopyForm)
    try:
        wanted = form.require()
        made = await service.copy_offering(
            work.session, work.actor, code, wanted.code, wanted.title, offering.rank + 1, reason=wanted.reason
        )
    except (InvalidInput, Conflict) as error:
        errors = {"code": error.detail} if isinstance(error, Conflict) else faults_of(error)
        page = OfferingCopyPage(column=await _column(work, offering), values=form.values, errors=errors)
        raise TryAgain(work, page) from error
    work.flash(_("%(title)s is there. Change what you like.", title=made.title))
    return Redirect(f"{LIST}/{made.code}")


async def _find(work: ConsoleWork, code: str) -> OfferingInfo:
    found = next((one for one in await service.list_offerings(work.session) if one.code == code), None)
    if found is None:
        raise NotFound
    return found


async def _column(work: ConsoleWork, offering: OfferingInfo) -> Column:
    used = await list_tenants(work.session, TenantFilter(offering=offering.code), PageRequest(1, 1))
    return Column(offering, _(offering.title), used.total, f"{LIST}/{offering.code}")


def _limits(work: ConsoleWork) -> Sequence[tuple[str, str]]:
    return list(work.services.catalogue.limits.items())


def _feature_row(feature: KnownFeature, offerings: Sequence[OfferingInfo]) -> MatrixRow:
    cells = [feature.name in one.features for one in offerings]
    return MatrixRow(feature.name, _(feature.title), feature.alias, cells)


def _limit_row(name: str, title: str, offerings: Sequence[OfferingInfo]) -> MatrixRow:
    return MatrixRow(name, title, "", [limit_text(one.limits.get(name, 0)) for one in offerings])


async def _form_page(
    work: ConsoleWork, offering: OfferingInfo, wish: _Wish, sent: Mapping[str, str] | None = None
) -> OfferingFormPage:
    known = work.services.catalogue.features
    return OfferingFormPage(
        column=await _column(work, offering),
        boxes=[FeatureBox(one, _(one.title), one.name in wish.features) for one in known.values()],
        limits=[
            LimitBox(name, _(title), (sent or {}).get(f"limit.{name}", _typed(wish.limits.get(name, 0))))
            for name, title in _limits(work)
        ],
        others=sorted(offering.features - known.keys()),
    )


def _typed(value: int | None) -> str:
    return UNLIMITED if value is None else str(value)


def _read_wish(work: ConsoleWork, offering: OfferingInfo, chosen: Sequence[str], sent: Mapping[str, str]) -> _Wish:
    known, limits, faults = work.services.catalogue.features, dict(offering.limits), {}
    for name, _title in _limits(work):
        text = sent.get(f"limit.{name}", _typed(offering.limits.get(name, 0))).strip()
        if text == UNLIMITED:
            limits[name] = None
        elif text.isdecimal() and len(text) <= 9:
            limits[name] = int(text)
        else:
            faults[f"limit.{name}"] = _("A whole number is needed, or nothing for unlimited.")
    if faults:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
    others = offering.features - known.keys()
    return _Wish(frozenset(with_lower_grades({*chosen} & known.keys())) | others, limits)


async def _effects(work: ConsoleWork, offering: OfferingInfo, wish: _Wish) -> Sequence[str]:
    """What is taken from merchants; nothing when nothing is."""
    tenants = (await _column(work, offering)).tenants
    lost, known = offering.features - wish.features, work.services.catalogue.features
    titles = [_(one.title) for name, one in known.items() if name in lost]
    lower = [
        _("%(title)s: %(before)s becomes %(after)s", title=_(title), before=limit_text(before), after=limit_text(after))
        for name, title in _limits(work)
        if _is_lower(after := wish.limits.get(name, 0), before := offering.limits.get(name, 0))
    ]
    if not tenants or not (titles or lower):
        return []
    return [
        ngettext(
            "%(num)s merchant has this offering and feels it at the next click.",
            "%(num)s merchants have this offering and feel it at the next click.",
            tenants,
        ),
        *([_("They lose: %(names)s.", names=", ".join(titles))] if titles else []),
        *[f"{line}." for line in lower],
        _("Nothing is deleted; with the feature everything is back."),
    ]


def _is_lower(after: int | None, before: int | None) -> bool:
    return after is not None and (before is None or after < before)


async def _apply(work: ConsoleWork, offering: OfferingInfo, wish: _Wish, reason: str) -> None:
    session, catalogue, actor, code = work.session, work.services.catalogue, work.actor, offering.code
    for name in sorted(offering.features - wish.features):
        await service.switch_feature(session, catalogue, actor, code, name, on=False, reason=reason)
    for name in sorted(wish.features - offering.features):
        await service.switch_feature(session, catalogue, actor, code, name, on=True, reason=reason)
    for name, _title in _limits(work):
        if (value := wish.limits.get(name, 0)) != offering.limits.get(name, 0):
            await service.set_limit(session, catalogue, actor, code, name, value, reason=reason)
