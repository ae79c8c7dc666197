"""`regulars operator`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from regulars.cli.common import read_config
from regulars.cli.parts import faults_told, with_database

if TYPE_CHECKING:
    from regulars.kernel.db.database import Database

_PASSWORD = click.option("--password-stdin", is_flag=True, help="Read the password from the first line of the input.")


@click.group("operator")
def command() -> None:
    """Make operators, who may use the console."""


@command.command("add")
@click.argument("email")
@click.argument("name")
@_PASSWORD
def add(*, email: str, name: str, password_stdin: bool) -> None:
    """Make an operator with an e-mail address, a NAME and a password of at least 10 characters."""
    from regulars.domain.audit.actors import SYSTEM
    from regulars.domain.operators import service as operators

    config, password = read_config(), _password(from_input=password_stdin)

    async def run(database: Database) -> None:
        async with database.platform("regulars operator add") as session:
            await operators.add(session, SYSTEM, email, name, password)

    with faults_told():
        with_database(config, run)
    click.echo(f"{email} may log in at {config.url(config.console_host)}")


@command.command("password")
@click.argument("email")
@_PASSWORD
def password(*, email: str, password_stdin: bool) -> None:
    """Give an operator a new password; all of the operator's sessions end."""
    from regulars.domain.audit.actors import SYSTEM
    from regulars.domain.operators import service as operators

    config, new = read_config(), _password(from_input=password_stdin)

    async def run(database: Database) -> None:
        async with database.platform("regulars operator password") as session:
            await operators.set_password(session, SYSTEM, email, new)

    with faults_told():
        with_database(config, run)
    click.echo(f"{email} has a new password")


def _password(*, from_input: bool) -> str:
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    text: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return text
