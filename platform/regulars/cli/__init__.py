"""The command `regulars`. Subcommands are modules of this package, imported only when they run."""

from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

import click

from regulars import __version__


class _Entry(NamedTuple):
    """A subcommand: the module whose attribute `command` it is, and its line in `regulars --help`, empty to hide it."""

    module: str
    line: str


COMMANDS = {
    "up": _Entry("up", "Run everything here: database, Redis, web server and worker."),
    "web": _Entry("web", "Run the web server."),
    "worker": _Entry("worker", "Run the worker for jobs and events."),
    "db": _Entry("db", "Upgrade the database and look at its state."),
    "tenant": _Entry("tenant", "Apply tenants and offerings from files."),
    "operator": _Entry("operator", "Make operators, who may use the console."),
    "plugin": _Entry("plugin", "List the plugins, check them, make a new one."),
    "translations": _Entry("translations", "Bring translations up to the texts of a host, plugin or theme."),
    "theme": _Entry("theme", "Make themes, and check them."),
    "wallet": _Entry("wallet", "Make certificates for passes in development."),
    "doctor": _Entry("doctor", "Check the installation and say what to do."),
    "config": _Entry("config", "Show each effective option and where its value came from."),
    "admin": _Entry("admin", ""),
    "demo-data": _Entry("demo_data", "Fill the demo's tenants with months of history."),
}
"""Every subcommand; one whose module this installation lacks does not exist."""


class _LazyGroup(click.Group):
    """A group that knows its commands' names and help lines without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, entry in COMMANDS.items() if find_spec(f"{__name__}.{entry.module}") is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"{__name__}.{COMMANDS[cmd_name].module}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].line) for name in self.list_commands(ctx) if COMMANDS[name].line])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="regulars")
def main() -> None:
    """Regulars: turns customers into regulars."""
