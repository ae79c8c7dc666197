"""`regulars doctor`."""

from __future__ import annotations

import asyncio
import json

import click

from regulars.cli.common import read_config
from regulars.cli.doctor.examination import examine
from regulars.cli.doctor.findings import Finding, Level
from regulars.cli.doctor.ledger import check_ledger
from regulars.cli.doctor.patient import Patient
from regulars.cli.parts import faults_told, load_registry
from regulars.kernel.observability import configure_logging


@click.command("doctor")
@click.option("--ledger", is_flag=True, help="Check every rule of the ledger on the live database, and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def command(*, ledger: bool, as_json: bool) -> None:
    """Check the installation: a sentence for what is wrong and one for what to do.

    The exit code is 1 when something has failed; warnings alone leave it at 0.
    """
    config = read_config()
    configure_logging("error", json_lines=False)
    with faults_told():
        registry = load_registry(config)
    if ledger:
        check_ledger(config, registry)
        return
    patient = Patient(config, registry)
    findings = asyncio.run(examine(patient))
    click.echo(_as_json(findings) if as_json else _as_text(findings))
    if any(finding.level is Level.FAILED for finding in findings.values()):
        raise SystemExit(1)


def _as_text(findings: dict[str, Finding]) -> str:
    width = max(map(len, findings))
    lines = []
    for name, found in findings.items():
        lines.append(f"{found.level.value:8} {name:{width}}  {found.sentence}")
        if found.remedy:
            lines.append(f"{'':8} {'':{width}}  → {found.remedy}")
    counts = {level: sum(found.level is level for found in findings.values()) for level in Level}
    lines.append(f"{counts[Level.FAILED]} failed, {counts[Level.WARNING]} warnings, {counts[Level.OK]} ok.")
    return "\n".join(lines)


def _as_json(findings: dict[str, Finding]) -> str:
    told = {
        name: {"level": found.level.value, "sentence": found.sentence, "remedy": found.remedy}
        for name, found in findings.items()
    }
    return json.dumps(told, indent=2, ensure_ascii=False)
