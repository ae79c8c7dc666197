"""Reading a folder of tenants. All faults are told at once, each with its file, its key and what to do."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from regulars.contracts.context import Branding
from regulars.contracts.errors import ConfigurationError, InvalidInput
from regulars.domain.tenants.features import with_lower_grades
from regulars.domain.tenants.files.formats import OfferingFile, TenantFile
from regulars.domain.tenants.files.pictures import ASSETS, with_pictures
from regulars.domain.tenants.logos import clean_logo
from regulars.domain.tenants.naming import check_slug
from regulars.domain.tenants.offerings import OfferingInfo
from regulars.domain.tenants.profile import Profile, check_profile
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.templating.theme_settings import value_faults
from regulars.kernel.templating.themes import Themes
from regulars.kernel.validation import field_errors

OFFERINGS_FILE, TENANT_FILE = "offerings.toml", "tenant.toml"
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class DeclaredTenant:
    """A tenant as its folder describes it.

    Attributes:
        profile: as it will be stored; its logo is named by its content.
        logo: content of the logo's file, `None` without one.
        pictures: contents of the files that settings name, for photos of rewards.
    """

    slug: str
    path: Path
    file: TenantFile
    profile: Profile
    logo: bytes | None
    pictures: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything that a folder describes."""

    offerings: tuple[OfferingInfo, ...]
    tenants: tuple[DeclaredTenant, ...]


class FilesError(ConfigurationError):
    """The files cannot be applied; one line per fault."""

    code = "tenant_files"


class _Faults:
    """Collects what is wrong."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, path: Path, key: str, sentence: str) -> None:
        self.lines.append(f"{path}: {key}: {sentence}" if key else f"{path}: {sentence}")

    def add_all(self, path: Path, sentences: Mapping[str, str], within: str = "") -> None:
        for key, sentence in sentences.items():
            self.add(path, f"{within}{key}", sentence)


def read_folder(folder: Path, registry: PluginRegistry, themes: Themes | None = None) -> Declared:
    """Read `offerings.toml` and every `<slug>/tenant.toml`.

    Args:
        folder: such as `tenants/`.
        registry: the plugins whose settings may stand in the files.
        themes: those that may be named; `None` leaves that unchecked.

    Raises:
        FilesError: one line per fault; nothing is half read.
    """
    faults = _Faults()
    if not folder.is_dir():
        raise FilesError(f"{folder}: there is no such folder")
    offerings = tuple(_offerings(folder / OFFERINGS_FILE, faults))
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    tenants = [_tenant(path, registry, themes, offerings, faults) for path in folders]
    if not offerings and not folders:
        faults.add(folder, "", f"holds neither {OFFERINGS_FILE} nor a tenant's folder with {TENANT_FILE}")
    if faults.lines:
        raise FilesError("\n".join(faults.lines))
    return Declared(offerings, tuple(tenant for tenant in tenants if tenant is not None))


def _offerings(path: Path, faults: _Faults) -> Iterator[OfferingInfo]:
    if not path.is_file():
        return
    for code, table in (_toml(path, faults) or {}).items():
        file = _model(OfferingFile, table, path, faults, within=f"{code}.")
        if file is None:
            continue
        limits = {name: None if value == "unlimited" else value for name, value in file.limits.items()}
        for name in _repeated(file.features):
            faults.add(path, f"{code}.features", f"“{name}” is listed twice; leave one out")
        features = frozenset(with_lower_grades(file.features))
        yield OfferingInfo(code, file.title, file.rank, features, limits)


def _tenant(
    folder: Path,
    registry: PluginRegistry,
    themes: Themes | None,
    offerings: tuple[OfferingInfo, ...],
    faults: _Faults,
) -> DeclaredTenant | None:
    path = folder / TENANT_FILE
    if not path.is_file():
        faults.add(folder, "", f"{TENANT_FILE} is missing; write one, or move the folder away")
        return None
    before = len(faults.lines)
    try:
        check_slug(folder.name)
    except InvalidInput as error:
        faults.add(folder, "", f"the folder's name is the tenant's sub-domain. {error.detail}")
    table = _toml(path, faults)
    file = _model(TenantFile, table, path, faults) if table is not None else None
    if file is None:
        return None
    profile, logo = _profile(path, file, faults)
    file, pictures = with_pictures(path, file, faults.add)
    _check_lists(path, file, faults)
    if themes is not None:
        _check_theme(path, folder.name, file, themes, faults)
    _check_settings(path, file, registry, faults)
    _check_limits(path, file, offerings, faults)
    return DeclaredTenant(folder.name, path, file, profile, logo, pictures) if len(faults.lines) == before else None


def _profile(path: Path, file: TenantFile, faults: _Faults) -> tuple[Profile, bytes | None]:
    values = file.branding
    own_values = {file.theme: file.theme_settings} if file.theme_settings is not None else {}
    branding = Branding(values.primary_color, values.icon, "", values.tagline, own_values)
    profile = Profile(
        name=file.name,
        branding=branding,
        theme=file.theme,
        locales=tuple(file.locales),
        default_locale=file.default_locale,
        timezone=file.timezone,
        currency=file.currency,
        country=file.country,
    )
    try:
        check_profile(profile)
    except InvalidInput as error:
        looks = {"primary_color", "icon", "tagline"}
        named = {f"branding.{key}" if key in looks else key: text for key, text in error.fields.items()}
        faults.add_all(path, named)
    if not values.logo:
        return profile, None
    try:
        logo = (path.parent / ASSETS / Path(values.logo).name).read_bytes()
        name, _encoded = clean_logo(logo)
    except OSError:
        faults.add(path, "branding.logo", f"there is no file {ASSETS}/{values.logo} beside it")
    except InvalidInput as error:
        faults.add(path, "branding.logo", error.detail)
    else:
        return replace(profile, branding=replace(branding, logo=name)), logo
    return profile, None


def _check_lists(path: Path, file: TenantFile, faults: _Faults) -> None:
    """What the database knows entries by must be there once."""
    names = {
        "shops": [shop.name for shop in file.shops],
        "programs": [program.name for program in file.programs],
        "staff": [person.email.lower() or person.name for person in file.staff],
        "hosts": file.hosts,
    }
    for key, values in names.items():
        for name in _repeated(values):
            faults.add(path, key, f"“{name}” is there twice; give one of them another name")


def _check_theme(path: Path, slug: str, file: TenantFile, themes: Themes, faults: _Faults) -> None:
    offered = {theme.name for theme in themes.offered(slug)}
    if file.theme not in offered:
        known = ", ".join(sorted(offered))
        faults.add(path, "theme", f"there is no theme “{file.theme}” for this tenant; there are: {known}")
    elif file.theme_settings:
        faults.add_all(path, value_faults(themes.fields(file.theme), file.theme_settings), within="theme_settings.")


def _check_settings(path: Path, file: TenantFile, registry: PluginRegistry, faults: _Faults) -> None:
    for place, program in enumerate(file.programs):
        for plugin, values in program.settings.items():
            key = f"programs.{place}.settings.{plugin}"
            model = registry.by_name[plugin].settings_model if plugin in registry.names else None
            if model is None:
                known = ", ".join(sorted(one.name for one in registry.plugins if one.settings_model is not None))
                faults.add(path, key, f"there is no plugin “{plugin}” with settings here; there are: {known or 'none'}")
            else:
                _model(model, values, path, faults, within=f"{key}.")


def _check_limits(path: Path, file: TenantFile, offerings: tuple[OfferingInfo, ...], faults: _Faults) -> None:
    if not offerings:
        return
    offering = next((one for one in offerings if one.code == file.offering), None)
    if offering is None:
        known = ", ".join(one.code for one in offerings)
        faults.add(path, "offering", f"there is no offering “{file.offering}” in {OFFERINGS_FILE}; there are: {known}")
        return
    for key, count in (("shops", len(file.shops)), ("programs", len(file.programs))):
        if count and not offering.allows(key, count - 1):
            most = offering.limits.get(key, 0)
            faults.add(
                path, key, f"{offering.title} allows {most}, here are {count}; take some out or change the offering"
            )


def _toml(path: Path, faults: _Faults) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.add(path, "", f"this is not TOML: {error}")
    except OSError as error:
        faults.add(path, "", f"it cannot be read: {error.strerror}")
    return None


def _model(model: type[Model], values: object, path: Path, faults: _Faults, *, within: str = "") -> Model | None:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults.add_all(path, field_errors(error), within)
        return None


def _repeated(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]
