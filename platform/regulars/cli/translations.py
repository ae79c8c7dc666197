"""`regulars translations`."""

from __future__ import annotations

from pathlib import Path

import click

from regulars.kernel.i18n import LANGUAGES

_HOST = Path(__file__).resolve().parents[1]


@click.command("translations")
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--language", "languages", multiple=True, help="Instead of all that the host speaks; may be repeated.")
@click.option("--check", is_flag=True, help="Change nothing: say what is missing or wrong, exit code 1 if anything is.")
def command(folders: tuple[Path, ...], languages: tuple[str, ...], check: bool) -> None:
    """Bring the .po files of a host, plugin or theme up to its sources.

    FOLDERS are packages (platform/regulars, plugins/stamps/regulars_stamps) and themes (themes/classic). Each has its
    translations in locale/. New texts come in untranslated, gone ones are removed, nothing is guessed. Texts that the
    host has too are the host's to translate. What is missing or wrong is counted, and named with --check.
    """
    from regulars.kernel.i18n.sources import Domain
    from regulars.kernel.i18n.upkeep import faults, translated, update

    host, wrong = Domain.of(_HOST), 0
    for domain in map(Domain.of, folders):
        is_host = domain.folder.resolve() == host.folder
        template = domain.template(() if is_host else translated(host, LANGUAGES))
        for locale in languages or LANGUAGES[1:]:
            if not check:
                update(domain, locale, template)
            found = list(faults(domain, locale, template))
            wrong += len(found)
            click.echo(f"{domain.name} {locale}: {len(template)} texts, {len(found)} to mend")
            if check:
                click.echo("".join(f"  {fault}\n" for fault in found), nl=False)
    if check and wrong:
        raise SystemExit(1)
