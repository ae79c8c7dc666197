"""Is the right software here, and is it set up as it should be?"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from regulars.cli.doctor.findings import Finding, failed, ok, warning
from regulars.cli.doctor.patient import Patient

_REINSTALL = "Install Regulars again: `pip install --upgrade regulars`."
_FEWEST_CHARACTERS = 10
_WIDEST_NETWORK = {4: 8, 6: 16}
_SECRETS = {"REGULARS_SECRET_KEY": "secret_key", "REGULARS_PIN_PEPPER": "pin_pepper"}


async def packages(_patient: Patient) -> Finding:
    """Python and every package that we need."""
    wrong = list(_wrong_packages())
    if wrong:
        return failed(f"{'; '.join(wrong)}.", _REINSTALL)
    return ok(f"Python {platform.python_version()} and all packages are as needed.")


def _wrong_packages() -> Iterator[str]:
    python = metadata("regulars")["Requires-Python"]
    if platform.python_version() not in SpecifierSet(python):
        yield f"Python {platform.python_version()} runs, {python} is needed"
    for line in requires("regulars") or ():
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            yield f"{wanted.name} is not installed"
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            yield f"{wanted.name} {found} is installed, {wanted.specifier} is needed"


async def plugins(patient: Patient) -> Finding:
    """Plugins that were left out because of their faults."""
    faulty = [str(fault) for fault in patient.plugins.quarantined]
    if faulty:
        return warning(f"Left out: {'; '.join(faulty)}.", "Mend or remove it; `regulars plugin list` looks again.")
    return ok(f"{len(patient.plugins.plugins)} plugins are loaded.")


async def secrets(patient: Patient) -> Finding:
    """Secrets that somebody could guess. They are never shown."""
    weak = [name for name, field in _SECRETS.items() if len(set(getattr(patient.config, field))) < _FEWEST_CHARACTERS]
    if not weak:
        return ok("The secrets look random.")
    make = failed if patient.serious else warning
    return make(
        f"{' and '.join(weak)} could be guessed: too few different characters.",
        "Make it with `openssl rand -base64 48`. docs/operators.md says what a change does.",
    )


async def proxies(patient: Patient) -> Finding:
    """Whose word is taken for a visitor's address."""
    config = patient.config
    wide = [str(net) for net in config.trusted_proxies if net.prefixlen < _WIDEST_NETWORK[net.version]]
    if wide:
        return failed(
            f"REGULARS_TRUSTED_PROXIES holds {', '.join(wide)}: anybody in there may claim any address and host.",
            "Name the proxy's own address or its private network.",
        )
    if config.scheme == "https" and not config.trusted_proxies:
        return warning(
            "No proxy is trusted: every visitor seems to come from the proxy, so limits hit all of them at once.",
            "Set REGULARS_TRUSTED_PROXIES to the proxy's address.",
        )
    return ok("Trusted proxies: " + (", ".join(map(str, config.trusted_proxies)) or "none") + ".")
